"""Data of the dense tasks: places, each an image of one date or two and a mask of all its
pixels.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal

import numpy as np

from hsiaug.base.arrays import Float32, Float64, Int16, Int64, class_counts
from hsiaug.base.errors import SceneError
from hsiaug.core.scene import Scene, checksum_of_parts

Side = Literal["train", "test", "any"]
DATES = {"segmentation": 1, "change": 2}
"""Images of a place, by the task of a set."""


class StoredImages:
    """(T, B, H, W) float32 that stays in its files, and is read when it is indexed.

    Parameters
    ----------
    shape : tuple of int
        (T, B, H, W).
    read : callable
        Gives the array; it is sent to other processes.
    files_sha256 : str
        Checksum of the files that it is read from.
    """

    dtype = np.dtype(np.float32)
    ndim = 4

    def __init__(
        self,
        shape: tuple[int, ...],
        read: Callable[[], Float32],
        files_sha256: str,
    ) -> None:
        self.shape = shape
        self.read = read
        self.files_sha256 = files_sha256

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __getitem__(self, key: Any) -> Float32:
        part: Float32 = _latest(self)[key]
        return part

    def __array__(self, dtype: object = None, copy: bool | None = None) -> Float32:
        return _latest(self).copy()


@lru_cache(maxsize=1)
def _latest(images: StoredImages) -> Float32:
    """The images of one place: its tiles are cut one after the other."""
    return images.read()


@dataclass(frozen=True, eq=False)
class Place:
    """One area: what was seen there, and what each pixel is.

    Attributes
    ----------
    images : (T, B, H, W) float32
        In the set's units; of a large set :class:`StoredImages`, which are indexed as an array is.
    mask : (H, W) int16
        Class ids 1..C; 0 = ignore.
    part : Side
        The side that the data's makers put it on; "any" where they put it on none.
    """

    name: str
    images: Float32
    mask: Int16
    part: Side = "any"


@dataclass(frozen=True, eq=False)
class PairSet:
    """Image–mask pairs of one sensor; arrays are read-only.

    For change detection, images have two dates and the classes are "unchanged" and "changed".

    Attributes
    ----------
    name : str
        Name of the set.
    places : tuple of Place
        The areas, each with images of one date or two and a mask.
    class_names : tuple of str
        C names; id c is ``class_names[c - 1]``.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None if unknown.
    gsd : float or None
        Ground sampling distance in metres per pixel, or None.
    units : str
        Units of the images.
    descriptions : mapping of str to tuple of str
        Sentences that describe the classes, by class name.
    draws : str or None
        Seed of random splits; None = the checksum of the masks.
    tile : int or None
        Side in pixels of the tiles of the set, if it consists of tiles.
    train_tiles : int or None
        Default number of training tiles per split; None = all.
    notes : tuple of str
        Sentences on places that were left out, for the audit.

    Raises
    ------
    SceneError
        If shapes do not match, an image contains NaN or infinity, or a mask an unknown id.

    See Also
    --------
    Scene : a scene with labelled pixels.
    """

    seed_word: ClassVar[str] = "tiles"
    """The first word of the seeds of splits of pairs."""

    name: str
    places: tuple[Place, ...]
    class_names: tuple[str, ...]
    wavelengths: Float64 | None = None
    gsd: float | None = None
    units: str = "reflectance"
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    draws: str | None = None
    tile: int | None = None
    train_tiles: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for place in self.places:
            _check(self, place)
            for array in (place.images, place.mask):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False

    @classmethod
    def of(cls, scene: Scene) -> "PairSet":
        """A hyperspectral scene as one place at one date."""
        images = np.ascontiguousarray(scene.cube.transpose(2, 0, 1))[None]
        place = Place(scene.name, images, scene.labels.copy())
        return cls(
            scene.name,
            (place,),
            scene.class_names,
            scene.wavelengths,
            scene.gsd,
            scene.units,
            scene.descriptions,
            scene.drawn_as,
        )

    @property
    def unlabelled(self) -> "PairSet":
        """The set with empty masks, for processes that run plugins."""
        # One mask for all places of a size: a set may have tens of thousands.
        shapes = {place.mask.shape for place in self.places}
        empty = {shape: np.zeros(shape, dtype=np.int16) for shape in shapes}
        return replace(
            self, places=tuple(replace(p, mask=empty[p.mask.shape]) for p in self.places)
        )

    @property
    def in_files(self) -> bool:
        """Whether images are read when they are needed."""
        return isinstance(self.places[0].images, StoredImages)

    @property
    def dates(self) -> int:
        """Number of dates T."""
        return int(self.places[0].images.shape[0])

    @property
    def bands(self) -> int:
        """Number of bands B."""
        return int(self.places[0].images.shape[1])

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """First index of each place in the flat order that predictions are kept in: place by place,
        row by row.
        """
        sizes = [place.mask.size for place in self.places]
        return tuple(int(n) for n in np.cumsum([0, *sizes[:-1]]))

    @cached_property
    def class_counts(self) -> tuple[int, ...]:
        """Pixels of each class, 1 to C."""
        return tuple(self.counts_by_place.sum(axis=0).tolist())

    @cached_property
    def counts_by_place(self) -> Int64:
        """(places, C): pixels of each class, 1 to C, in each place."""
        classes = len(self.class_names)
        counts = [class_counts(place.mask, classes) for place in self.places]
        return np.array(counts, dtype=np.int64).reshape(len(self.places), classes)

    @cached_property
    def drawn_as(self) -> str:
        """Seed text of random draws: ``draws``, else the masks' checksum. Never the name; see
        :class:`Scene`.
        """
        return self.draws or f"masks {self._masks_checksum()[:16]}"

    def _masks_checksum(self) -> str:
        """Checksum of the masks of all places as one array, pixel by pixel in the flat order."""
        masks = [place.mask for place in self.places]
        return checksum_of_parts((sum(mask.size for mask in masks),), masks, "<i2")

    @cached_property
    def sha256(self) -> str:
        """Checksum of the images and masks as they are used, whatever files they came from; of
        images that stay in their files that of the files.
        """
        digest = hashlib.sha256()
        for place in self.places:
            digest.update(repr((place.name, place.part, place.images.shape)).encode())
            if isinstance(place.images, StoredImages):
                digest.update(place.images.files_sha256.encode())
            else:
                digest.update(np.ascontiguousarray(place.images).data)
            digest.update(np.ascontiguousarray(place.mask).data)
        return digest.hexdigest()


def _check(pairs: PairSet, place: Place) -> None:
    where = f"{pairs.name}: {place.name}"
    first = pairs.places[0].images.shape[:2]
    if (
        place.images.ndim != 4
        or place.images.shape[:2] != first
        or place.images.shape[2:] != place.mask.shape
    ):
        rule = (
            f"{where}: images must be (dates, bands, height, width) as in the other places, and the"
            " mask their size"
        )
        hint = "Check that every place has the same dates and bands, and a mask of the same grid."
        raise SceneError(
            rule,
            value=f"images {place.images.shape}, mask {place.mask.shape}, the first place {first}",
            hint=hint,
        )
    if not isinstance(place.images, StoredImages):
        check_finite_images(place.images, where)
    low, high = int(place.mask.min()), int(place.mask.max())
    if low < 0 or high > len(pairs.class_names):
        raise SceneError(
            f"{where}: mask ids must lie in 0..{len(pairs.class_names)} (0 = ignore)",
            value=f"{low}..{high}",
            hint="List the mask's codes in the card.",
        )


def check_finite_images(images: Float32, where: str) -> None:
    """Refuse images that hold NaN or infinity.

    Parameters
    ----------
    images : (T, B, H, W) float32
        Of one place.
    where : str
        Set and place, for the error.

    Raises
    ------
    SceneError
        With the number of pixels that do.
    """
    finite = np.isfinite(images)
    if finite.all():
        return
    raise SceneError(
        f"{where}: images must hold finite numbers only",
        value=f"NaN or infinity at {int((~finite).any(axis=(0, 1)).sum())} pixels",
        hint="Fill these values, or give the pixels a fixed value and the mask's code for ignore.",
    )
