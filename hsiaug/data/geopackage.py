"""GeoPackage: an SQLite file whose shapes are well-known binary (OGC 12-128r19, clauses 2.1.3 and 2.1.2).

Read with the standard library: points and polygons are all that labels need, and GDAL's own reader would be one more
large dependency.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

from hsiaug.data.raw import damaged
from hsiaug.errors import SceneError

__all__ = ["read_geopackage"]

ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope, by its code in the flags."""

NAMES = ("Geometry", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")


def read_geopackage(path: Path) -> tuple[list[tuple[dict[str, Any] | None, dict[str, Any]]], str]:
    """(geometry as GeoJSON, attributes) of each feature of the only layer, and its reference system for PROJ.

    Geometry is None where the feature has none; of kinds beyond points and polygons only the type is given.
    Raises SceneError where the file is damaged, or holds no layer or several.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            file.row_factory = sqlite3.Row
            layers = file.execute(
                "SELECT c.table_name, g.column_name, g.srs_id FROM gpkg_contents c JOIN gpkg_geometry_columns g "
                "ON c.table_name = g.table_name WHERE c.data_type = 'features' ORDER BY c.table_name"
            ).fetchall()
            if len(layers) != 1:
                listed = ", ".join(repr(layer["table_name"]) for layer in layers)
                raise SceneError(
                    f"{path} must hold exactly one layer of labels",
                    value=f"{len(layers)}{f': {listed}' if listed else ''}",
                    mend="Export the layer of the labels to a file of its own.",
                )
            table, column, srs = layers[0]
            crs = _system(file, srs)
            rows = file.execute(f"SELECT * FROM {_quoted(table)}").fetchall()
            features = []
            for row in rows:
                attributes = dict(row)
                blob = attributes.pop(column)
                features.append((None if blob is None else _geometry(blob), attributes))
    except (sqlite3.Error, struct.error, IndexError, TypeError) as cause:
        raise damaged(path, "GeoPackage", cause) from cause
    return features, crs


def _system(file: sqlite3.Connection, srs: int) -> str:
    found = file.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (srs,),
    ).fetchone()
    if found is None or srs in (0, -1):
        return ""
    organization, code, definition = found
    return f"EPSG:{code}" if str(organization).upper() == "EPSG" else str(definition)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _geometry(blob: bytes) -> dict[str, Any] | None:
    """The shape behind a GeoPackage header; None where it is empty."""
    if blob[:2] != b"GP":
        raise IndexError("a geometry without the header of a GeoPackage")
    flags = blob[3]
    if flags & 16:
        return None
    return _shape(blob, 8 + ENVELOPES[flags >> 1 & 7])[0]


def _shape(blob: bytes, at: int) -> tuple[dict[str, Any], int]:
    """A shape of well-known binary, without heights and measures, and where the next one begins."""
    order = "<" if blob[at] else ">"
    (code,) = struct.unpack_from(f"{order}I", blob, at + 1)
    kind, axes = code % 1000, (2, 3, 3, 4)[code // 1000]
    name = NAMES[kind] if kind < len(NAMES) else f"geometry of type {code}"
    at += 5
    if name == "Point":
        return {"type": name, "coordinates": struct.unpack_from(f"{order}2d", blob, at)}, at + 8 * axes
    if name not in ("Polygon", "MultiPoint", "MultiPolygon"):
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
            part, at = _shape(blob, at)
            parts.append(part["coordinates"])
    return {"type": name, "coordinates": parts}, at
