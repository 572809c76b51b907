"""Tiles of one or two dates, with a mask that labels every pixel: the samples of dense tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Float32, Float64, Int64
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
        In the units of the data; T = 1 date for segmentation, 2 for change detection.

    See Also
    --------
    DenseSamples : tiles with masks.
    """

    images: Float32

    def __post_init__(self) -> None:
        if self.images.ndim != 5 or self.images.shape[1] not in (1, 2):
            rule = (
                "tiles must have images of shape (n, dates, bands, height, width), with one date"
                " or two"
            )
            raise PluginError(
                rule,
                value=str(self.images.shape),
                hint="Keep the date before the bands, also where there is one only.",
            )

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
    def values(self) -> Float32:
        """The array of spectra, whatever it is called."""
        return self.images

    def without_labels(self) -> Tiles:
        """The tiles alone, as a classifier gets them."""
        return Tiles(self.images)

    @property
    def spectra(self) -> Float32:
        """(n, H, W, T·B): the spectra of each pixel, one date after the other."""
        return self.images.reshape(len(self), self.dates * self.bands, *self.side).transpose(
            0, 2, 3, 1
        )


@dataclass(frozen=True, eq=False, repr=False)
class DenseSamples(Tiles):
    """Tiles with their masks, real or synthetic.

    Attributes
    ----------
    images : (n, T, B, H, W) float32
        In the units of the data; T = 1 date for segmentation, 2 for change detection.
    masks : (n, H, W) int64
        Class ids 1..C; 0 = ignore. For change detection 1 = unchanged, 2 = changed.
    synthetic : (n,) bool
        Whether a tile is synthetic.
    weight : (n,) float32
        Sample weights; 1 for real samples.
    confidence : (n, H, W) float32 or None
        Confidence of the generator in the label of each pixel, 0..1; None if it gives none.
    provenance : mapping of str to object
        JSON-able facts about how synthetic samples were made; they are stored in the record.

    See Also
    --------
    PatchSamples : the same for single pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import DenseSamples
    >>> images = np.zeros((2, 1, 4, 8, 8), dtype=np.float32)  # two tiles, one date, four bands
    >>> pairs = DenseSamples.made(images, np.ones((2, 8, 8), dtype=np.int64))
    >>> pairs.bands, pairs.synthetic.tolist()
    (4, [True, True])
    """

    masks: Int64
    synthetic: Bools
    weight: Float32
    confidence: Float32 | None = None
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
                hint = (
                    "Return one mask of the tile's height and width per tile, and one entry of all"
                    " else."
                )
                raise PluginError(
                    f"samples need {name} of shape {shape}",
                    value=str(getattr(self, name).shape),
                    hint=hint,
                )

    @property
    def labels(self) -> Int64:
        """Class ids as they are predicted."""
        return self.masks

    def to_torch(self) -> TensorDataset:
        """A torch Dataset of copies: image (B, H, W), or (2, B, H, W) of two dates, and mask (H, W)
        of each pair.

        Masks have class indices 0..C-1, and -100, which torch's losses ignore, for pixels without a
        label.
        """
        images = self.images[:, 0] if self.dates == 1 else self.images
        return torch_dataset(images, np.where(self.masks == IGNORE, -100, self.masks - 1))

    @classmethod
    def made(
        cls,
        images: Float32,
        masks: AnyArray,
        *,
        confidence: Float32 | None = None,
        provenance: Mapping[str, object] | None = None,
    ) -> DenseSamples:
        """Synthetic samples, with weight 1.

        Parameters
        ----------
        images : (n, T, B, H, W) float32
            In the units of the data.
        masks : (n, H, W) integers
            Class ids 1..C; 0 = ignore.
        confidence : (n, H, W) float32 or None
            Confidence in the label of each pixel, 0..1.
        provenance : mapping of str to object or None
            JSON-able facts about how they were made, for the record.

        Returns
        -------
        DenseSamples
            With ``synthetic`` True and ``weight`` 1.
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
    """How many image–mask pairs a generator has to make.

    Attributes
    ----------
    total : int
        All pairs.
    by_class : mapping of int to int
        How many of these must show each class id, on any number of pixels; a pair counts for one
        class, whatever else it shows. The remaining pairs may show any classes.

    See Also
    --------
    PairGenerator : its fitted generators get such counts.

    Examples
    --------
    >>> from hsiaug.api import PairCounts
    >>> PairCounts(5, {2: 3}).total  # five pairs, three of which must show class 2
    5
    """

    total: int
    by_class: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.by_class.values(), default=0) < 0 or sum(self.by_class.values()) > self.total:
            raise PluginError(
                "the pairs that are asked for by class must be part of all that are asked for",
                value=f"{dict(self.by_class)} of {self.total}",
                hint="total must be at least the sum of by_class.",
            )

    def parts(self) -> Iterator[tuple[int | None, int]]:
        """Pairs of (class id, number), None for pairs that may show any classes, which come first;
        numbers are never zero.
        """
        free = self.total - sum(self.by_class.values())
        yield from ((c, n) for c, n in ((None, free), *self.by_class.items()) if n)


@dataclass(frozen=True, eq=False)
class DenseView(SealedView):
    """The training tiles of a split, as a plugin for masks gets them. It contains no pixel of a
    test tile.

    Arrays are read-only: compute on copies. A trial fails if its plugin changes one.

    Attributes
    ----------
    real : DenseSamples
        The training tiles with their masks; tiles may overlap one another, never a test tile.
    class_names : tuple of str
        C names; id c is ``class_names[c - 1]``. A class may have no training pixel.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None if unknown.
    gsd : float or None
        Ground sampling distance in metres per pixel, or None.
    units : str
        Units of the images.
    descriptions : mapping of str to tuple of str
        Sentences that describe the classes, by class name; a class may have none.

    See Also
    --------
    TrainView : the same for single pixels.
    """

    real: DenseSamples
    class_names: tuple[str, ...]
    wavelengths: Float64 | None = None
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
        """Pixels by class id, for classes that have any; ignored pixels do not count."""
        ids, counts = np.unique(self.real.masks, return_counts=True)
        return {int(c): int(n) for c, n in zip(ids, counts, strict=True) if c != IGNORE}
