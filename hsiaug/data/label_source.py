"""A file of labels or of plots in the field, of any kind, as a raster on the grid of the cube with named codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.data.cube_check import CubeFacts, unlike_shapes
from hsiaug.data.declared import read_declared
from hsiaug.data.georeference import Georeference, read_georeference
from hsiaug.data.label_rasters import MOST_CODES, LabelRaster, move_to_grid, rasterise
from hsiaug.data.labels import LARGEST, whole_codes
from hsiaug.data.paths import is_file
from hsiaug.data.readers import must_exist, read_label_file
from hsiaug.data.vector_labels import KINDS, VectorLabels, read_vector_labels

__all__ = ["ClassCodes", "code_labels", "labels_on_cube", "plots_on_cube", "read_labels", "read_raster"]


@dataclass(frozen=True)
class ClassCodes:
    """names, ids: of the classes, and their codes. ignore: names and codes without a label. notes: for people."""

    names: tuple[str, ...]
    ids: tuple[int, ...]
    ignore: tuple[str | int, ...]
    notes: tuple[str, ...]


def read_labels(path: Path, key: str | None, field: str | None, crs: str | None) -> VectorLabels | LabelRaster:
    """Vector labels or a raster, by the file's ending. key: of a .mat; field, crs: of vectors.

    Raises as these readers do.
    """
    must_exist(path)
    return read_vector_labels(path, field, crs) if path.suffix.lower() in KINDS else read_raster(path, key)


def read_raster(path: Path, key: str | None) -> LabelRaster:
    """The label raster of a .mat, .npy, ENVI or image file, a GeoTIFF with its place where rasterio is installed.

    Raises SceneError where the file is missing or damaged, or holds no whole numbers.
    """
    must_exist(path)
    said, codes = read_declared(path), read_label_file(path, key=key)
    missing = None if said.nodata is None or said.nodata != int(said.nodata) else int(said.nodata)
    gone = np.isnan(codes) if codes.dtype.kind == "f" else np.zeros(codes.shape, dtype=bool)
    if missing is not None and abs(missing) >= LARGEST:
        gone |= codes == missing
    whole = whole_codes(np.where(gone, codes.dtype.type(0), codes), path, "labels")
    changed = bool(gone.any())
    return LabelRaster(whole, changed, missing or None, said.classes, read_georeference(path), where=str(path))


def labels_on_cube(
    found: VectorLabels | LabelRaster,
    seen: CubeFacts,
    ground: Georeference | None,
    classes: tuple[str, ...],
    ignore: tuple[str, ...],
    where: str,
    most: int = MOST_CODES,
) -> LabelRaster:
    """The labels as codes (H, W) on the cube's grid, none where the cube has no data.

    classes, ignore: as the user gave them. where: how errors name the file. most: codes of vector labels.
    Raises SceneError where the labels do not fit the cube.
    """
    shape = seen.shape[:2]
    if isinstance(found, VectorLabels):
        raster = rasterise(found.without(ignore), shape, ground, classes, where, most)
    else:
        raster = move_to_grid(found, shape, ground)
    if raster.codes.shape == shape[::-1] != shape:
        note = "height and width of the labels are exchanged: transposed to fit the cube"
        raster = raster.with_codes(raster.codes.T, note)
    if raster.codes.shape != shape:
        raise unlike_shapes(shape, raster.codes.shape, where)
    lost = seen.empty & (raster.codes != 0) & (raster.codes != (raster.missing or 0))
    if lost.any():
        note = f"{int(lost.sum()):,} labelled pixels hold no data in the cube: left unlabelled"
        raster = raster.with_codes(np.where(lost, 0, raster.codes), note)
    return raster


def code_labels(
    found: VectorLabels | LabelRaster, raster: LabelRaster, classes: tuple[str, ...], ignore: tuple[str, ...]
) -> ClassCodes:
    """Names for the codes (H, W) of a raster: as given, else as the file says, else "class 1", "class 2", …

    classes: names of the codes present, in ascending order, or of codes 1, 2, …, if there are more names.
    ignore: codes, or names, that count as unlabelled.
    Raises SceneError for a raster that can be none of labels, InputError for names that do not fit.
    """
    names = classes
    if isinstance(found, VectorLabels):  # ignored marks are gone already
        ignore = tuple(item for item in ignore if item not in map(str, found.values))
        names = raster.names[1:] if any(raster.names) else classes
    present, counts = np.unique(raster.codes, return_counts=True)
    of = dict(zip(present.tolist(), counts.tolist(), strict=True))
    if len(of) > MOST_CODES:
        raise SceneError(
            f"{raster.where}: a label raster has at most {MOST_CODES} codes",
            value=f"{len(of):,} different values, {present[0]} to {present[-1]}",
            hint="Name the raster of the classes; for a .mat with several arrays, with `labels_key`.",
        )
    below = {code for code in of if code < 0}
    dropped = {int(item) for item in ignore if _is_code(item)} | below | {raster.missing or 0}
    ids = tuple(code for code in of if code != 0 and code not in dropped)
    listed = ", ".join(f"{code} ({of[code]:,} px)" for code in ids[:12]) + (", …" if len(ids) > 12 else "")
    notes = [f"codes below 0 count as unlabelled: {', '.join(map(str, sorted(below)))}"] if below else []
    if names and len(names) > len(ids) > 1 and len(names) >= ids[-1]:
        ids = tuple(range(1, len(names) + 1))
        notes += [f"no pixel: {', '.join(n for n, code in zip(names, ids, strict=True) if code not in of)}"]
    elif names and len(names) != len(ids):
        raise InputError(
            f"`classes` must name every code of {raster.where}, in ascending order",
            value=f"{len(names)} names for {len(ids)} codes: {listed or 'none but 0'}",
            hint="Give one name per code; leave codes out with `ignore`.",
        )
    elif not names:
        said = dict(enumerate(raster.names))
        names = tuple((code > 0 and said.get(code)) or f"class {code}" for code in ids)
        if not said:
            notes += ["classes have no names: give them with `classes`, or edit labels.names of the card"]
    unknown = [item for item in ignore if not _is_code(item) and item not in names]
    if unknown:
        raise InputError(
            "`ignore` must name a class or a code", value=repr(unknown[0]), hint=did_you_mean(unknown[0], names)
        )
    if len(ids) < 2:
        raise SceneError(
            f"{raster.where}: labels need at least two classes",
            value=f"codes {listed or 'none but 0'}",
            hint="0 is unlabelled; check `ignore`.",
        )
    words = tuple(item for item in ignore if item in names)
    return ClassCodes(names, ids, (*words, *sorted(dropped & set(of) - {0})), tuple(notes))


def _is_code(item: str) -> bool:
    """True where a text is the code of a class: a whole number that an array can hold."""
    return re.fullmatch(r"-?[0-9]{1,18}", item) is not None


def plots_on_cube(
    named: str, labels: Path, crs: str | None, seen: CubeFacts, ground: Georeference | None
) -> tuple[LabelRaster, Path | None]:
    """The ids of plots (H, W) on the cube's grid, and the raster that they are from where they are as it holds them.

    named: a raster's file, or an attribute or column of vector ``labels``, which crs is of. 0 is no plot.
    Raises InputError where it is neither, SceneError where the raster does not fit the cube.
    """
    path = Path(named)
    if is_file(path) and path.suffix.lower() not in KINDS:
        raster = read_raster(path, None)
        if raster.missing is not None and (raster.codes == raster.missing).any():
            codes = np.where(raster.codes == raster.missing, 0, raster.codes)
            raster = replace(raster.with_codes(codes), missing=None)
        raster = labels_on_cube(raster, seen, ground, (), (), str(path))
        return raster, None if raster.changed else path
    if labels.suffix.lower() not in KINDS:
        raise InputError(
            "`plots` must name a raster, or a column of vector labels",
            value=f"{named!r}, beside labels in {labels.name}",
            hint="Name a file of plot ids on the cube's grid: .tif, .npy, .png, .mat or ENVI.",
        )
    column: VectorLabels = read_vector_labels(labels, named, crs)
    return labels_on_cube(column, seen, ground, (), (), f"{labels}, column {named}", most=LARGEST), None
