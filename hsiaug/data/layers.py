"""Layers of points and polygons in GeoPackages and shapefiles, read without GDAL.

GDAL takes a damaged geometry for a missing one without a word, runs whatever views a database holds, for ever where
these never end, and its readers of layers would be 100 MB more to install. A GeoPackage is an SQLite file whose shapes
are well-known binary (OGC 12-128r19, clauses 2.1.3 and 2.1.2): only plain tables are asked, for a limited time.
Shapefiles are read by pyshp (the extra ``geo``), pure Python, so that a damaged one is an error.
"""

from __future__ import annotations

import io
import math
import sqlite3
import struct
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hsiaug.base.errors import DataUnavailableError, HsiaugError, SceneError, install
from hsiaug.data.bounds import in_bytes
from hsiaug.data.raw import damaged

ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope, by its code in the flags."""

NAMES = ("Geometry", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
PARTS = {"MultiPoint": "Point", "MultiPolygon": "Polygon"}

MOST_SECONDS = 15.0
MOST_ROWS = 1_000_000
MOST_BYTES = 2**26
"""Maximum size of all values of a layer (64 MiB): some four million points."""

LAYERS = """SELECT c.table_name, g.column_name, g.srs_id FROM gpkg_contents c
JOIN gpkg_geometry_columns g ON c.table_name = g.table_name WHERE c.data_type = 'features'
ORDER BY c.table_name LIMIT 9"""
SYSTEM = "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?"

Feature = tuple[dict[str, Any] | None, dict[str, Any]]


def read_geopackage(path: Path) -> tuple[list[Feature], str]:
    """(geometry as GeoJSON, attributes) of each feature of the only layer, and its reference system for PROJ.

    Geometry is None where the feature has none; of kinds beyond points and polygons only the type is given.
    Raises SceneError where the file is damaged or too large, or holds no layer or several.
    """
    try:
        # SQLite would leave files beside one in write-ahead mode, unless it is told that nobody writes.
        still = "" if Path(f"{path}-wal").exists() else "&immutable=1"
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{still}", uri=True)) as file:
            end = time.monotonic() + MOST_SECONDS
            file.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
            for pragma in ("trusted_schema = OFF", "mmap_size = 0", "cell_size_check = ON", "query_only = ON"):
                file.execute(f"PRAGMA {pragma}")
            for table in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"):
                _check_plain(file, table)
            layers = file.execute(LAYERS).fetchall()
            if len(layers) != 1:
                raise SceneError(
                    f"{path} must hold exactly one layer of labels",
                    value=", ".join(repr(layer[0])[:40] for layer in layers) or "none",
                    hint="Export the layer of the labels to a file of its own.",
                )
            table, column, srs = layers[0]
            _check_plain(file, table)
            system = None if srs in (0, -1) else file.execute(SYSTEM, (srs,)).fetchone()
            organization, code, definition = system or ("", "", "")
            crs = f"EPSG:{code}" if str(organization).upper() == "EPSG" else str(definition)
            return _rows(path, file, table, column), crs
    except SceneError:
        raise
    except Exception as cause:  # a damaged database can hold any type in any place
        raise damaged(path, "GeoPackage", cause) from cause


def _check_plain(file: sqlite3.Connection, table: str) -> None:
    """Raise ValueError for a view, a virtual table or one with generated columns: reading them runs what they say."""
    query = "SELECT type, sql FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')"
    found = file.execute(query, (table,)).fetchall()
    plain = [kind for kind, _ in found] == ["table"] and str(found[0][1]).upper().split()[:2] != [
        "CREATE",
        "VIRTUAL",
    ]
    if not plain or any(column[-1] for column in file.execute(f"PRAGMA table_xinfo({_quoted(table)})")):
        raise ValueError(f"{str(table)[:40]!r} is no plain table")


def _rows(path: Path, file: sqlite3.Connection, table: str, column: str) -> list[Feature]:
    features: list[Feature] = []
    taken = 0
    file.row_factory = sqlite3.Row
    for row in file.execute(f"SELECT * FROM {_quoted(table)}"):
        taken += sum(len(value) for value in row if isinstance(value, bytes | str))
        if taken > MOST_BYTES or len(features) == MOST_ROWS:
            raise _too_large(path, MOST_ROWS, "more")
        attributes = dict(zip(row.keys(), row, strict=True))
        blob = attributes.pop(column)
        features.append((None if blob is None else _wkb_geometry(blob), attributes))
    return features


def _too_large(path: Path, most: int, value: str) -> SceneError:
    """The error for a layer with more labels, or bytes of them, than are read. most: labels."""
    rule = f"{path} may hold at most {most:,} labels and {in_bytes(MOST_BYTES)} of them"
    return SceneError(rule, value=value, hint="Keep the labels on the cube, or give them as a raster.")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _wkb_geometry(blob: bytes) -> dict[str, Any] | None:
    """The shape behind a GeoPackage header; None where it is empty."""
    if blob[:2] != b"GP":
        raise ValueError("a geometry without the header of a GeoPackage")
    flags = blob[3]
    if flags & 16:
        return None
    shape = _shape(blob, 8 + ENVELOPES[flags >> 1 & 7])[0]
    # An empty point is written as one at NaN.
    empty = shape["type"] == "Point" and all(map(math.isnan, shape["coordinates"]))
    return None if empty else shape


def _shape(blob: bytes, at: int, wanted: str = "") -> tuple[dict[str, Any], int]:
    """A shape of well-known binary, without heights and measures, and where the next one begins.

    wanted: the type that it must have, as a part of another.
    """
    order = "<" if blob[at] else ">"
    (code,) = struct.unpack_from(f"{order}I", blob, at + 1)
    kind, axes = code % 1000, (2, 3, 3, 4)[code // 1000]
    name = NAMES[kind] if kind < len(NAMES) else f"geometry of type {code}"
    if wanted and name != wanted:
        raise ValueError(f"a {name} among the parts of a Multi{wanted}")
    at += 5
    if name == "Point":
        return {"type": name, "coordinates": struct.unpack_from(f"{order}2d", blob, at)}, at + 8 * axes
    if name != "Polygon" and name not in PARTS:
        return {"type": name}, len(blob)
    (count,) = struct.unpack_from(f"{order}I", blob, at)
    at += 4
    parts: list[Any] = []
    for _ in range(count):
        if name == "Polygon":
            (points,) = struct.unpack_from(f"{order}I", blob, at)
            numbers = struct.unpack_from(f"{order}{points * axes}d", blob, at + 4)
            parts.append([numbers[i : i + 2] for i in range(0, len(numbers), axes)])
            at += 4 + 8 * len(numbers)
        else:
            part, at = _shape(blob, at, PARTS[name])
            parts.append(part["coordinates"])
    return {"type": name, "coordinates": parts}, at


SIGNATURE = b"\0\0\x27\x0a"

MOST_SHAPES = 250_000
"""Maximum number of features: pyshp takes about ten seconds to read them."""


def read_shapefile(
    path: Path, column_of: Callable[[list[str]], str], crs: str | None
) -> tuple[list[Feature], str | None]:
    """(geometry as GeoJSON, attributes) of each feature, and the reference system as WKT.

    column_of: names the only attribute that is read, of all there are; what it raises is passed on. crs: of the
    coordinates, None = what the .prj says. Geometry is None where the feature has none; of kinds beyond points and
    polygons only the type is given.
    Raises SceneError where the file is damaged or too large or lacks a companion, DataUnavailableError without pyshp.
    """
    if find_spec("shapefile") is None:
        raise DataUnavailableError(
            f"{path}, a shapefile, needs pyshp",
            value="pyshp is not installed",
            hint=f"{install('geo', 'pyshp')}, or export the layer as GeoPackage.",
        )
    endings = (".shx", ".dbf", *(() if crs else (".prj",)))
    beside = {ending: _companion(path, ending) for ending in (*endings, ".cpg")}
    if missing := [ending for ending in endings if beside[ending] is None]:
        raise SceneError(
            f"{path} must have {', '.join(endings)} of the same name beside it",
            value=f"no {', '.join(missing)}",
            hint="Copy all files of the shapefile; without a .prj, name the coordinate system with `crs`.",
        )
    content = {ending: _content(path, file) for ending, file in (*beside.items(), (".shp", path)) if file}
    try:
        return _features(content, column_of, path), crs or content[".prj"].decode().strip()
    except HsiaugError:
        raise
    except Exception as cause:  # pyshp raises whatever it meets in damaged bytes
        hint = "export it again, with a .cpg that names the encoding of its words, as UTF-8"
        raise damaged(path, "shape", cause, hint=hint) from cause


def _companion(path: Path, ending: str) -> Path | None:
    """The file beside, whose ending may be in capitals."""
    return next((file for e in (ending, ending.upper()) if (file := path.with_suffix(e)).is_file()), None)


def _content(path: Path, file: Path) -> bytes:
    """Return the content of one of the files. Raises SceneError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as cause:
        raise damaged(path, "shape", cause) from cause
    if len(content) > MOST_BYTES:
        raise _too_large(path, MOST_SHAPES, f"{file.name} with {in_bytes(file.stat().st_size)}")
    return content


