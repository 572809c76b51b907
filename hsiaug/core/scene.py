"""A hyperspectral scene: its cube, its labels, and what is known of its bands."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Bools, Float32, Float64, Int16, Int32, Int64, class_counts
from hsiaug.base.errors import SceneError, did_you_mean, need
from hsiaug.base.text import some_of
from hsiaug.core.fields import label_fields
from hsiaug.core.read_only import seal

if TYPE_CHECKING:
    from xarray import Dataset

Scalar = TypeVar("Scalar", bound=np.generic)
Cubed = TypeVar("Cubed", bound="HasCube")


class Descriptions(Mapping[str, tuple[str, ...]]):
    """Sentences by class name. Immutable; unlike ``types.MappingProxyType`` it can be sent to
    another process.
    """

    __slots__ = ("_pairs",)

    def __init__(self, sentences: Mapping[str, tuple[str, ...]]) -> None:
        self._pairs = tuple((name, tuple(listed)) for name, listed in sentences.items())

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return dict(self._pairs)[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"Descriptions({dict(self._pairs)!r})"


class HasCube:
    """What has a cube (H, W, B), which may be too large to be held."""

    @property
    def pixels(self) -> Float32:
        """The cube, or what reads its file where it is indexed, in place of an array: see
        :mod:`hsiaug.data.windows`.
        """
        return cast(Float32, vars(self)["cube"])

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def bands(self) -> int:
        """Number of bands B."""
        return int(self.pixels.shape[2])


def cube_when_asked(kind: type[Cubed]) -> type[Cubed]:
    """Class decorator of a dataclass whose ``cube`` may be given as a reader of a file: it is read
    into an array on first access.
    """

    def cube(self: Any) -> Float32:
        if not isinstance(pixels := self.pixels, np.ndarray):
            keep = self._seals.add if hasattr(self, "_seals") else lambda name, array: seal(array)
            pixels = vars(self)["cube"] = keep("cube", np.asarray(pixels))
        return cast(Float32, pixels)

    # A dataclass would take a property in its body for the field's default.
    kind.cube = property(cube, lambda self, cube: vars(self).update(cube=cube))  # type: ignore[attr-defined]
    return kind


def row_parts(shape: tuple[int, ...], values: int = 2**22) -> Iterator[slice]:
    """Slices of rows of a cube (H, W, B) with a limited number of values each, for processing in
    parts.
    """
    step = max(1, values // max(1, math.prod(shape[1:])))
    return (slice(top, top + step) for top in range(0, shape[0], step))


@cube_when_asked
@dataclass(frozen=True, eq=False)
class Scene(HasCube):
    """A cube with labelled pixels; arrays are read-only.

    Attributes
    ----------
    name : str
        Short name, as users type it.
    cube : (H, W, B) float32
        In ``units``.
    labels : (H, W) int16
        0 = unlabelled, 1..C = class ids.
    class_names : tuple of str
        C names; class id c is ``class_names[c - 1]``.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None if unknown.
    gsd : float or None
        Ground sampling distance in metres per pixel, or None.
    units : str
        Meaning of a value of the cube ("reflectance", "scaled radiance"...).
    subsets : mapping of str to tuple of int
        Named groups of class ids over which reports average in addition to all classes.
    descriptions : mapping of str to tuple of str
        Sentences by class name, for generators that read text; a class may have none. They do not
        enter ``sha256``.
    draws : str or None
        Seed of random splits; None = derived from the labels.

    Raises
    ------
    SceneError
        If shapes do not match, the cube contains NaN or infinity, a label has no name, or a
        description is empty or of no class.

    See Also
    --------
    hsiaug.load_scene, hsiaug.add_scene : make scenes.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import Scene
    >>> labels = np.array([[0, 1], [2, 2]], dtype=np.int16)
    >>> scene = Scene("farm", np.ones((2, 2, 20), dtype=np.float32), labels, ("wheat", "rye"))
    >>> scene.class_counts.tolist()
    [1, 2]
    """

    seed_word: ClassVar[str] = "split"
    """The first word of the seeds of splits of scenes."""

    name: str
    cube: Float32
    labels: Int16
    class_names: tuple[str, ...]
    wavelengths: Float64 | None = None
    gsd: float | None = None
    units: str = "reflectance"
    subsets: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    draws: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.pixels, np.ndarray):
            object.__setattr__(self, "cube", _freeze(self.pixels, np.float32))
        object.__setattr__(self, "labels", _freeze(self.labels, np.int16))
        _check_shapes(self)
        _check_values(self)
        _check_labels(self)
        _check_descriptions(self)
        object.__setattr__(self, "descriptions", Descriptions(self.descriptions))

    def __repr__(self) -> str:
        """Name and sizes, in place of arrays."""
        height, width = self.shape[:2]
        return (
            f"Scene({self.name!r}, {height}×{width} pixels, {self.bands} bands,"
            f" {len(self.class_names)} classes, {int(self.class_counts.sum()):,} labelled pixels)"
        )

    @property
    def unlabelled(self) -> UnlabelledScene:
        """The scene without any label."""
        return UnlabelledScene(
            self.pixels, self.class_names, self.wavelengths, self.gsd, self.units, self.descriptions
        )

    @property
    def class_ids(self) -> range:
        """Class ids 1..C."""
        return range(1, len(self.class_names) + 1)

    @property
    def class_counts(self) -> Int64:
        """(C,) int64: labelled pixels of class ids 1..C."""
        return np.array(class_counts(self.labels, len(self.class_names)))

    def to_xarray(self) -> Dataset:
        """An xarray.Dataset: ``cube`` (y, x, wavelength), wavelengths in nm, and ``labels`` (y, x)
        with ``class_names``.

        Without wavelengths the bands are the dimension ``band``. Raises DataUnavailableError if
        xarray is not installed.
        """
        need("to_xarray", "xarray", "xarray")
        from xarray import Dataset

        dim = "band" if self.wavelengths is None else "wavelength"
        facts = {
            "name": self.name,
            "units": self.units,
            "class_names": list(self.class_names),
            "gsd": self.gsd,
        }
        dataset = Dataset(
            {"cube": (("y", "x", dim), self.cube), "labels": (("y", "x"), self.labels)},
            attrs={key: value for key, value in facts.items() if value is not None},
        )
        if self.wavelengths is None:
            return dataset
        return dataset.assign_coords(wavelength=(dim, self.wavelengths, {"units": "nm"}))

    @cached_property
    def fields(self) -> Int32:
        """(H, W) int32 field of each labelled pixel, 0 = unlabelled: see
        :func:`hsiaug.core.fields.label_fields`.
        """
        return label_fields(self.labels)

    @cached_property
    def drawn_as(self) -> str:
        """Seed text of random draws: never the name, or the same labels renamed would be split
        otherwise.

        ``draws`` where it is given, else the public scene that has these labels, else their
        checksum.
        """
        return self.drawn_within(np.ones(self.shape, dtype=bool))

    def drawn_within(self, mask: Bools) -> str:
        """The same for splits of the pixels in a mask (H, W). Labels outside it, such as those of
        test pixels, are not read.
        """
        checksum = array_checksum(np.where(mask, self.labels, 0), "<i2")
        return self._named_draws or f"labels {checksum[:16]}"

    @cached_property
    def _named_draws(self) -> str | None:
        return self.draws or LABELS.get(array_checksum(self.labels, "<i2"))

    @cached_property
    def sha256(self) -> str:
        """Checksum of the cube and the labels as they are used, whatever files they came from."""
        digest = hashlib.sha256(repr((self.pixels.shape, self.labels.shape)).encode())
        for rows in row_parts(self.pixels.shape):
            digest.update(np.ascontiguousarray(self.pixels[rows]).data)
        digest.update(self.labels.data)
        return digest.hexdigest()


@cube_when_asked
@dataclass(frozen=True, eq=False)
class UnlabelledScene(HasCube):
    """The part of a scene that is kept by a process that runs plugins; fields as those of
    :class:`Scene`.
    """

    cube: Float32
    class_names: tuple[str, ...]
    wavelengths: Float64 | None
    gsd: float | None
    units: str
    descriptions: Mapping[str, tuple[str, ...]]


def _freeze(array: AnyArray, dtype: type[Scalar]) -> NDArray[Scalar]:
    frozen = np.ascontiguousarray(array, dtype=dtype).view()
    frozen.flags.writeable = False
    return frozen


def _check_shapes(scene: Scene) -> None:
    cube = scene.pixels.shape
    waves = cube[-1] if scene.wavelengths is None else len(scene.wavelengths)
    if len(cube) != 3 or 0 in cube or scene.labels.shape != cube[:2] or waves != cube[2]:
        raise SceneError(
            f"scene {scene.name}: the cube must be (height, width, bands), with labels of its"
            " height and width, and one wavelength for each band",
            value=f"cube {cube}, labels {scene.labels.shape}, {waves} wavelengths",
            hint=(
                "Check that all are of one scene, and name the right arrays in the card; cube.axes"
                " says their order."
            ),
        )


def _check_values(scene: Scene) -> None:
    bad = np.zeros(scene.bands, dtype=bool)
    bad_pixels = 0
    for rows in row_parts(scene.pixels.shape):
        if not (finite := np.isfinite(scene.pixels[rows])).all():
            bad = bad | ~finite.all(axis=(0, 1))
            bad_pixels += int((~finite.all(axis=2)).sum())
    if not bad_pixels:
        return
    bad_bands = np.flatnonzero(bad)
    listed = some_of([str(band) for band in bad_bands], 10)
    places = (
        f"NaN or infinity at {bad_pixels} pixels, in {len(bad_bands)} bands (counted from 0:"
        f" {listed})"
    )
    hint = (
        "Say cube.nodata = nan in the card, which makes these pixels 0, or drop the bands with"
        " cube.bad_bands."
    )
    raise SceneError(
        f"scene {scene.name}: the cube must hold finite numbers only", value=places, hint=hint
    )


def _check_labels(scene: Scene) -> None:
    low, high = int(scene.labels.min()), int(scene.labels.max())
    if low < 0 or high > len(scene.class_names):
        rule = (
            f"scene {scene.name}: labels must lie in 0..{len(scene.class_names)} (0 = unlabelled)"
        )
        hint = "Name every class in labels.names of the card, or map the codes with labels.ids."
        raise SceneError(rule, value=f"{low}..{high}", hint=hint)
    if np.count_nonzero(scene.class_counts) < 2:
        rule = f"scene {scene.name}: at least two classes must have labelled pixels"
        hint = "Check the label file and labels.ids in the card."
        raise SceneError(rule, value=f"{np.count_nonzero(scene.class_counts)}", hint=hint)


def _check_descriptions(scene: Scene) -> None:
    for name, sentences in scene.descriptions.items():
        of_class = name in scene.class_names
        if not of_class or not sentences or not all(sentence.strip() for sentence in sentences):
            rule = (
                f"scene {scene.name}: descriptions must be of its classes, with sentences of which"
                " none is empty"
            )
            hint = "Write one." if of_class else did_you_mean(name, scene.class_names)
            raise SceneError(rule, value=f"{list(sentences)} for {name}", hint=hint)


STRIPE = 16
"""Rows converted at once, so that no second full-size array exists."""


def array_checksum(array: NDArray[np.generic], dtype: str) -> str:
    """SHA-256 of an array's shape and of its values as ``dtype`` ("<f4", "<i2"), row by row."""
    stripes = (array[top : top + STRIPE] for top in range(0, len(array), STRIPE))
    return checksum_of_parts(array.shape, stripes, dtype)


