"""GeoPackages, in as far as they are read here."""

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

__all__ = ["write_geopackage"]


def write_geopackage(path: Path, plots: Iterable[tuple[bytes | None, str]]) -> None:
    """One layer, as QGIS writes it: geometries in UTM 33 north, each with its attribute "crop"."""
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.executescript(
            "CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT);"
            "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);"
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization TEXT, organization_coordsys_id INTEGER,"
            " definition TEXT);"
            "INSERT INTO gpkg_contents VALUES ('plots', 'features');"
            "INSERT INTO gpkg_geometry_columns VALUES ('plots', 'geom', 32633);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (32633, 'EPSG', 32633, 'unused');"
            "CREATE TABLE plots (fid INTEGER PRIMARY KEY, geom BLOB, crop TEXT);"
        )
        file.executemany("INSERT INTO plots (geom, crop) VALUES (?, ?)", plots)
