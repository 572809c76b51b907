"""What generators make and classifiers learn from: patches with labels, and what all labelled samples can do."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import PluginError

__all__ = ["LabelledSamples", "PatchSamples", "Patches", "concatenate"]

NOWHERE = -1


@dataclass(frozen=True, eq=False)
class LabelledSamples:
    """Labelled samples of any task: entry i of each of their arrays belongs to sample i."""

    def take(self, index: NDArray[Any]) -> Self:
        """The samples at ``index`` (integers or a mask), in that order."""
        return replace(self, **{name: array[index] for name, array in _arrays(self).items()})


def _arrays(samples: LabelledSamples) -> dict[str, NDArray[Any]]:
    """All that has an entry for each sample."""
    values = {f.name: getattr(samples, f.name) for f in fields(samples) if f.name != "provenance"}
    return {name: value for name, value in values.items() if value is not None}


Samples = TypeVar("Samples", bound=LabelledSamples)


def concatenate(parts: Sequence[Samples]) -> Samples:
    """One batch of samples after the other.

    Provenance is taken from the last that has any; what some may lack, as confidence, is kept where all have it.
    """
    if len(parts) == 1:
        return parts[0]
    batches = [_arrays(part) for part in parts]
    joined: dict[str, Any] = {
        name: np.concatenate([batch[name] for batch in batches])
        if all(name in batch for batch in batches)
        else None
        for name in dict.fromkeys(itertools.chain(*batches))
    }
    said = [facts for part in parts if (facts := vars(part)["provenance"])]
    joined["provenance"] = said[-1] if said else {}
    return replace(parts[0], **joined)


@dataclass(frozen=True, eq=False)
class Patches:
    """Unlabelled p×p patches, whose centre pixel is the one that counts.

    x: (n, B, p, p) float32, in the scene's units (not normalised).
    coords: (n, 2) int32 row and column of the centre; -1 where a patch lies nowhere (synthetic),
        or where the classifier's card does not declare that it reads locations.
    """

    x: NDArray[np.float32]
    coords: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.x.ndim != 4 or self.x.shape[2] != self.x.shape[3] or self.coords.shape != (len(self.x), 2):
            raise PluginError(
                "patches must have x of shape (n, bands, p, p) and coords of shape (n, 2)",
                value=f"x {self.x.shape}, coords {self.coords.shape}",
                hint="Build them with TrainView.patches, or keep the channels first.",
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def centres(self) -> NDArray[np.float32]:
        """(n, B) float32: the spectrum of each centre pixel."""
        middle = self.x.shape[2] // 2
        return self.x[:, :, middle, middle]


@dataclass(frozen=True, eq=False)
class PatchSamples(Patches, LabelledSamples):
    """Labelled patches, real or synthetic.

    y: (n,) int64 class ids 1..C, of the centre pixel.
    synthetic: (n,) bool.
    weight: (n,) float32 sample weights, 1 for real samples; classifiers that can, honour them.
    provenance: JSON-able facts about how synthetic samples were made; they go into the record.
    """

    y: NDArray[np.int64]
    synthetic: NDArray[np.bool_]
    weight: NDArray[np.float32]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("y", "synthetic", "weight"):
            if getattr(self, name).shape != (len(self.x),):
                raise PluginError(
                    f"samples need one entry of {name} per patch, {len(self.x)} in all",
                    value=f"shape {getattr(self, name).shape}",
                    hint="Return arrays of equal length.",
                )

    @classmethod
    def made(
        cls, x: NDArray[np.float32], y: NDArray[np.int64], provenance: Mapping[str, Any] | None = None
    ) -> PatchSamples:
        """Synthetic samples from x (n, B, p, p) and y (n,), with weight 1 and no location."""
        return cls(
            x=np.ascontiguousarray(x, dtype=np.float32),
            coords=np.full((len(x), 2), NOWHERE, dtype=np.int32),
            y=np.asarray(y, dtype=np.int64),
            synthetic=np.ones(len(x), dtype=bool),
            weight=np.ones(len(x), dtype=np.float32),
            provenance=dict(provenance or {}),
        )
