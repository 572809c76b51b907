"""ESRI shapefiles, read by pyshp (the extra ``geo``): pure Python, so that a damaged one is an error."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hsiaug.base.errors import DataUnavailableError, HsiaugError, SceneError, install
from hsiaug.data.bounds import in_bytes
from hsiaug.data.geopackage import MOST_BYTES, Feature, too_large
from hsiaug.data.raw import damaged

__all__ = ["read_shapefile"]

SIGNATURE = b"\0\0\x27\x0a"

MOST_FEATURES = 250_000
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
        raise too_large(path, MOST_FEATURES, f"{file.name} with {in_bytes(file.stat().st_size)}")
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
        if max(shapes, rows) > MOST_FEATURES:
            raise too_large(path, MOST_FEATURES, f"{max(shapes, rows):,} labels")
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
