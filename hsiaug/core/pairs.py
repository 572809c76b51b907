"""Data of the dense tasks: places, each an image of one date or two and a mask of all its
pixels.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.base.public import array_checksum
from hsiaug.core.scene import Scene

Side = Literal["train", "test", "any"]


@dataclass(frozen=True, eq=False)
class Place:
    """One area: what was seen there, and what each pixel is.

    Attributes
    ----------
    images : (T, B, H, W) float32
        In the set's units.
    mask : (H, W) int16
        Class ids 1..C; 0 = ignore.
    part : Side
        The side that the data's makers put it on; "any" where they put it on none.
    """

    name: str
    images: NDArray[np.float32]
    mask: NDArray[np.int16]
    part: Side = "any"


@dataclass(frozen=True, eq=False)
class PairSet:
    """Image–mask pairs of one sensor. Built by :func:`hsiaug.data.load_pairs`; arrays are
    read-only.

    Class id c is ``class_names[c - 1]``; for change detection the names are "unchanged" and
    "changed".

    Attributes
    ----------
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None where they are not known.
    gsd : float or None
        Ground sampling distance in metres per pixel, or None.
    units : str
        Units of the images.
    draws : str or None
        What random draws are seeded with; None = the checksum of the masks.

    Raises
    ------
    SceneError
        Where shapes do not fit one another, an image holds NaN or infinity, or a mask an
        unknown id.
    """

    name: str
    places: tuple[Place, ...]
    class_names: tuple[str, ...]
    wavelengths: NDArray[np.float64] | None = None
    gsd: float | None = None
    units: str = "reflectance"
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    draws: str | None = None

    def __post_init__(self) -> None:
        for place in self.places:
            _check(self, place)
            for array in (place.images, place.mask):
                array.flags.writeable = False

    @classmethod
    def of(cls, scene: Scene) -> "PairSet":
        """A hyperspectral scene as one place of one date."""
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
        """The set with empty masks: what a process that runs plugins keeps of it."""
        return replace(
            self, places=tuple(replace(p, mask=np.zeros_like(p.mask)) for p in self.places)
        )

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
    def flat_mask(self) -> NDArray[np.int16]:
        """The masks of all places in that order."""
        return np.concatenate([place.mask.ravel() for place in self.places])

    @cached_property
    def drawn_as(self) -> str:
        """Seed text of random draws: ``draws``, else the masks' checksum. Never the name; see
        :class:`Scene`.
        """
        return self.draws or f"masks {array_checksum(self.flat_mask, '<i2')[:16]}"

    @cached_property
    def sha256(self) -> str:
        """Checksum of the images and masks as they are used, whatever files they came from."""
        digest = hashlib.sha256()
        for place in self.places:
            digest.update(repr((place.name, place.part, place.images.shape)).encode())
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
        shapes = f"images {place.images.shape}, mask {place.mask.shape}, the first place {first}"
        hint = "Check that every place has the same dates and bands, and a mask of the same grid."
        raise SceneError(rule, value=shapes, hint=hint)
    if not np.isfinite(place.images).all():
        shapes = (
            f"NaN or infinity at {int((~np.isfinite(place.images)).any(axis=(0, 1)).sum())} pixels"
        )
        hint = "Fill these values, or give the pixels a fixed value and the mask's code for ignore."
        raise SceneError(f"{where}: images must hold finite numbers only", value=shapes, hint=hint)
    low, high = int(place.mask.min()), int(place.mask.max())
    if low < 0 or high > len(pairs.class_names):
        rule = f"{where}: mask ids must lie in 0..{len(pairs.class_names)} (0 = ignore)"
        raise SceneError(rule, value=f"{low}..{high}", hint="List the mask's codes in the card.")
