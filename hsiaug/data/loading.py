"""Loading of a scene from its card: fetch what is missing, read, convert, check; of a cube that has
no card; and which public scene files are of, known by their bytes, or labels by their values.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hsiaug.base.arguments import AnyPath, Switch, checked
from hsiaug.base.arrays import Float32, Float64, mapped
from hsiaug.base.errors import DataUnavailableError, HsiaugError, SceneError
from hsiaug.core.scene import LABELS, Descriptions, Scene, UnlabelledScene, array_checksum
from hsiaug.data.catalogue import (
    SceneEntry,
    files_of,
    find_entry,
    find_file,
    missing_names,
    scene_names,
)
from hsiaug.data.cube_check import card_nodata, look_through, read_values
from hsiaug.data.georeference import Georeference, read_declared
from hsiaug.data.labels import class_map
from hsiaug.data.paths import checksum_of
from hsiaug.data.raw import Conversion, RawArray
from hsiaug.data.readers import (
    must_exist,
    read_cube_file,
    read_label_file,
    read_labels_array,
    void_codes,
)
from hsiaug.data.windows import cube_of

if TYPE_CHECKING:
    from hsiaug.data.cards import CubeSpec, FileSpec, SceneCard, SensorSpec

_hidden = False


def hide_labels() -> None:
    """Let this process load no scene and no pairs from now on: it runs plugins, which may see no
    test label.
    """
    global _hidden
    _hidden = True


def check_not_hidden() -> None:
    """Raise SceneError in a process that runs plugins."""
    if _hidden:
        raise SceneError(
            "a plugin may load no scene in a trial: that would show it the test labels",
            hint="Learn from the view that fit is given.",
        )


@checked
def load_scene(ref: AnyPath, *, progress: Switch = True) -> Scene:
    """Load a public scene, or one of your own.

    Files of public scenes that are not on this machine are downloaded first.

    Parameters
    ----------
    ref : str or path
        A name of the catalogue (``hsiaug datasets list``), or the path of a card (``.toml``).
    progress : bool, default True
        Whether a download prints its progress to standard error.

    Returns
    -------
    Scene
        ``cube`` is (H, W, B) float32; ``labels`` is (H, W) int16 with 0 = unlabelled.

    Raises
    ------
    InputError
        If the name is unknown.
    DataUnavailableError
        If files are missing and cannot be downloaded.
    SceneError
        If a card or a file is not valid, and in a process that runs plugins of trials.

    See Also
    --------
    add_scene : make a scene from your own files or arrays.
    split : divide its labelled pixels.

    Examples
    --------
    >>> import hsiaug
    >>> scene = hsiaug.load_scene("toy")
    >>> scene.cube.shape[:2] == scene.labels.shape
    True
    """
    check_not_hidden()
    entry = find_entry(ref)
    card = entry.card
    if card.procedural:
        from hsiaug.data.toy import toy_scene

        height, width, bands = card.cube.shape or (48, 48, 20)
        scene = toy_scene(0, height, width, bands, len(card.labels.names), card.relief)
        return replace(scene, name=card.name, draws=card.name)
    cube_path, label_path = _fetch(entry, progress)
    raw = read_cube_file(cube_path, key=card.cube.key, data=card.cube.data)
    sheet = read_labels_array(label_path, key=card.labels.key, data=card.labels.data)
    codes = sheet.array
    void = void_codes(sheet, card.labels.codes)
    if card.labels.axes == "wh":
        codes = codes.T
        void = void.T
    return Scene(
        name=card.name,
        cube=_cube(raw, card.cube, card.name),
        labels=class_map(
            codes, card.labels, where=f"scene {card.name}: {label_path.name}", void=void
        ),
        class_names=tuple(name for name, _ in card.labels.named_codes),
        wavelengths=_wavelengths(raw, card.cube, card.name, card.sensor),
        gsd=card.sensor.gsd,
        units=card.cube.units,
        subsets=card.subset_ids,
        descriptions=card.kept_descriptions,
        draws=card.draws or (card.name if entry.public else None),
    )


def fetch_scene(ref: str | os.PathLike[str], *, progress: bool = True) -> tuple[Path, ...]:
    """Download the missing files of a scene. Returns the paths of all its files, with their
    checksums verified.

    Raises as :func:`load_scene` does.
    """
    return _fetch(find_entry(ref), progress)


def _fetch(entry: SceneEntry, progress: bool) -> tuple[Path, ...]:
    specs = entry.card.files
    absent = [spec for spec in specs if not spec.package and missing_names(entry, spec)]
    by_hand = [name for spec in absent if not spec.urls for name in missing_names(entry, spec)]
    if by_hand:
        if len(entry.folders) == 1:
            must_exist(entry.folders[0] / by_hand[0])
        source = f" from {entry.card.homepage}" if entry.card.homepage else ""
        raise DataUnavailableError(
            f"scene {entry.card.name} cannot be downloaded automatically",
            value=f"no {', '.join(by_hand)}",
            hint=f"Get the files{source} and put them into {entry.folders[0]}.",
        )
    if absent:
        from hsiaug.data.catalogue import download

        targets = [(spec, entry.folders[0] / (spec.file or "")) for spec in absent]
        download(targets, f"scene {entry.card.name}", progress=progress)
    # A file that is taken away meanwhile is missed where it is read.
    return tuple(find_file(entry, spec) or entry.folders[0] / (spec.file or "") for spec in specs)


def _cube(raw: RawArray, spec: CubeSpec, scene: str) -> Float32:
    """(H, W, B), as the card says. Raises SceneError where the card does not fit the file."""
    view = np.transpose(raw.array, [spec.axes.index(axis) for axis in "hwb"])
    for axis, span, name in ((0, spec.rows, "rows"), (1, spec.columns, "columns")):
        if span and span[1] > view.shape[axis]:
            raise SceneError(
                f"scene {scene}: cube.{name} must lie inside the file's {view.shape[axis]} {name}",
                value=f"{list(span)}",
                hint=f"Correct cube.{name} in the card, or use the uncropped file.",
            )
    rows, columns = (slice(*(span or (None,))) for span in (spec.rows, spec.columns))
    view = view[rows, columns]
    bands = _kept_bands(view.shape[2], spec, scene)
    shape = (*view.shape[:2], len(bands))
    if spec.shape is not None and shape != spec.shape:
        raise SceneError(
            f"scene {scene}: the cube must have shape {spec.shape}, as its card says",
            value=f"{shape}",
            hint="Check that this is the file the card was written for, and cube.axes.",
        )
    # As the card says, else as the file does.
    stated = raw if spec.scale is None and spec.offset == 0 else spec
    change = Conversion(
        None if len(bands) == view.shape[2] else bands,
        stated.scale,
        stated.offset,
        raw.nodata if spec.nodata is None else spec.nodata,
    )
    cube = cube_of(view, f"scene {scene}", change)
    if (void := raw.void(spec.axes)) is not None:
        cube[void[rows, columns]] = 0  # of a TIFF, which is never read where it lies
    return mapped(cube) if isinstance(cube, np.ndarray) else cube


def _kept_bands(count: int, spec: CubeSpec, scene: str) -> list[int]:
    beyond = [band for band in spec.bad_bands if band >= count]
    if beyond or len(set(spec.bad_bands)) == count:
        raise SceneError(
            f"scene {scene}: cube.bad_bands must be some of the file's bands 0..{count - 1}",
            value=f"{beyond or 'all of them'}",
            hint="Bands are counted from 0; correct cube.bad_bands or cube.axes in the card.",
        )
    bad = set(spec.bad_bands)
    return [band for band in range(count) if band not in bad]


def _wavelengths(
    raw: RawArray, spec: CubeSpec, scene: str, sensor: SensorSpec | None = None
) -> Float64 | None:
    """(B,) float64 in nm: from the card if it says, else from the file; None where that of a kept
    band is not known.
    """
    total = raw.array.shape[spec.axes.index("b")]
    listed = raw.wavelengths
    if sensor is not None and sensor.range_nm is not None:
        first, last = sensor.range_nm
        listed = np.linspace(first, last, total)
    if sensor is not None and sensor.wavelengths is not None:
        listed = np.array(sensor.wavelengths, dtype=np.float64)
    if listed is not None and len(listed) == total:
        listed = np.take(listed, _kept_bands(total, spec, scene))
    return None if listed is None or np.isnan(listed).any() else listed


def bare_scene(path: Path) -> tuple[UnlabelledScene, Georeference | None, dict[str, str]]:
    """The cube of a file (axes: height, width, bands) as 'hsiaug datasets add' would read it
    without any setting, its place on Earth, and what is a guess, by key of the card. It has no
    class.

    Raises SceneError where the file is missing or damaged.
    """
    from hsiaug.data.cards import CubeSpec

    must_exist(path)
    ground = read_declared(path).ground
    raw = read_cube_file(path)
    facts = look_through(raw.array, raw.nodata, raw.bad_bands, str(path), raw.void())
    values = read_values(raw, facts, None, None, ())
    spec = CubeSpec(
        bad_bands=values.bad_bands,
        nodata=card_nodata(facts, raw.nodata),
        scale=values.scale,
        units=values.units,
    )
    scene = UnlabelledScene(
        _cube(raw, spec, str(path)),
        (),
        _wavelengths(raw, spec, str(path)),
        None if ground is None else ground.metres,
        spec.units,
        Descriptions({}),
    )
    return scene, ground, values.remarks


class PublicFiles(NamedTuple):
    """The card of a public scene, and which of two files are the scene's own."""

    card: SceneCard
    cube: bool
    labels: bool

    @property
    def sentence(self) -> str:
        """Which scene the files are of, in words."""
        parts = ["the cube"] * self.cube + ["the labels"] * self.labels
        verb = "this is" if parts == ["the cube"] else "these are"
        return f"{verb} {' and '.join(parts)} of {self.card.name} of the catalogue"


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
    name_of_labels = _label_scene(labels)
    for entry in map(find_entry, scene_names()):
        card = entry.card
        if card.procedural:
            continue
        of_cube = _same(entry, card.cube, cube)
        of_labels = card.name == name_of_labels or _same(entry, card.labels, labels)
        if of_cube or of_labels:
            return PublicFiles(card, of_cube, of_labels)
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


def _same(entry: SceneEntry, spec: FileSpec, path: Path) -> bool:
    """Whether a file holds the very bytes of an array of a scene."""
    if spec.sha256 is None or not path.is_file():
        return False
    size = spec.size
    if size is None and spec.package:
        size = next((file.stat().st_size for file in files_of(entry, spec)), None)
    if size is not None and path.stat().st_size != size:
        return False
    return checksum_of(path) == spec.sha256