def _features(content: dict[str, bytes], column_of: Callable[[list[str]], str], path: Path) -> list[Feature]:
    import shapefile

    if not content[".shp"].startswith(SIGNATURE):
        raise ValueError("a file without the signature of a shapefile")
    # Never by name: pyshp would also take archives and addresses. Of bytes in memory none can be read that are not
    # there, whatever lengths the headers claim.
    files: dict[str, Any] = {ending[1:]: io.BytesIO(data) for ending, data in content.items() if ending != ".prj"}
    with warnings.catch_warnings(action="ignore"), shapefile.Reader(**files) as reader:
        shapes, rows = reader.numShapes or 0, reader.numRecords or 0
        if max(shapes, rows) > MOST_SHAPES:
            raise _too_large(path, MOST_SHAPES, f"{max(shapes, rows):,} labels")
        column = column_of([field[0] for field in reader.fields[1:]])
        items = reader.iterShapeRecords(fields=[column])
        features = [(_geometry(item.shape), {column: item.record[column]}) for item in items]
    if not len(features) == shapes == rows:
        raise ValueError(f"{shapes} shapes with {rows} rows of attributes, of which {len(features)} can be read")
    return features


def _geometry(shape: Any) -> dict[str, Any] | None:
    kind = shape.shapeTypeName.removesuffix("Z").removesuffix("M")
    if kind == "NULL":
        return None
    if kind == "POINT":
        return {"type": "Point", "coordinates": shape.points[0]}
    if kind == "MULTIPOINT":
        return {"type": "MultiPoint", "coordinates": shape.points}
    if kind != "POLYGON":
        return {"type": kind}
    starts = list(shape.parts)
    if starts != sorted(starts):
        raise ValueError("rings out of order")
    # A pixel is filled where an odd number of rings holds it: which ring is a hole, and of which, need not be known.
    ends = [*starts[1:], len(shape.points)]
    rings = [shape.points[start:end] for start, end in zip(starts, ends, strict=True)]
    return {"type": "Polygon", "coordinates": rings}
