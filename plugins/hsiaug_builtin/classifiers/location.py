"""Control: accuracy without spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    NoParams,
    Patches,
    PatchSamples,
    Plugin,
    PluginError,
    Progress,
    TrainView,
)

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


@dataclass(frozen=True, eq=False)
class FittedLocation:
    """The nearest real sample of each pixel.

    Attributes
    ----------
    tree : cKDTree
        k-d tree of the real samples' rows and columns.
    y : (n,) int64
        Their class ids.
    """

    tree: cKDTree
    y: NDArray[np.int64]

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids of the nearest real samples."""
        _, nearest = self.tree.query(patches.coords)
        return np.asarray(self.y[nearest])


class Location(Plugin[NoParams]):
    """The class of the nearest real training pixel (Euclidean, in pixels); reads no band.

    What it scores is what a split gives away through location alone. Synthetic samples lie nowhere
    and are ignored, so it answers the same for every generator and every λ.
    """

    card = Card(
        name="coords",
        version="1",
        summary="Control: class of the nearest training pixel; reads no band",
        input="location",
        seconds=0.01,
        control_of="all",
        control_text="location alone",
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedLocation:
        """Remember where the real samples lie."""
        from scipy.spatial import cKDTree

        real = samples.take(~samples.synthetic)
        if not len(real):
            raise PluginError(
                "classifier coords needs real samples: synthetic ones lie nowhere",
                value=f"0 real, {len(samples)} synthetic",
                hint="Give it the training pixels, or use another classifier.",
            )
        return FittedLocation(cKDTree(real.coords), real.y)
