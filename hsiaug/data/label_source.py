"""Conversion of a file of labels or of plots in the field, of any kind, to a raster on the grid of the cube."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hsiaug.base.errors import InputError
from hsiaug.data.cube_check import CubeFacts, unlike_shapes
from hsiaug.data.declared import read_declared
from hsiaug.data.georeference import Georeference, read_georeference
from hsiaug.data.label_check import ClassCodes, name_codes
from hsiaug.data.labels import LARGEST, whole_codes
from hsiaug.data.paths import is_file
from hsiaug.data.rasterise import MOST_CODES, LabelRaster, rasterise, regrid
from hsiaug.data.readers import must_exist, read_label_file
from hsiaug.data.vector_labels import KINDS, VectorLabels, read_vector_labels

__all__ = ["code_labels", "labels_on_cube", "plots_on_cube", "read_labels", "read_raster"]


def read_labels(path: Path, key: str | None, field: str | None, crs: str | None) -> VectorLabels | LabelRaster:
    """Vector labels or a raster, by the file's ending. key: of a .mat; field, crs: of vectors.

    Raises as these readers do.
    """
    must_exist(path)
    suffix = path.suffix.lower()
    return read_vector_labels(path, field, crs) if suffix in KINDS else read_raster(path, key)


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
        raster = _on_grid(found, shape, ground)
    if raster.codes.shape == shape[::-1] != shape:
        note = "height and width of the labels are exchanged: transposed to fit the cube"
        raster = replace(raster, codes=raster.codes.T, changed=True, notes=(*raster.notes, note))
    if raster.codes.shape != shape:
        raise unlike_shapes(shape, raster.codes.shape, where)
    lost = seen.empty & (raster.codes != 0) & (raster.codes != (raster.missing or 0))
    if lost.any():
        note = f"{int(lost.sum()):,} labelled pixels hold no data in the cube: left unlabelled"
        codes = np.where(lost, 0, raster.codes)
        raster = replace(raster, codes=codes, changed=True, notes=(*raster.notes, note))
    return raster


def _on_grid(raster: LabelRaster, shape: tuple[int, int], ground: Georeference | None) -> LabelRaster:
    """The raster on the cube's grid (H, W); the same one where it is there, or where nothing says that it is not."""
    if raster.ground is None or ground is None:
        return raster
    apart = bool(raster.ground.crs and ground.crs) and not _same_system(raster.ground.crs, ground.crs)
    steps = np.abs(np.subtract(raster.ground.transform, ground.transform))
    side = max(abs(ground.transform[0]), abs(ground.transform[1]))
    if not apart and raster.codes.shape == shape and steps[[2, 5]].max() < 0.5 * side and steps.max() < side:
        return raster
    codes = regrid(raster.codes, raster.ground, shape, ground)
    note = "the labels lie on another grid than the cube: moved to its grid by nearest neighbour"
    return replace(raster, codes=codes, changed=True, notes=(*raster.notes, note))


def _same_system(a: str, b: str) -> bool:
    import rasterio

    return bool(rasterio.CRS.from_wkt(a) == rasterio.CRS.from_wkt(b))


def code_labels(
    found: VectorLabels | LabelRaster, raster: LabelRaster, classes: tuple[str, ...], ignore: tuple[str, ...]
) -> ClassCodes:
    """Names for the codes of a raster. Ignored marks are gone already."""
    words = any(raster.names)
    if isinstance(found, VectorLabels):
        ignore = tuple(item for item in ignore if item not in map(str, found.values))
        classes = raster.names[1:] if words else classes
    return name_codes(raster, classes, ignore)


def plots_on_cube(
    named: str, labels: Path, crs: str | None, seen: CubeFacts, ground: Georeference | None
) -> tuple[LabelRaster, Path | None]:
    """The ids of plots (H, W) on the cube's grid, and the raster that they are from where they are as it holds them.

    named: a raster's file, or an attribute or column of vector ``labels``, which crs is of. 0 is no plot.
    Raises InputError where it is neither, SceneError where the raster does not fit the cube.
    """
    path = Path(named)
    if is_file(path) and path.suffix.lower() not in KINDS:
        raster = labels_on_cube(_no_missing(read_raster(path, None)), seen, ground, (), (), str(path))
        return raster, None if raster.changed else path
    if labels.suffix.lower() not in KINDS:
        raise InputError(
            "`plots` must name a raster, or a column of vector labels",
            value=f"{named!r}, beside labels in {labels.name}",
            hint="Name a file of plot ids on the cube's grid: .tif, .npy, .png, .mat or ENVI.",
        )
    column: VectorLabels = read_vector_labels(labels, named, crs)
    return labels_on_cube(column, seen, ground, (), (), f"{labels}, column {named}", most=LARGEST), None


def _no_missing(raster: LabelRaster) -> LabelRaster:
    """The raster with 0 for what its file declares to be no value."""
    if raster.missing is None or not (raster.codes == raster.missing).any():
        return raster
    codes = np.where(raster.codes == raster.missing, 0, raster.codes)
    return replace(raster, codes=codes, changed=True, missing=None)
