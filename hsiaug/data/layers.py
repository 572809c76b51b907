"""Layers of a GIS, read by GDAL through pyogrio: GeoPackage, shapefile and FlatGeobuf."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.data.endings import LAYERS
from hsiaug.data.envi_regions import Feature
from hsiaug.data.raw import reading
from hsiaug.data.remedies import python_command, setting

STARTS = {".gpkg": b"SQLite format 3\0", ".fgb": b"fgb", ".shp": b"\x00\x00\x27\x0a"}
"""First bytes of the layers that are read: by content GDAL would also take formats that read other
files, or the network.
"""

OF_SHAPEFILES = (".dbf", ".shx", ".prj", ".cpg", ".qpj", ".sbn", ".sbx")
"""Endings of files that lie beside the .shp of a shapefile."""

MOST_FEATURES = 2_000_000


def read_layer(path: Path, key: str | None) -> tuple[list[Feature], str | None]:
    """Geometry and properties of each feature, and their coordinate system, None where the file
    names none.

    Parameters
    ----------
    key : str or None
        The layer; None = the only one that has features.

    Raises
    ------
    SceneError
        For a damaged file, one of another format, and several layers without a key.
    """
    import pyogrio
    import pyogrio.raw
    import shapely

    kind = f"{path.suffix[1:]} layer"
    with reading(path, kind), path.open("rb") as file:
        start = STARTS[path.suffix.lower()]
        if file.read(len(start)) != start:
            raise ValueError("its first bytes are of another format")
    with reading(path, kind), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = [str(name) for name, geometry in pyogrio.list_layers(path) if geometry is not None]
        layer = _choose(path, key, names)
        facts: dict[str, Any] = pyogrio.read_info(path, layer=layer, force_feature_count=True)
        if facts["features"] > MOST_FEATURES:
            raise ValueError(f"{facts['features']:,} features, of at most {MOST_FEATURES:,}")
        meta, _, shapes, columns = pyogrio.raw.read(path, layer=layer, force_2d=True)
        geometries = shapely.from_wkb(shapes)
        fields = [str(name) for name in meta["fields"]]
        features: list[Feature] = []
        for row, geometry in enumerate(geometries):
            properties = {
                name: _plain(column[row]) for name, column in zip(fields, columns, strict=True)
            }
            missing = geometry is None or geometry.is_empty
            features.append((None if missing else shapely.geometry.mapping(geometry), properties))
    return features, meta["crs"]


def refuse_layer(path: Path) -> None:
    """Raise SceneError for a layer of a GIS that is not read, with how to make a GeoPackage."""
    target = f"{path.stem}.gpkg"
    command = python_command(
        f"import pyogrio.raw; m, _, g, f = pyogrio.raw.read({str(path)!r});"
        f" pyogrio.raw.write({target!r}, g, f, m['fields'],"
        " geometry_type=m['geometry_type'], crs=m['crs'])"
    )
    raise SceneError(
        "labels must be a raster, a GeoPackage, a shapefile, a GeoJSON, an ENVI ROI or a CSV",
        value=str(path),
        hint=f"Export the layer as GeoPackage: in QGIS with Export > Save Features As, or with"
        f" {command}, and name {target}",
    )


def is_layer(path: Path) -> bool:
    """Whether a file is a layer that is read. Raises SceneError for one that is not read."""
    suffix = path.suffix.lower()
    if suffix in LAYERS and suffix not in STARTS:
        refuse_layer(path)
    return suffix in STARTS


def _choose(path: Path, key: str | None, names: list[str]) -> str:
    if key is not None:
        if key not in names:
            hint = did_you_mean(key, names)
            raise SceneError(f"{path}: `labels_key` must name a layer", value=repr(key), hint=hint)
        return key
    if len(names) != 1:
        value = f"{len(names)} layers of shapes: {', '.join(names[:20]) or 'none'}"
        hint = f"Name one: {setting('labels_key', names[0])}" if names else "Export it again."
        raise SceneError(f"{path} must hold one layer, or be told which", value=value, hint=hint)
    return names[0]


def _plain(value: Any) -> object:
    """A value of a table as Python has it; None where it is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value
