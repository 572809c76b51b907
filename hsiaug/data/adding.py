"""Import of somebody's own scene: look at all its files, write what was understood to a card, prove
it.

What is derived (labels that were no raster on the cube's grid) is written beside the card. All
files appear together or not at all.
"""

import filecmp
import os
import re
import shlex
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from hsiaug.base.errors import HsiaugError, InputError, SceneError
from hsiaug.base.files import check_target, file_errors, remove, sync_file
from hsiaug.base.marks import save_marked_array
from hsiaug.base.text import in_runs, setting, visible
from hsiaug.core.scene import Scene
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.data.cards import SceneCard
from hsiaug.data.catalogue import LOOK
from hsiaug.data.cube_check import card_nodata, look_through, read_values, unlike_shapes
from hsiaug.data.findings import ImportFindings, facts_of, label_warnings, warnings_of
from hsiaug.data.georeference import read_declared
from hsiaug.data.label_codes import (
    NO_CODE,
    ClassCodes,
    CodeRow,
    LabelRaster,
    code_labels,
    filler_of,
)
from hsiaug.data.label_source import labels_on_cube, read_labels
from hsiaug.data.loading import load_scene
from hsiaug.data.paths import ARRAYS
from hsiaug.data.raw import RawArray
from hsiaug.data.readers import read_cube_file
from hsiaug.data.texts import plain_name, toml_text, validate_table
from hsiaug.data.vector_labels import VectorLabels

Save = Callable[[Path], object]
"""Writes one derived file under the name that it is told."""

Picture = Callable[[Scene, Path], object]
"""Draws a scene into a PNG."""

