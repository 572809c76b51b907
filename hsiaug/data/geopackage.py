"""Layers of points and polygons in GeoPackages, read without GDAL.

GDAL takes a damaged geometry for a missing one without a word, runs whatever views a database holds, for ever where
these never end, and its readers of layers would be 100 MB more to install. A GeoPackage is an SQLite file whose shapes
are well-known binary (OGC 12-128r19, clauses 2.1.3 and 2.1.2): only plain tables are asked, for a limited time.
"""

from __future__ import annotations

import math
import sqlite3
import struct
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from hsiaug.base.errors import SceneError
from hsiaug.data.bounds import in_bytes
from hsiaug.data.raw import reading

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

Geometry = dict[str, Any]
"""A geometry of GeoJSON: its type and, of points and polygons, their coordinates."""

Feature = tuple[Geometry | None, dict[str, object]]
"""A geometry and its attributes."""


def read_geopackage(path: Path) -> tuple[list[Feature], str]:
    """(geometry as GeoJSON, attributes) of each feature of the only layer, and its reference system for PROJ.

    Geometry is None where the feature has none; of kinds beyond points and polygons only the type is given.
    Raises SceneError where the file is damaged or too large, or holds no layer or several.
    """
    # SQLite would leave files beside one in write-ahead mode, unless it is told that nobody writes.
    still = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    address = f"{path.absolute().as_uri()}?mode=ro{still}"
    with reading(path, "GeoPackage"), closing(sqlite3.connect(address, uri=True)) as file:
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


def _check_plain(file: sqlite3.Connection, table: str) -> None:
    """Raise ValueError for a view, a virtual table or one with generated columns: reading them runs what they say."""
    query = "SELECT type, sql FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')"
    found = file.execute(query, (table,)).fetchall()
    plain = [kind for kind, _ in found] == ["table"] and str(found[0][1]).upper().split()[:2] != [
        "CREATE",
        "VIRTUAL",
    ]
    if not plain or any(column[-1] for column in file.execute(f"PRAGMA table_xinfo({_quote(table)})")):
        raise ValueError(f"{str(table)[:40]!r} is no plain table")


def _rows(path: Path, file: sqlite3.Connection, table: str, column: str) -> list[Feature]:
    features: list[Feature] = []
    taken = 0
    file.row_factory = sqlite3.Row
    for row in file.execute(f"SELECT * FROM {_quote(table)}"):
        taken += sum(len(value) for value in row if isinstance(value, bytes | str))
        if taken > MOST_BYTES or len(features) == MOST_ROWS:
            raise SceneError(
                f"{path} may hold at most {MOST_ROWS:,} labels and {in_bytes(MOST_BYTES)} of them",
                value="more",
                hint="Keep the labels on the cube, or give them as a raster.",
            )
        attributes = dict(zip(row.keys(), row, strict=True))
        blob = attributes.pop(column)
        features.append((None if blob is None else _wkb_geometry(blob), attributes))
    return features


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _wkb_geometry(blob: bytes) -> Geometry | None:
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


def _shape(blob: bytes, at: int, wanted: str = "") -> tuple[Geometry, int]:
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
    parts: list[object] = []
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
