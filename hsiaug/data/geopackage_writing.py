"""A GeoPackage of points, written with the standard library: the least that OGC 12-128r19 asks for.

No spatial index is made, which is an extension; programs that read the format make one where they want it.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from hsiaug.data.georeference import Georeference

__all__ = ["write_points"]

APPLICATION, VERSION = 0x47504B47, 10300
"""``GPKG``, and version 1.3 of the standard: clause 1.1.1.1.1."""
OWN_SYSTEM = 100000
"""Number of a reference system that EPSG has no code for."""

TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
    srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
    table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
    last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
    srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
    table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents(table_name), column_name TEXT NOT NULL,
    geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys(srs_id),
    z TINYINT NOT NULL, m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name));
INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined cartesian', -1, 'NONE', -1, 'undefined', NULL);
INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined geographic', 0, 'NONE', 0, 'undefined', NULL);
"""
WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)

Value = str | int | float | None
TYPES = {str: "TEXT", int: "INTEGER", float: "DOUBLE", type(None): "TEXT"}


def write_points(
    path: Path,
    layer: str,
    points: Sequence[tuple[float, float]],
    rows: Sequence[Mapping[str, Value]],
    ground: Georeference,
) -> None:
    """Write a new file of one layer of points (x, y) in the reference system of ``ground``, at least one.

    rows: the attributes of each point, all of the same names; a type is that of the first row's value.
    """
    # In memory first: SQLite has errors of its own for a full disk.
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute(f"PRAGMA application_id = {APPLICATION}")
        file.execute(f"PRAGMA user_version = {VERSION}")
        file.executescript(TABLES)
        system = _add_systems(file, ground.crs)
        columns = ", ".join(f"{_quoted(name)} {TYPES[type(value)]}" for name, value in rows[0].items())
        table = _quoted(layer)
        file.execute(f"CREATE TABLE {table} (fid INTEGER PRIMARY KEY AUTOINCREMENT, geom POINT, {columns})")
        xs, ys = zip(*points, strict=True)
        extent = (min(xs), min(ys), max(xs), max(ys))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        contents = (layer, "features", layer, "", now, *extent, system)
        file.execute("INSERT INTO gpkg_contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", contents)
        file.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', ?, 0, 0)", (layer, system))
        marks = ", ".join("?" * (len(rows[0]) + 1))
        names = ", ".join(["geom", *map(_quoted, rows[0])])
        values = ([_point(x, y, system), *row.values()] for (x, y), row in zip(points, rows, strict=True))
        file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        file.commit()
        path.write_bytes(file.serialize())


def _add_systems(file: sqlite3.Connection, wkt: str) -> int:
    """The number of a reference system in the file; WGS 84 has to be there whatever is used."""
    add = "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)"
    file.execute(add, ("WGS 84", 4326, "EPSG", 4326, WGS84))
    if not wkt:
        return -1
    from rasterio import CRS

    crs = CRS.from_wkt(wkt)
    code = crs.to_epsg()
    number, organization = (OWN_SYSTEM, "NONE") if code is None else (int(code), "EPSG")
    file.execute(add, (wkt.split('"')[1], number, organization, number, wkt))
    return number


def _point(x: float, y: float, system: int) -> bytes:
    """A GeoPackage header without envelope (clause 2.1.3), and the point as little-endian well-known binary."""
    return struct.pack("<2sBBi", b"GP", 0, 1, system) + struct.pack("<BIdd", 1, 1, x, y)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
