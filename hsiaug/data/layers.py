"""Layers of a GIS, read by GDAL through pyogrio: GeoPackage, shapefile, FlatGeobuf and GeoJSON."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.base.text import setting
from hsiaug.data.endings import LAYERS
from hsiaug.data.raw import reading
from hsiaug.data.tables import read_text

if TYPE_CHECKING:
    from shapely import Geometry

STARTS = {".gpkg": b"SQLite format 3\0", ".fgb": b"fgb", ".shp": b"\x00\x00\x27\x0a"}
"""First bytes of the layers that are read: by content GDAL would also take formats that read other
files, or the network.
"""

OF_SHAPEFILES = (".dbf", ".shx", ".prj", ".cpg", ".qpj", ".sbn", ".sbx")
"""Endings of files beside the .shp of a shapefile."""

GEOJSON = (".geojson", ".json", ".geojsonl", ".geojsons", ".geojsonseq", ".ndjson")
"""Endings of a collection of features, or of a feature on each line."""

FETCHED = re.compile(r'"type"\s*:\s*"(url|link)"', re.IGNORECASE)
"""A coordinate system behind an address, which GDAL would fetch."""

MOST_FEATURES = 2_000_000
MOST_RINGS = 10_000
"""Rings of one polygon: GDAL takes time quadratic in them."""


class Marks(NamedTuple):
    """Labelled shapes in the order of their file.

    Attributes
    ----------
    shapes : list of Geometry or None
        None where a mark has no place.
    columns : dict of str to list of object
        A value of each mark, None where it is missing, by attribute.
    crs : str or None
        Their coordinate system; None where the file names none, "" for columns and rows of pixels.
    """

    shapes: list[Geometry | None]
    columns: dict[str, list[object]]
    crs: str | None


def is_layer(path: Path) -> bool:
    """Whether a file is a layer that is read. Raises SceneError for one of another format."""
    suffix = path.suffix.lower()
    if suffix in LAYERS and suffix not in STARTS:
        raise SceneError(
            "labels must be a raster, a GeoPackage, a shapefile, a GeoJSON, an ENVI ROI or a CSV",
            value=str(path),
            hint="Export the layer as GeoPackage, as QGIS does with Export > Save Features As.",
        )
    return suffix in STARTS or suffix in GEOJSON


def read_layer(path: Path, key: str | None) -> tuple[Marks, tuple[str, ...]]:
    """The marks of a layer, and notes.

    Parameters
    ----------
    key : str or None
        The layer; None = the only one that has shapes.

    Raises
    ------
    SceneError
        For a damaged file, one of another format, and several layers without a key.
    """
    import pyogrio
    import pyogrio.raw
    import shapely

    suffix = path.suffix.lower()
    kind = f"{suffix[1:]} layer"
    source = str(path)
    if suffix in GEOJSON:
        source = f"{_geojson_driver(path)}:{path}"
    else:
        with reading(path, kind), path.open("rb") as file:
            if file.read(len(STARTS[suffix])) != STARTS[suffix]:
                raise ValueError("its first bytes are of another format")
    encoding, notes = _encoding(path) if suffix == ".shp" else (None, ())
    with reading(path, kind), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layers = [str(name) for name, shape in pyogrio.list_layers(source) if shape is not None]
        layer = _choose(path, key, layers)
        facts: dict[str, Any] = pyogrio.read_info(source, layer=layer, force_feature_count=True)
        if facts["features"] > MOST_FEATURES:
            raise ValueError(f"{facts['features']:,} features, of at most {MOST_FEATURES:,}")
        meta, _, stored, columns = pyogrio.raw.read(
            source, layer=layer, force_2d=True, encoding=encoding
        )
        shapes = shapely.from_wkb(stored, on_invalid="fix")  # closes rings
        if not np.isfinite(shapely.get_coordinates(shapes)).all():
            raise ValueError("a coordinate that is no finite number")
        rings = shapely.get_num_interior_rings(shapely.get_parts(shapes))
        if rings.max(initial=0) >= MOST_RINGS:
            raise ValueError(f"a polygon of more than {MOST_RINGS:,} rings")
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    named = zip(map(str, meta["fields"]), columns, strict=True)
    marks = Marks(
        [None if lacking else shape for shape, lacking in zip(shapes, missing, strict=True)],
        {name: [_plain(value) for value in values] for name, values in named},
        meta["crs"],
    )
    return marks, notes


def _geojson_driver(path: Path) -> str:
    """GDAL's driver for a collection, or for a feature on each line.

    Raises SceneError for JSON that holds no features, as of an annotation tool, and for a
    coordinate system behind an address.
    """
    text = read_text(path, "GeoJSON")
    if not re.search(r'"features"|"Feature"', text):
        raise SceneError(
            f"{path} must be GeoJSON with features",
            value="another JSON, perhaps annotations of a tool as COCO or LabelMe",
            hint="Export masks of class codes as PNG, or polygons as GeoJSON.",
        )
    if FETCHED.search(text):
        raise SceneError(
            f"{path} must name its coordinate system",
            value="an address, which is never fetched",
            hint="Export it again, for example in EPSG:4326.",
        )
    on_lines = '"features"' not in text and text.count('"Feature"') > 1
    return "GeoJSONSeq" if on_lines else "GeoJSON"


def _encoding(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """The encoding of the words of a shapefile, None = as the file says, with a note where what it
    says cannot be right.
    """
    words, said = (path.with_suffix(ending) for ending in (".dbf", ".cpg"))
    if not words.is_file() or not said.is_file():
        return None, ()
    name = said.read_text(encoding="ascii", errors="replace").strip()[:40]
    content = words.read_bytes()
    if content.isascii():
        return None, ()
    # Behind its head a table holds texts alone, which are hardly UTF-8 by chance.
    records = content[int.from_bytes(content[8:10], "little") :]
    try:
        records.decode("utf-8")
        found = "UTF-8"
    except UnicodeDecodeError:
        found = "CP1252"
    utf8_said = name.upper().replace("-", "") in ("UTF8", "65001")
    if records.isascii() or utf8_said == (found == "UTF-8"):
        return None, ()
    return found, (f"{said.name} says {name}, but the words are read as {found}",)


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
