"""Files of public scenes, known by their bytes or by the values in them: what the catalogue says of
them need not be typed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import HsiaugError
from hsiaug.base.public_scenes import LABELS, array_checksum
from hsiaug.data.catalogue import files_of, find_entry, scene_names
from hsiaug.data.labels import class_map
from hsiaug.data.paths import checksum_of
from hsiaug.data.readers import read_cube_file, read_label_file

if TYPE_CHECKING:
    from hsiaug.data.adding import ImportOptions
    from hsiaug.data.cards import FileSpec, SceneCard
    from hsiaug.data.catalogue import SceneEntry


CLOSE = 1e-5
"""How far, as a share, a value may lie from that of the scene times a factor: that of float32."""
Known = Literal["", "values", "file"]
"""How a file is known: not at all, by the values in it, or as the very file of the scene."""


@dataclass(frozen=True)
class PublicFiles:
    """A public scene of which a cube, its labels or both are.

    Parameters
    ----------
    card : SceneCard
        What the catalogue says of the scene.
    cube, labels : {"", "values", "file"}
        Which of the two are the scene's own, and how that is known.
    factor : float
        What the values of the scene's cube are multiplied by to give those of the file.
    other : str
        Why the cube is not known where the labels are, in words.
    """

    card: SceneCard
    cube: Known
    labels: Known
    factor: float = 1.0
    other: str = ""

    @property
    def sentence(self) -> str:
        """Which scene the files are of, in words."""
        cube_and_labels = "the cube and the labels" if self.cube and self.labels else ""
        which = cube_and_labels or ("the cube" if self.cube else "the labels")
        verb = "this is" if self.cube and not self.labels else "these are"
        return f"{verb} {which} of {self.card.name} of the catalogue"

    @property
    def offer(self) -> str:
        """What can be taken over, in words."""
        named = [
            *(["class names"] if self.labels else []),
            *(["wavelengths"] if self.cube and _centres(self.card) else []),
            *(["scale"] if self.cube and self.card.cube.scale is not None else []),
        ]
        return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)

    @property
    def not_taken(self) -> str:
        """What of the scene cannot be taken over, and why, in words; empty where all can."""
        if not self.other:
            return ""
        return (
            f"wavelengths, useless bands, scale and units of {self.card.name} are not taken, but"
            f" read from the cube or guessed: {self.other}"
        )


def public_files(cube: Path, labels: Path) -> PublicFiles | None:
    """The public scene whose files these are, whatever they are called; None for any other.

    Parameters
    ----------
    cube, labels : Path
        The two files.

    Raises
    ------
    SceneError
        If one of them cannot be read.
    """
    digests = dict[Path, str]()
    values = _label_scene(labels)
    for entry in map(find_entry, scene_names()):
        card = entry.card
        if card.procedural:
            continue
        of_labels: Known = "values" if card.name == values else ""
        if _same(entry, card.labels, labels, digests):
            of_labels = "file"
        of_cube: Known = "file" if _same(entry, card.cube, cube, digests) else ""
        factor, other = 1.0, ""
        if of_labels and not of_cube:
            factor, other = _values_of(entry, cube)
            of_cube = "" if other else "values"
        if of_cube or of_labels:
            return PublicFiles(card, of_cube, of_labels, factor, other)
    return None


def _label_scene(path: Path) -> str | None:
    """The public scene whose labels a file holds under the codes of the catalogue, if any."""
    with suppress(HsiaugError):
        codes = read_label_file(path)
        for name in LABELS.values():
            spec = find_entry(name).card.labels
            with suppress(HsiaugError):
                if LABELS.get(array_checksum(class_map(codes, spec, where=name), "<i2")) == name:
                    return name
    return None


def _values_of(entry: SceneEntry, path: Path) -> tuple[float, str]:
    """By what the values of a scene's cube are multiplied in a file, and, where it holds others or
    nothing can be said, why it is not that cube.
    """
    name = entry.card.name
    own = next(iter(files_of(entry, entry.card.cube)), None)
    if own is None:
        return 1.0, f"its cube is not here to compare with (hsiaug datasets fetch {name})"
    try:
        first: AnyArray = read_cube_file(path).array
        second: AnyArray = read_cube_file(own, key=entry.card.cube.key).array
    except HsiaugError as error:
        return 1.0, f"the cubes cannot be compared: {error.rule}"
    if first.shape != second.shape:
        shapes = ("×".join(map(str, array.shape)) for array in (first, second))
        return 1.0, "the cube has {} values, that of the catalogue {}".format(*shapes)
    if factor := _factor(first, second):
        return factor, ""
    return 1.0, "the cube holds other values"


def _factor(first: AnyArray, second: AnyArray) -> float | None:
    """What each value of the second is multiplied by in the first; None where no number does it."""
    middle = len(first) // 2
    wanted, given = (float(np.sum(array[middle], dtype=np.float64)) for array in (first, second))
    if not given or not np.isfinite(wanted) or wanted / given <= 0:
        return None
    # What was multiplied by a number that people write.
    factor = float(f"{wanted / given:.5g}")
    for one, other in zip(first, second, strict=True):
        if not np.allclose(one, other * np.float64(factor), rtol=CLOSE, atol=0.0):
            return None
    return factor


def with_catalogue(options: ImportOptions, public: PublicFiles) -> ImportOptions:
    """Import options with what the catalogue says of the files; what is stated stays.

    Parameters
    ----------
    options : ImportOptions
        What the user stated.
    public : PublicFiles
        The scene whose files these are.
    """
    card = public.card
    stated = dict[str, object]()
    if public.cube:
        cube = card.cube
        scale = cube.scale
        if public.factor != 1:
            scale = float(f"{(1.0 if scale is None else scale) / public.factor:.10g}")
        stated |= {"scale": scale, "units": cube.units}
        stated["cube_key"] = cube.key if public.cube == "file" else None
        stated |= {"bad_bands": cube.bad_bands, "wavelengths": _centres(card)}
        stated["axes"] = cube.axes if cube.axes != "hwb" else None
    if public.labels:
        labels = card.labels
        in_order = sorted(zip(labels.codes, labels.names, strict=True))
        stated["labels_key"] = labels.key if public.labels == "file" else None
        stated["ignore"] = labels.ignore
        stated["classes"] = tuple(name for _, name in in_order)
    unstated: dict[str, Any] = {
        name: value
        for name, value in stated.items()
        if getattr(options, name) in (None, ()) and value not in (None, ())
    }
    return replace(options, **unstated)


def _same(entry: SceneEntry, spec: FileSpec, path: Path, digests: dict[Path, str]) -> bool:
    """Whether a file holds the very bytes of an array of a scene."""
    if spec.sha256 is None or not path.is_file():
        return False
    size = spec.size
    if size is None and spec.package:
        size = next((file.stat().st_size for file in files_of(entry, spec)), None)
    if size is not None and path.stat().st_size != size:
        return False
    if path not in digests:
        digests[path] = checksum_of(path)
    return digests[path] == spec.sha256


def _centres(card: SceneCard) -> tuple[float, ...]:
    """A band centre in nm for each band of the file; () where the catalogue knows none."""
    shape = card.cube.shape
    sensor = card.sensor
    dropped = card.cube.bad_bands
    centres = sensor.wavelengths or ()
    if sensor.range_nm and shape:
        first, last = sensor.range_nm
        centres = tuple(np.linspace(first, last, shape[2]).tolist())
    if not shape or len(centres) != shape[2] or not dropped:
        return centres
    remaining = iter(centres)
    bands = shape[2] + len(dropped)
    return tuple(float("nan") if band in dropped else next(remaining) for band in range(bands))
