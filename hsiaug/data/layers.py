"""Labelled shapes: layers of a GIS, read by GDAL through pyogrio (GeoPackage, shapefile, FlatGeobuf
and GeoJSON), and regions of interest of ENVI, whose names are classes.
"""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from hsiaug.base.errors import SceneError
from hsiaug.data.paths import LAYERS
from hsiaug.data.raw import only, reading
from hsiaug.data.tables import MOST_BYTES, read_text
from hsiaug.data.texts import read_xml

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


REGION_TEXT = "; ENVI Output of ROIs"
"""Begins the text of regions."""


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
        names = [str(name) for name, shape in pyogrio.list_layers(source) if shape is not None]
        layer = only(path, names, key, "layer of shapes")
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
    shapes[shapely.is_empty(shapes)] = None
    named = zip(map(str, meta["fields"]), columns, strict=True)
    values = {name: [_plain(value) for value in column.tolist()] for name, column in named}
    return Marks(shapes.tolist(), values, meta["crs"]), notes


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
    """The encoding of the words of a shapefile, None = as the file says, with a note where it says
    none or what it says cannot be right.
    """
    words, said = (path.with_suffix(ending) for ending in (".dbf", ".cpg"))
    if not words.is_file():
        return None, ()
    name = ""
    if said.is_file():
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
    says = f"{said.name} says {name}" if name else f"{words.name} names no encoding"
    return found, (f"{says}, but the words are read as {found}",)


def _plain(value: object) -> object:
    """A value of a table; None where it is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value


def read_regions(path: Path) -> Marks:
    """The shapes of regions as XML, and their classes.

    Raises SceneError for other XML, and for regions in several coordinate systems.
    """
    with reading(path, "ENVI ROI"):
        root = read_xml(path, MOST_BYTES)
        if root.tag != "RegionsOfInterest":
            raise SceneError(
                f"{path} must be an ENVI ROI, the only XML that holds labels",
                value=f"XML whose root is <{root.tag[:40]}>",
                hint="Save the labels as GeoJSON, CSV, ENVI ROI or a raster of class codes.",
            )
        systems = {(item.text or "none").strip() for item in root.iter("CoordSysStr")}
        if len(systems) > 1:
            raise ValueError(f"{len(systems)} coordinate systems")
        shapes = list[Any]()
        classes = list[object]()
        for region in root.iter("Region"):
            items = [item for item in region.iterfind("GeometryDef/*") if item.tag != "CoordSysStr"]
            shapes += [_geometry(item) for item in items] or [None]
            classes += [region.get("name")] * max(1, len(items))
    return Marks(shapes, {"class": classes}, "".join(systems).removeprefix("none"))


def _geometry(shape: ElementTree.Element) -> Geometry:
    """A shape, whose coordinates are texts "x y x y …"."""
    import shapely

    rings = [
        np.array((item.text or "").split(), dtype=np.float64).reshape(-1, 2)
        for item in shape.iter("Coordinates")
    ]
    if not all(np.isfinite(ring).all() for ring in rings):
        raise ValueError("a coordinate that is no finite number")
    if shape.tag == "Polygon":
        return shapely.Polygon(rings[0], rings[1:])
    if shape.tag == "Point":
        return shapely.MultiPoint(np.concatenate(rings))
    return shapely.LineString(np.concatenate(rings))  # which marks no pixel


def read_region_text(
    text: str,
) -> tuple[list[str], tuple[tuple[int, int], ...], tuple[int, int] | None]:
    """The class of each pixel of regions as text, its row and column from 0 on, and the height and
    width of the image, None where the text does not say.

    Raises ValueError where the pixels are not those that the text announces.
    """
    names = re.findall(r"(?m)^;\s*ROI name:[ \t]*(.*?)\s*$", text)
    counts = [int(count) for count in re.findall(r"(?m)^;\s*ROI npts:\s*(\d+)", text)]
    size = re.search(r"(?m)^;\s*File Dimension:\s*(\d+)\s*x\s*(\d+)", text)
    head = re.search(r"(?m)^;\s*(ID\s.*)$", text)
    columns = head[1].split() if head else []
    if not {"X", "Y"} <= set(columns) or len(names) != len(counts):
        raise ValueError("no columns X and Y, or regions without a name or a number of pixels")
    # "Map X" is two words, and is written behind the numbers of the pixel.
    x, y = columns.index("X"), columns.index("Y")
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != ";"]
    pixels = tuple((int(line[y]) - 1, int(line[x]) - 1) for line in lines)
    if len(pixels) != sum(counts):
        raise ValueError(f"{len(pixels)} pixels where {sum(counts)} are announced")
    classes = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    return classes, pixels, None if size is None else (int(size[2]), int(size[1]))