ANOTHER = "Use another `out`, or delete it first."
"""What to do about a file that is there already."""


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import; None or (): read from the files, or guessed and reported as a guess.

    Attributes
    ----------
    name : str or None
        Name of the scene.
    classes : tuple of str
        Class names in ascending order of their codes.
    ignore : tuple of str
        Classes or codes to treat as unlabelled.
    cube_key, labels_key : str or None
        Names of the arrays in .mat files.
    axes : str or None
        Order of the axes of the cube.
    field, crs : str or None
        For points and polygons: the column with the class, the coordinate system.
    scale, units : float or str or None
        Scale factor and units of the cube.
    wavelengths : tuple of float or None
        Band centres in nm, NaN if unknown; values below 100 are taken as micrometres.
    bad_bands : tuple of int
        Bands to drop, counted from 0.
    nodata : float or None
        Value of pixels without data.
    unlabelled : tuple of int or None
        Codes without a label; None = 0, negative codes, and the no-data value of the file.
    overwrite : bool
        Whether to replace existing files.

    See Also
    --------
    hsiaug.add_scene : takes these options as keywords.
    """

    name: str | None = None
    classes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    cube_key: str | None = None
    labels_key: str | None = None
    axes: str | None = None
    field: str | None = None
    crs: str | None = None
    scale: float | None = None
    units: str | None = None
    wavelengths: tuple[float, ...] | None = None
    bad_bands: tuple[int, ...] = ()
    nodata: float | None = None
    unlabelled: tuple[int, ...] | None = None
    overwrite: bool = False


def import_options(values: Mapping[str, object], option: str = "", hint: str = "") -> ImportOptions:
    """The options of these names and values.

    Parameters
    ----------
    option : str
        How they are typed, before each name.

    Raises
    ------
    InputError
        For a value of another kind.
    """
    try:
        read = TypeAdapter(ImportOptions).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        raise InputError(
            f"{option}{key} is not valid ({first['msg'][:1].lower()}{first['msg'][1:]})",
            value=repr(values[key]),
            hint=hint or f"Correct {key}.",
        ) from error
    classes, ignore = (tuple(map(plain_name, names)) for names in (read.classes, read.ignore))
    return replace(read, classes=classes, ignore=ignore)


@dataclass(frozen=True, eq=False)
class Added:
    """A scene that :func:`hsiaug.add_scene` has added.

    Attributes
    ----------
    files : tuple of Path
        The files that were written, the card first.
    facts : tuple of (str, str)
        Properties of the scene and their values, as the command prints them.
    warnings : tuple of str
        What is doubtful, with hints.
    codes : tuple of CodeRow
        Classes and numbers of pixels by code of the label file.

    See Also
    --------
    hsiaug.add_scene : makes an object of this class.
    """

    scene: Scene
    files: tuple[Path, ...]
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    codes: tuple[CodeRow, ...] = ()


def add_scene(
    cube: Path,
    labels: Path,
    out: Path | None,
    options: ImportOptions,
    picture: Picture | None = None,
    moved: Sequence[Path] = (),
) -> Added:
    """Write the card ``out`` (default: NAME.toml here) of a cube and its labels, and what is
    derived beside it.

    The card is read back and its scene loaded before anything gets its final name.

    Parameters
    ----------
    picture : Picture or None
        Draws the scene into the PNG that it is told.
    moved : sequence of Path
        Files among the two that are moved beside the card.

    Raises
    ------
    InputError, SceneError or DataUnavailableError
        Where something is wrong; then nothing is written.
    """
    for folder in (path for path in (cube, labels) if path.is_dir()):
        hint = (
            f"See what is in it: {shlex.join(['hsiaug', 'start', str(folder)])}. Cards of pairs are"
            " written by hand: docs/masks.md."
        )
        if folder.suffix == ".zarr":
            hint = "Open it with xarray, and give its DataArray to hsiaug.add_scene."
        raise InputError(
            "datasets add writes the card of a scene: one file of a cube, and one of its labels",
            value=f"{folder}, a folder",
            hint=hint,
        )
    name = scene_name(options.name or cube.stem)
    out = Path(f"{name}.toml") if out is None else out
    check_target(out, (".toml",))
    if out.exists() and not options.overwrite:
        raise InputError(f"{out} must not exist yet", value="a file", hint=ANOTHER)
    try:
        findings = _understand(cube, read_cube_file(cube, key=options.cube_key), labels, options)
    except HsiaugError:
        _check_swapped(cube, labels)
        raise
    names = [path.name if path in moved else _relative(path, out) for path in (cube, labels)]
    card = _card(name, names, out, options, findings)
    derived: dict[str, Save] = {path.name: path.replace for path in moved}
    remarks = dict(findings.read.remarks)
    if findings.raster.changed:
        codes = findings.raster.codes
        remarks["labels.file"] = f"made of {visible(names[1])}"
        derived[str(card.labels.file)] = lambda path: save_marked_array(path, codes)
    scene, files = _write(
        out,
        partial(_card_text, card, remarks),
        derived,
        picture,
        (cube, labels),
        options.overwrite,
    )
    sentences = (*warnings_of(findings), *label_warnings(scene))
    return Added(scene, files, facts_of(findings), sentences, findings.coding.table)


def _check_swapped(cube: Path, labels: Path) -> None:
    """Raise InputError where the file of the labels holds a cube alone, and the other one labels.

    It is asked where the two could not be read in their places: it reads both again.
    """
    with suppress(HsiaugError):
        read_labels(labels, None, None, None)
        return
    try:
        read_labels(cube, None, None, None)
        shape = read_cube_file(labels).array.shape
    except HsiaugError:
        return
    if len(shape) == 3 and min(shape) > 1:
        raise InputError(
            "the cube comes first, and its labels behind --labels",
            value=f"labels in {cube} and a cube in {labels}",
            hint=f"Swap them: {labels} --labels {cube}.",
        )


def scene_name(text: str) -> str:
    """The name of a scene that is called so, or whose file is: of letters, digits, "_", "." and
    "-".
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).lstrip("_.-") or "my_scene"


