"""Labels that are no raster: points and polygons of GeoJSON and GeoPackage, and rows of a CSV."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hsiaug.data.geopackage import read_geopackage
from hsiaug.data.raw import damaged
from hsiaug.errors import InputError, SceneError, did_you_mean

__all__ = ["KINDS", "Marks", "read_marks"]

KINDS = (".csv", ".tsv", ".txt", ".geojson", ".json", ".gpkg")
"""Endings of label files that hold marks, not a raster."""

USUAL = ("class", "label", "class_name", "classname", "name", "id")
"""Names of the attribute that holds the class, in order of preference."""

SHAPES = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
WGS84 = "OGC:CRS84"


@dataclass(frozen=True, eq=False)
class Marks:
    """Labelled pixels or shapes, in the file's order.

    values: the class of each, a whole number or a word. places: of each (row, column) counted from 0 where ``pixels``,
    else its geometry as GeoJSON. crs: of these geometries, None = the cube's own.
    skipped: how many had no class or no place.
    """

    values: tuple[int | str, ...]
    places: tuple[Any, ...]
    pixels: bool
    crs: str | None
    skipped: int

    def without(self, ignore: tuple[str, ...]) -> Marks:
        """The marks whose class, as text, is not among these."""
        kept = [i for i, value in enumerate(self.values) if str(value) not in ignore]
        values, places = ([listed[i] for i in kept] for listed in (self.values, self.places))
        return replace(self, values=tuple(values), places=tuple(places))

    def raised(self) -> Marks:
        """Whole numbers one higher, so that 0 is a class."""
        values = tuple(value + 1 if isinstance(value, int) else value for value in self.values)
        return replace(self, values=values)


def read_marks(path: Path, field: str | None, crs: str | None) -> Marks:
    """The marks of a file. field: the attribute or column of the class, None = the usual one.

    crs: of their coordinates, None = what the file says.
    Raises SceneError where the file is damaged, empty or of another kind, InputError for a field it does not have.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        return _read_table(path, field, crs)
    if suffix == ".gpkg":
        features, own = read_geopackage(path)
    else:
        features, own = _read_geojson(path)
    column = _field(path, field, features)
    taken = [(shape, row.get(column)) for shape, row in features]
    kept = [(shape, value) for shape, value in taken if shape is not None and value not in (None, "")]
    strange = sorted({str(shape.get("type")) for shape, _ in kept} - set(SHAPES))
    if strange or not kept:
        raise SceneError(
            f"{path} must hold points or polygons that have a class",
            value=", ".join(strange) or "none",
            mend="Keep points and polygons only; buffer lines first.",
        )
    values = _alike([value for _, value in kept])
    return Marks(values, tuple(shape for shape, _ in kept), False, crs or own, len(taken) - len(kept))


def _read_geojson(path: Path) -> tuple[list[tuple[Any, dict[str, Any]]], str]:
    """(geometry, properties) of each feature, and the system: WGS 84 unless the file still has a member "crs"."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as cause:
        raise damaged(path, "GeoJSON", cause) from cause
    if not isinstance(content, dict) or not isinstance(content.get("features"), list):
        raise SceneError(
            f"{path} must be a GeoJSON FeatureCollection",
            value=str(content.get("type")) if isinstance(content, dict) else type(content).__name__,
            mend="Export the layer as GeoJSON, with the class as an attribute.",
        )
    features = [(f.get("geometry"), f.get("properties") or {}) for f in content["features"] if isinstance(f, dict)]
    named = ((content.get("crs") or {}).get("properties") or {}).get("name")
    return features, str(named or WGS84)


def _field(path: Path, wanted: str | None, features: list[tuple[Any, dict[str, Any]]]) -> str:
    """The attribute of the class."""
    names = list(dict.fromkeys(name for _, row in features for name in row))
    return _named(path, wanted, names)


def _named(path: Path, wanted: str | None, names: list[str]) -> str:
    lower = {name.strip().lower(): name for name in names}
    for name in (wanted,) if wanted is not None else USUAL:
        if name.strip().lower() in lower:
            return lower[name.strip().lower()]
    if wanted is None and len(names) == 1:
        return names[0]
    raise InputError(
        f"--field must name the attribute of {path} that holds the class",
        value=repr(wanted) if wanted is not None else f"none of {', '.join(USUAL[:3])}",
        mend=did_you_mean(wanted or "class", names),
    )


def _read_table(path: Path, field: str | None, crs: str | None) -> Marks:
    """A CSV with a header: row,col,class (from 0), x,y,class (in the cube's system) or lon,lat,class."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as cause:
        raise damaged(path, "CSV", cause) from cause
    head = text.partition("\n")[0]
    rows = list(csv.reader(text.splitlines(), delimiter=max(",;\t", key=head.count)))
    names = [name.strip().lower() for name in rows[0]] if rows else []
    pairs = ((("row", "col"), True), (("row", "column"), True), (("x", "y"), False), (("lon", "lat"), False))
    found = next(((pair, pixels) for pair, pixels in pairs if set(pair) <= set(names)), None)
    if found is None:
        raise SceneError(
            f"{path} must begin with a header of columns row,col,class or x,y,class or lon,lat,class",
            value=repr(head[:60]),
            mend="Write such a first line; rows and columns are counted from 0.",
        )
    pair, pixels = found
    others = [name for name in names if name not in pair]
    a, b = names.index(pair[0]), names.index(pair[1])
    c = names.index(_named(path, field, others))
    values: list[Any] = []
    places: list[Any] = []
    skipped = 0
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(a, b, c) or not row[c].strip():
            skipped += 1
            continue
        try:
            place = (int(row[a]), int(row[b])) if pixels else (float(row[a]), float(row[b]))
        except ValueError:
            raise SceneError(
                f"{path}: {pair[0]} and {pair[1]} must be {'whole ' if pixels else ''}numbers",
                value=f"{row[a]!r}, {row[b]!r} in line {line}",
                mend="Correct that line.",
            ) from None
        values.append(row[c].strip())
        places.append(place if pixels else {"type": "Point", "coordinates": place})
    if not values:
        raise SceneError(f"{path} must hold labelled pixels", value="no row", mend="Add rows below the header.")
    own = crs or (WGS84 if pair == ("lon", "lat") else None)
    return Marks(_alike(values), tuple(places), pixels, None if pixels else own, skipped)


def _alike(values: list[Any]) -> tuple[int | str, ...]:
    """All as whole numbers where all are, else all as text."""
    texts = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip() for v in values]
    try:
        return tuple(int(text) for text in texts)
    except ValueError:
        return tuple(texts)
