"""Plots in the field as a user's own files name them: a raster, or a column of the vector labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hsiaug.base.errors import InputError
from hsiaug.data.cube_check import CubeFacts
from hsiaug.data.georeference import Georeference
from hsiaug.data.label_check import read_raster
from hsiaug.data.label_source import labels_on_cube
from hsiaug.data.labels import LARGEST
from hsiaug.data.paths import is_file
from hsiaug.data.rasterise import LabelRaster
from hsiaug.data.vector_labels import KINDS, VectorLabels, read_vector_labels

__all__ = ["plots_on_cube"]


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
