"""From a file of labels, of whatever kind, to a label raster on the grid of the cube."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hsiaug.data.cube_check import CubeFacts, unlike_shapes
from hsiaug.data.georeference import Georeference
from hsiaug.data.label_check import ClassCodes, name_codes, on_grid, read_raster
from hsiaug.data.rasterise import MOST_CODES, LabelRaster, rasterise
from hsiaug.data.readers import must_exist
from hsiaug.data.vector_labels import KINDS, VectorLabels, read_vector_labels

__all__ = ["code_labels", "labels_on_cube", "read_labels"]


def read_labels(path: Path, key: str | None, field: str | None, crs: str | None) -> VectorLabels | LabelRaster:
    """Vector labels or a raster, by the file's ending. key: of a .mat; field, crs: of vectors.

    Raises as these readers do.
    """
    must_exist(path)
    suffix = path.suffix.lower()
    return read_vector_labels(path, field, crs) if suffix in KINDS else read_raster(path, key)


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
        raster = on_grid(found, shape, ground)
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


def code_labels(
    found: VectorLabels | LabelRaster, raster: LabelRaster, classes: tuple[str, ...], ignore: tuple[str, ...]
) -> ClassCodes:
    """Names for the codes of a raster. Of marks, those that are ignored are gone already."""
    words = any(raster.names)
    if isinstance(found, VectorLabels):
        ignore = tuple(item for item in ignore if item not in map(str, found.values))
        classes = raster.names[1:] if words else classes
    return name_codes(raster, classes, ignore)