def _understand(cube: Path, raw: RawArray, labels: Path, options: ImportOptions) -> ImportFindings:
    """Read the labels and look at everything."""
    declared = read_declared(cube)
    source = read_labels(
        labels, options.labels_key, options.field, options.crs, filler_of(options.unlabelled)
    )
    axes, other_axes = _resolve_axes(cube, raw, source, options.axes)
    view = np.transpose(raw.array, [axes.index(axis) for axis in "hwb"])
    raw = _with_centres(raw, options.wavelengths, view.shape[2])
    nodata = options.nodata if options.nodata is not None else raw.nodata
    facts = look_through(
        view, nodata, (*raw.bad_bands, *options.bad_bands), str(cube), raw.void(axes)
    )
    raster = labels_on_cube(
        source,
        facts,
        ground=declared.ground,
        classes=options.classes,
        ignore=options.ignore,
        unlabelled=options.unlabelled,
        where=str(labels),
        control_points=declared.control_points,
    )
    coding = _name_classes(source, raster, options)
    findings = ImportFindings(
        raw=raw,
        axes=axes,
        other_axes=other_axes,
        declared=declared,
        seen=facts,
        read=read_values(raw, facts, options.scale, options.units, options.bad_bands),
        raster=raster,
        coding=coding,
        counts=tuple(int((raster.codes == code).sum()) for code in coding.ids),
        nodata=nodata,
        field=source.field if isinstance(source, VectorLabels) else "",
    )
    if options.wavelengths is not None and (lacking := findings.without_centre):
        rule = "`wavelengths` must name the centre of every band that is kept"
        bands = ",".join(map(str, lacking))
        raise InputError(
            rule,
            value=f"none of bands {in_runs(lacking, 2)}",
            hint=f"Add them, or drop these bands: {setting('bad_bands', bands)}.",
        )
    return findings


def _resolve_axes(
    cube: Path, raw: RawArray, source: VectorLabels | LabelRaster, stated: str | None
) -> tuple[str, tuple[str, ...]]:
    """The order of the cube's axes, and other orders that would fit the labels as well.

    Parameters
    ----------
    stated : str or None
        The order that the user gives; None = hwb, or of an array the one that fits the labels.

    Raises
    ------
    InputError
        For a stated order that is none, or that does not fit the labels.
    SceneError
        Where no order fits the labels.
    """
    if stated is not None and sorted(stated) != ["b", "h", "w"]:
        raise InputError(
            "`axes` must be a permutation of hwb", value=repr(stated), hint="For example bhw."
        )
    is_array = cube.suffix.lower() in ARRAYS
    if not isinstance(source, LabelRaster) or (stated is None and not is_array):
        return stated or "hwb", ()
    shape, labels = raw.array.shape, source.codes.shape
    if stated is not None and sorted(shape[stated.index(axis)] for axis in "hw") == sorted(labels):
        return stated, ()
    orders = ("hwb", "bhw", "hbw", "whb", "bwh", "wbh")
    fitting = [order for order in orders if tuple(shape[order.index(a)] for a in "hw") == labels]
    if not fitting:
        raise unlike_shapes(shape, labels, source.where)
    if stated is not None:
        raise InputError(
            "`axes` must give the cube the height and width of the labels",
            value=stated,
            hint=f"Leave it out, or say {fitting[0]}.",
        )
    return fitting[0], tuple(fitting[1:])


def _name_classes(
    source: VectorLabels | LabelRaster, raster: LabelRaster, options: ImportOptions
) -> ClassCodes:
    """Which codes of the labels on the cube's grid are classes, and how these are called."""
    if not isinstance(source, VectorLabels):
        return code_labels(raster, options.classes, options.ignore, options.unlabelled)
    # The marks of ignored classes are gone already: none of them was drawn onto the grid.
    ignore = tuple(item for item in options.ignore if item not in map(str, source.values))
    # Where 0 is a class of marks, it is one that somebody drew.
    zero_drawn = options.unlabelled is None and raster.filler == NO_CODE
    unlabelled = () if zero_drawn else options.unlabelled
    return code_labels(raster, tuple(raster.names.values()) or options.classes, ignore, unlabelled)


def _with_centres(raw: RawArray, stated: tuple[float, ...] | None, bands: int) -> RawArray:
    """The array with the band centres that the user gives, if any."""
    if stated is None:
        return raw
    centres, note = centres_in_nm(stated)
    if len(centres) != bands:
        raise InputError(
            "`wavelengths` must have one band centre for each band of the file",
            value=f"{len(centres)} for {bands} bands",
            hint="NaN where one is not known.",
        )
    return replace(raw, wavelengths=centres, notes=(*raw.notes, note) if note else raw.notes)