def checksum_of_parts(
    shape: tuple[int, ...], parts: Iterable[NDArray[np.generic]], dtype: str
) -> str:
    """That of :func:`array_checksum` of an array that is not made for it.

    Parameters
    ----------
    shape : tuple of int
        Of the array.
    parts : iterable of array
        Its values in order, some after the other.
    dtype : str
        As what they are counted, such as "<i2".
    """
    digest = hashlib.sha256(repr(shape).encode())
    for part in parts:
        digest.update(np.ascontiguousarray(part, dtype=dtype).data)
    return digest.hexdigest()


LABELS: Mapping[str, str] = {
    "6f8e539794a4f2172c4deeb7cc1141bc4eabe697e589382649ecdf3bc7e8b615": "botswana",
    "ff7af1e743612bcae852f0d84810efda1d420c627e1172321781828de199b315": "indian_pines",
    "5340f7fe3ff6cf0c37f6e0705982cc6579f3aa08fa11d80852d52506c6ac938f": "hills",
    "343bdb113412a9aa059edebdd9206f3caf04eed6de62f05fd8e29ed33e5e7bee": "ksc",
    "934b0068c5a1aed9448f3158ad21ea543a13baad18fb05a1ce4f52c3ef6d8e9c": "pavia_centre",
    "a40f13cb1efcb534da5578839ca39664a0c366fabe8217fe62ef2b2bf11de2c0": "pavia_university",
    "75fa6eccb02e589f7be1969d84342eb8af9f888104982c1d740a34445c56fe07": "salinas",
    "14f0ec364f0b87b6af8f03412a4db602559db86638b6212ab0a43c9f4f63173c": "toy",
}
"""Scene by the checksum of its labels: (H, W) class ids 1..C as "<i2". Not known of houston_2018
and salinas_a.
"""
