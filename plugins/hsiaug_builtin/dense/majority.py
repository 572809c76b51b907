"""Control: one class everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, DenseSamples, DenseView, NoParams, Plugin, PluginError, Progress, Tiles


@dataclass(frozen=True)
class FittedMajority:
    """The most frequent class, everywhere.

    Attributes
    ----------
    most : int
        The class id that it always names.
    class_count : int
        C of the data.
    """

    most: int
    class_count: int

    def predict(self, tiles: Tiles) -> NDArray[np.int64]:
        """(n, H, W), the same id everywhere."""
        return np.full((len(tiles), *tiles.side), self.most, dtype=np.int64)

    def predict_proba(self, tiles: Tiles) -> NDArray[np.float32]:
        """(n, C, H, W): 1 for that class, 0 for all others."""
        shares = np.zeros((len(tiles), self.class_count, *tiles.side), dtype=np.float32)
        shares[:, self.most - 1] = 1
        return shares


class Majority(Plugin[NoParams]):
    """The class with most labelled pixels in the real training masks; reads no image.

    Synthetic samples are ignored, so it answers the same for every generator: a floor that accuracy
    alone can flatter. Among classes with equally many pixels it takes the lowest id.
    """

    card = Card(
        name="majority",
        version="1",
        summary=(
            "Control: the most frequent class of the training masks everywhere; reads no image"
        ),
        tasks=("segmentation", "change"),
        seconds=0.01,
        control_of="all",
        control_text="the most frequent class of training",
    )

    def fit(
        self, samples: DenseSamples, view: DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedMajority:
        """Count the pixels of the real masks among the samples, or of the view's where there is
        none among them.

        Raises PluginError where none has a label.
        """
        masks = samples.masks[~samples.synthetic & (samples.weight > 0)]
        masks = masks if len(masks) else view.real.masks
        ids, counts = np.unique(masks[masks > 0], return_counts=True)
        if not len(ids):
            raise PluginError(
                "classifier majority needs a labelled training pixel",
                value=f"{len(masks)} tiles without",
                hint="Check the masks: 0 means no label.",
            )
        return FittedMajority(int(ids[counts.argmax()]), len(view.class_names))
