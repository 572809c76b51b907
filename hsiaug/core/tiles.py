"""Tiles of one or two dates, with a mask that labels every pixel: the samples of dense tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import PluginError
from hsiaug.core.read_only import SealedView, Seals, arrays_of
from hsiaug.core.samples import RowArrays, class_ids, real_numbers, torch_dataset

if TYPE_CHECKING:
    from torch.utils.data import TensorDataset

IGNORE = 0
"""The mask of a pixel that has no label: it counts neither in a loss nor in a score."""


@dataclass(frozen=True, eq=False, repr=False)
class Tiles(RowArrays):
    """Unlabelled tiles.

    Attributes
    ----------
    images : (n, T, B, H, W) float32
        In the data's units; T = 1 date for segmentation, 2 for change detection.
    """

    images: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.images.ndim != 5 or self.images.shape[1] not in (1, 2):
            rule = (
                "tiles must have images of shape (n, dates, bands, height, width), with one date"
                " or two"
            )
            hint = "Keep the date before the bands, also where there is one only."
            raise PluginError(rule, value=str(self.images.shape), hint=hint)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def dates(self) -> int:
        """Number of dates T."""
        return int(self.images.shape[1])

    @property
    def bands(self) -> int:
        """Number of bands B."""
        return int(self.images.shape[2])

    @property
    def side(self) -> tuple[int, int]:
        """Height and width of a tile in pixels."""
        return int(self.images.shape[3]), int(self.images.shape[4])

    @property
    def values(self) -> NDArray[np.float32]:
        """The array of spectra, whatever it is called."""
        return self.images

    def without_labels(self) -> Tiles:
        """The tiles alone, as they are predicted."""
        return Tiles(self.images)

    @property
    def spectra(self) -> NDArray[np.float32]:
        """(n, H, W, T·B): those of each pixel, one date after the other."""
        return self.images.reshape(len(self), self.dates * self.bands, *self.side).transpose(
            0, 2, 3, 1
        )


@dataclass(frozen=True, eq=False, repr=False)
class DenseSamples(Tiles):
    """Tiles with their masks, real or synthetic.

    Attributes
    ----------
    masks : (n, H, W) int64
        Class ids 1..C; 0 = ignore. For change detection 1 = unchanged, 2 = changed.
    synthetic : (n,) bool
    weight : (n,) float32
        Sample weights, 1 for real samples.
    confidence : (n, H, W) float32 or None
        In 0..1, how sure a generator is of each pixel's label; None where it does not say.
    provenance : mapping of str to object
        JSON-able facts about how synthetic samples were made; they go into the record.
    """

    masks: NDArray[np.int64]
    synthetic: NDArray[np.bool_]
    weight: NDArray[np.float32]
    confidence: NDArray[np.float32] | None = None
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        shapes = {
            "masks": (len(self), *self.side),
            "synthetic": (len(self),),
            "weight": (len(self),),
        }
        if self.confidence is not None:
            shapes["confidence"] = (len(self), *self.side)
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                rule = f"samples need {name} of shape {shape}"
                hint = (
                    "Return one mask of the tile's height and width per tile, and one entry of all"
                    " else."
                )
                raise PluginError(rule, value=str(getattr(self, name).shape), hint=hint)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class ids as they are predicted."""
        return self.masks

    def to_torch(self) -> TensorDataset:
        """A Dataset of torch: image (B, H, W), of two dates (2, B, H, W), and mask (H, W) of each
        pair, copied.

        Masks hold class indices 0..C-1, and -100, which torch's losses ignore, where a pixel has no
        label.
        """
        images = self.images[:, 0] if self.dates == 1 else self.images
        return torch_dataset(images, np.where(self.masks == IGNORE, -100, self.masks - 1))

    @classmethod
    def made(
        cls,
        images: NDArray[np.float32],
        masks: AnyArray,
        *,
        confidence: NDArray[np.float32] | None = None,
        provenance: Mapping[str, object] | None = None,
    ) -> DenseSamples:
        """Synthetic samples, with weight 1.

        Parameters
        ----------
        images : (n, T, B, H, W) float32
            In the data's units.
        masks : (n, H, W) integers
            Class ids 1..C; 0 = ignore.
        confidence : (n, H, W) float32 or None
            In 0..1, how sure the generator is of each pixel's label.
        provenance : mapping of str to object or None
            JSON-able facts about how they were made, which go into the record.
        """
        return cls(
            images=np.ascontiguousarray(real_numbers(images), dtype=np.float32),
            masks=class_ids(masks),
            synthetic=np.ones(len(images), dtype=bool),
            weight=np.ones(len(images), dtype=np.float32),
            confidence=confidence,
            provenance=dict(provenance or {}),
        )


@dataclass(frozen=True)
class PairCounts:
    """How many image–mask pairs a generator is asked for.

    Attributes
    ----------
    total : int
        Pairs in all.
    by_class : mapping of int to int
        Of these, how many shall show each class id, on however few pixels; a pair counts for
        one class, whatever else it shows. The remaining pairs may show any classes.
    """

    total: int
    by_class: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.by_class.values(), default=0) < 0 or sum(self.by_class.values()) > self.total:
            rule = "the pairs that are asked for by class must be part of all that are asked for"
            hint = "total must be at least the sum of by_class."
            raise PluginError(rule, value=f"{dict(self.by_class)} of {self.total}", hint=hint)

    def parts(self) -> Iterator[tuple[int | None, int]]:
        """Class id, or None for pairs that may show any classes, which come first; and their
        number, never zero.
        """
        free = self.total - sum(self.by_class.values())
        yield from ((c, n) for c, n in ((None, free), *self.by_class.items()) if n)


@dataclass(frozen=True, eq=False)
class DenseView(SealedView):
    """All that a plugin may see in a dense task: the training tiles. No pixel of a test tile can be
    reached from it.

    Every array is read-only: compute on copies. A trial whose plugin changes one all the same
    fails.

    Attributes
    ----------
    real : DenseSamples
        The training tiles with their masks; tiles may overlap one another, never a test tile.
    class_names : tuple of str
        C names; id c is ``class_names[c - 1]``. A class may have no training pixel.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None where they are not known.
    gsd : float or None
        Ground sampling distance in metres per pixel, or None.
    units : str
        Units of the images.
    """

    real: DenseSamples
    class_names: tuple[str, ...]
    wavelengths: NDArray[np.float64] | None = None
    gsd: float | None = None
    units: str = "reflectance"
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _seals: Seals = field(default_factory=Seals, init=False, repr=False)

    def __post_init__(self) -> None:
        arrays: dict[str, Any] = {
            n: self._seals.add(f"real.{n}", a) for n, a in arrays_of(self.real).items()
        }
        object.__setattr__(self, "real", replace(self.real, **arrays))
        super().__post_init__()

    @property
    def bands(self) -> int:
        """Number of bands B."""
        return self.real.bands

    @property
    def dates(self) -> int:
        """Number of dates T."""
        return self.real.dates

    @property
    def patch(self) -> int:
        """Side of a tile in pixels; tiles are square."""
        return self.real.side[0]

    def nameless(self) -> DenseView:
        """The same tiles without a label."""
        return replace(self, real=replace(self.real, masks=np.full_like(self.real.masks, IGNORE)))

    @property
    def counts(self) -> Mapping[int, int]:
        """Pixels of each class id that has any; ignored ones do not count."""
        ids, counts = np.unique(self.real.masks, return_counts=True)
        return {int(c): int(n) for c, n in zip(ids, counts, strict=True) if c != IGNORE}