def _card(
    name: str, files: Sequence[str], out: Path, options: ImportOptions, findings: ImportFindings
) -> SceneCard:
    """The card, which names the files of the cube and of the labels, or one that is written beside
    it.
    """
    height, width, bands = findings.seen.shape
    values = findings.read
    coding = findings.coding
    ground = findings.declared.ground
    changed = findings.raster.changed
    table: dict[str, object] = {
        "name": name,
        "cube": {
            "file": files[0],
            "key": options.cube_key,
            "axes": findings.axes,
            "shape": (height, width, bands - len(values.bad_bands)),
            "bad_bands": values.bad_bands,
            "nodata": card_nodata(findings.seen, findings.nodata),
            "scale": values.scale,
            "units": values.units,
        },
        "labels": {
            "file": f"{out.stem}_labels.npy" if changed else files[1],
            "key": None if changed else options.labels_key,
            "names": coding.names,
            "ids": None if coding.ids == tuple(range(1, len(coding.ids) + 1)) else coding.ids,
            "ignore": coding.ignore,
            "counts": findings.counts,
        },
        "sensor": {
            "gsd": None if ground is None else ground.metres,
            "wavelengths": None if options.wavelengths is None else findings.centres,
        },
    }
    return validate_table(table, SceneCard, out, "card", SceneError)


def _relative(path: Path, card: Path) -> str:
    """Return a path as a card names it: relative to the card's folder."""
    try:
        return Path(os.path.relpath(path.absolute(), card.absolute().parent)).as_posix()
    except ValueError:  # another drive of Windows
        return path.absolute().as_posix()


def _write(
    out: Path,
    text: Callable[[Mapping[str, str]], str],
    derived: dict[str, Save],
    picture: Picture | None,
    inputs: tuple[Path, ...],
    overwrite: bool,
) -> tuple[Scene, tuple[Path, ...]]:
    """Everything under temporary names, then the proof that the card gives a scene, then the final
    names.

    Parameters
    ----------
    text : callable
        Text of the card, with other names of the files that it is given.
    derived : dict of str to Save
        By file name, what else is written into the card's folder.
    inputs : tuple of Path
        Files that are never replaced.

    Returns
    -------
    (Scene, tuple of Path)
        The scene, and the files, the card first.
    """
    folder = out.parent
    token = uuid.uuid4().hex[:8]
    look = f"{out.stem}{LOOK}"
    names = (*derived, look) if picture else tuple(derived)
    for final in (folder / name for name in names):
        if any(final.exists() and final.samefile(path) for path in inputs if path.exists()):
            raise InputError(
                f"{final}, which is to be written, must be another file",
                value="one of the scene's own files",
                hint="Use another `out`.",
            )
    fresh = {name: folder / f".{token}_{name}" for name in (*names, out.name)}
    with (
        file_errors(
            f"`out` {out} must lie in a folder that can be written to", "Name another one."
        ),
        ExitStack() as stack,
    ):
        for path in fresh.values():
            stack.callback(remove, path)
        for name, save in derived.items():
            save(fresh[name])
        card = fresh[out.name]
        card.write_text(text({name: path.name for name, path in fresh.items()}), encoding="utf-8")
        scene = load_scene(card)
        if picture:
            picture(scene, fresh[look])
        card.write_text(text({}), encoding="utf-8")
        for name, path in fresh.items():
            sync_file(path)
            final = folder / name
            # The same may be left of a run on a disk that failed.
            if not overwrite and final.exists() and not filecmp.cmp(path, final, shallow=False):
                raise InputError(
                    f"{final}, which is to be written, must not exist yet",
                    value="a file",
                    hint=ANOTHER,
                )
        with ExitStack() as placed:
            for name, path in fresh.items():
                path.replace(folder / name)
                if not overwrite:
                    placed.callback(remove, folder / name)
            placed.pop_all()
    return scene, (out, *(folder / name for name in names))


def _card_text(card: SceneCard, remarks: Mapping[str, str], renamed: Mapping[str, str]) -> str:
    """TOML of all that is not at its default.

    Parameters
    ----------
    remarks : mapping of str to str
        Why keys have their values.
    renamed : mapping of str to str
        Other names of files.
    """
    entries = card.model_dump(exclude_defaults=True, exclude_none=True)
    entries["cube"]["units"] = card.cube.units
    for table in ("cube", "labels"):
        entries[table]["file"] = renamed.get(entries[table]["file"], entries[table]["file"])
    return toml_text(entries, remarks)
