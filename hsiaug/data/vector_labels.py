"""Labels that are no raster: points and polygons of GeoJSON or an ENVI ROI, and rows of a CSV."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.base.text import some_of, text_of_spreadsheet
from hsiaug.data.annotations import refuse_annotations, refuse_xml
from hsiaug.data.envi_regions import Feature, parse_xml
from hsiaug.data.layers import is_layer, read_layer
from hsiaug.data.raw import reading
from hsiaug.data.remedies import setting
from hsiaug.data.tables import (
    BAND,
    DEGREES,
    FRAMES,
    PAIRS,
    number_of_cell,
    read_rows,
    read_text,
    table_parts,
)
from hsiaug.data.texts import plain_name, spellings_note

if TYPE_CHECKING:
    from shapely import Geometry

SEQUENCES = (".geojsonl", ".geojsons", ".geojsonseq", ".ndjson")
"""Endings of files with a feature on each line."""

KINDS = (".csv", ".tsv", ".txt", *FRAMES, ".geojson", ".json", *SEQUENCES, ".roi", ".xml")
"""Endings of label files that hold marks, not a raster."""

CLASSIC = "; ENVI Output of ROIs"
"""Begins the text of regions of ENVI Classic, which are not read."""

SHAPES = {"Point": 0, "MultiPoint": 1, "Polygon": 2, "MultiPolygon": 3}
"""Geometries that mark pixels, and how deep the positions of each lie in lists."""

USUAL = ("class", "label", "class_name", "classname", "name", "id")
"""Names of the attribute that holds the class, in order of preference."""

VAGUE = ("name", "id")
"""Those of them that often number the marks and not the classes."""

MISSING = ("", "nan", "null", "n/a", "#n/a", "<na>")
"""Cells, in small letters, of rows of a table that have no class, as pandas reads them."""

MOST_PARTS = 2_000_000
"""Lists and objects of a GeoJSON: its points, rings and features."""

MOST_RINGS = 10_000
"""Maximum number of rings of one polygon: GDAL takes time quadratic in them."""

MOST_SHOWN = 30
WGS84 = "OGC:CRS84"


@dataclass(frozen=True, eq=False)
class VectorLabels:
    """Labelled pixels or shapes, in the file's order.

    Attributes
    ----------
    values : tuple of int or str
        The class of each, a whole number or a word.
    pixels : tuple of (int, int)
        (row, column) of each, counted from 0.
    shapes : tuple of Geometry
        Its geometry, of one of SHAPES.
    crs : str or None
        The system of these, None = the cube's own, "" = columns and rows.
    skipped : int
        How many had no class or no place.
    field : str
        The attribute of the class, and others that there are.
    notes : tuple of str
        For people.
    """

    values: tuple[int | str, ...]
    pixels: tuple[tuple[int, int], ...] = ()
    shapes: tuple[Geometry, ...] = ()
    crs: str | None = None
    skipped: int = 0
    field: str = ""
    notes: tuple[str, ...] = ()

    def without(self, ignore: tuple[str, ...]) -> VectorLabels:
        """The marks whose class, as text, is not among these."""
        indices = [i for i, value in enumerate(self.values) if str(value) not in ignore]
        return replace(
            self,
            values=tuple(self.values[i] for i in indices),
            pixels=tuple(self.pixels[i] for i in indices if self.pixels),
            shapes=tuple(self.shapes[i] for i in indices if self.shapes),
        )


def read_vector_labels(
    path: Path, field: str | None, crs: str | None, layer: str | None = None
) -> VectorLabels:
    """The marks of a file.

    Parameters
    ----------
    field : str or None
        The attribute or column of the class, None = the usual one.
    crs : str or None
        Of their coordinates, None = what the file says.
    layer : str or None
        Of a GeoPackage that has several.

    Raises
    ------
    SceneError
        Where the file is damaged, empty or of another kind.
    InputError
        For a field it does not have.
    DataUnavailableError
        Where a library is missing.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".txt", *FRAMES, ".roi"):
        return _read_table(path, field, crs)
    file_crs: str | None
    if path.suffix.lower() == ".xml":
        with reading(path, "ENVI ROI"):
            text = read_text(path, "ENVI ROI")
            root = re.search(r"<([A-Za-z_][\w:.-]*)", re.sub(r"(?s)<\?.*?\?>|<!--.*?-->", "", text))
            refuse_xml(path, root[1] if root else "RegionsOfInterest")
            features, file_crs = parse_xml(text)
    elif is_layer(path):
        features, file_crs = read_layer(path, layer)
    else:
        features, file_crs = _read_geojson(path)
    columns = list(dict.fromkeys(str(name) for _, row in features for name in row))
    column = _choose_column(
        path, field, columns, lambda name: [row.get(name) for _, row in features]
    )
    marks = [
        (shape, row[column])
        for shape, row in features
        if shape and shape.get("coordinates") != [] and plain_name(str(row.get(column) or ""))
    ]
    strange = sorted({str(shape.get("type"))[:40] for shape, _ in marks} - set(SHAPES))[:8]
    if strange or not marks:
        rule = f"{path} must hold points or polygons that have a class"
        hint = "Keep points and polygons only; buffer lines first."
        others = [name for name in columns if _repeats([row.get(name) for _, row in features])]
        if not strange and others:
            another = setting("field", others[0])
            hint = f"No mark has a value of {column!r}; another attribute: {another}."
        raise SceneError(rule, value=", ".join(strange) or "none", hint=hint)
    shapes = tuple(_geometry(path, shape) for shape, _ in marks)
    values = [value for _, value in marks]
    return VectorLabels(
        _convert_values(values),
        shapes=shapes,
        # "" stands for columns and rows.
        crs=file_crs if file_crs == "" else crs or file_crs,
        skipped=len(features) - len(marks),
        field=_field_text(column, columns),
        notes=_value_notes(values),
    )


def _read_geojson(path: Path) -> tuple[list[Feature], str]:
    """(geometry, properties) of each feature, and the system: WGS 84 unless the file still has a
    member "crs".
    """
    text = read_text(path, "GeoJSON")
    if (parts := text.count("[") + text.count("{")) > MOST_PARTS:
        hint = "Keep the labels on the cube, simplify the polygons, or give the labels as a raster."
        raise SceneError(
            f"{path} may hold at most {MOST_PARTS:,} points and features",
            value=f"{parts:,}",
            hint=hint,
        )
    with reading(path, "GeoJSON FeatureCollection"):
        content = _parse_geojson(path, text)
        features: list[Feature] = []
        for number, item in enumerate(content["features"], start=1):
            feature = item if isinstance(item, dict) else {"geometry": item}
            shape = feature.get("geometry")
            properties = feature.get("properties")
            if not isinstance(shape, dict | None) or not isinstance(properties, dict | None):
                raise ValueError(f"feature {number} is none")
            features.append((shape, properties or {}))
    named = content.get("crs")
    for key in ("properties", "name"):
        named = named.get(key) if isinstance(named, dict) else None
    return features, str(named or WGS84)


def _parse_geojson(path: Path, text: str) -> dict[str, Any]:
    """A collection of features: as it is, of a single feature, or of one feature a line."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        lines = [line.strip("\x1e \t\r") for line in text.split("\n")]
        features = [json.loads(line) for line in lines if line]
        if len(features) < 2:
            raise
        return {"features": features}
    refuse_annotations(path, content)
    if isinstance(content, dict) and content.get("type") == "Feature":
        return {"features": [content], "crs": content.get("crs")}
    if not isinstance(content, dict) or "features" not in content:
        raise ValueError("no features: a geometry alone has no class; write a FeatureCollection")
    return content


def _choose_column(
    path: Path, field: str | None, names: list[str], values: Callable[[str], Sequence[object]]
) -> str:
    """The attribute of the class, of all there are.

    Parameters
    ----------
    values : callable
        Of all marks, by attribute.

    Raises
    ------
    InputError
        Where there is none, or where the usual one numbers the marks and another repeats its
        values.
    """
    lower = {plain_name(name).lower(): name for name in names}
    for name in (field,) if field is not None else USUAL:
        if plain_name(name).lower() in lower:
            column = lower[plain_name(name).lower()]
            if field is None and name in VAGUE:
                _check_repeats(path, column, names, values)
            return column
    if field is None and len(names) == 1:
        return names[0]
    rule = f"`field` must name the attribute of {path} that holds the class"
    near = [name for name in names if _repeats(values(name))] if field is None else []
    hint = (
        f"For example {setting('field', near[0])}; there are {some_of(names, MOST_SHOWN)}."
        if near
        else ""
    )
    hint = hint or did_you_mean(field or "class", names[:MOST_SHOWN])
    raise InputError(
        rule,
        value=repr(field) if field is not None else f"none of {', '.join(USUAL[:3])}",
        hint=hint,
    )


def _check_repeats(
    path: Path, column: str, names: list[str], values: Callable[[str], Sequence[object]]
) -> None:
    """Raise InputError where every mark has a class of its own, and another attribute would give
    fewer.
    """
    others = [name for name in names if name != column and _repeats(values(name))]
    texts = [str(value) for value in values(column)]
    if others and len(set(texts)) == len(texts) > 2:
        rule = f"`field` must name the attribute of {path} that holds the class"
        attribute = f"{column!r}, of which each of the {len(texts):,} marks has its own"
        hint = (
            f"Say {setting('field', others[0])}, or {setting('field', column)} to take it all the"
            " same; there are"
            f" {some_of(names, MOST_SHOWN)}."
        )
        raise InputError(rule, value=attribute, hint=hint)


def _repeats(values: Sequence[object]) -> bool:
    """Whether values are of some classes: at least two, and fewer than there are marks."""
    texts = [str(value) for value in values if value not in (None, "")]
    return 1 < len(set(texts)) < len(texts)


def _field_text(column: str, names: Sequence[str]) -> str:
    """Which attribute was taken, of which others; "" where there are none."""
    others = [name for name in names if name != column]
    return f"{column} (also there: {some_of(others, MOST_SHOWN)})" if others else ""


def _read_table(path: Path, field: str | None, crs: str | None) -> VectorLabels:
    """A CSV with a header: row,col,class (from 0), x,y,class (in the cube's system) or
    lon,lat,class.
    """
    suffix = path.suffix.lower()
    if suffix == ".roi" or (suffix not in FRAMES and read_text(path, "CSV").startswith(CLASSIC)):
        raise SceneError(
            f"{path} must be a table, or regions of ENVI as XML",
            value="a file .roi" if suffix == ".roi" else "regions of ENVI Classic",
            hint=(
                "Open the regions in ENVI 5 and save them, which writes XML with the ending .xml,"
                " or export a shapefile."
            ),
        )
    rows, separator = read_rows(path)
    first_line = separator.join(rows[0]) if rows else ""
    columns = _find_columns(path, rows, field, first_line=first_line)
    values, places, skipped = _read_rows(path, rows[1:], columns, separator)
    if not values:
        raise SceneError(
            f"{path} must hold labelled pixels", value="no row", hint="Add rows below the header."
        )
    marks = VectorLabels(
        _convert_values(values),
        skipped=skipped,
        field=columns.field,
        notes=spellings_note(values),
    )
    if columns.are_pixels:
        # Far beyond any cube is all that matters of numbers that no array can hold.
        rows_and_columns = np.clip(places, -1, 2**40).astype(np.int64).tolist()
        return replace(marks, pixels=tuple(map(tuple, rows_and_columns)))
    import shapely

    in_degrees = columns.place_names in DEGREES
    return replace(
        marks,
        shapes=tuple(shapely.points(places)),
        crs=crs or (WGS84 if in_degrees else None),
    )


@dataclass(frozen=True)
class _Columns:
    """Which columns of a table say where a mark lies, and of which class it is.

    Attributes
    ----------
    place_names : (str, str)
        One of PAIRS.
    row_at, column_at, class_at : int
        Indices, from 0: of the first and the second of these names, and of the class.
    field : str
        The attribute of the class, and others that there are.
    """

    place_names: tuple[str, str]
    row_at: int
    column_at: int
    class_at: int
    field: str

    @property
    def are_pixels(self) -> bool:
        """Whether places are rows and columns of pixels, and not coordinates."""
        return PAIRS[self.place_names]


def _find_columns(
    path: Path, rows: Sequence[Sequence[str]], field: str | None, first_line: str
) -> _Columns:
    """The columns of a table by its header.

    Parameters
    ----------
    rows : sequence of sequence of str
        The header, then a mark each.
    first_line : str
        The header as it stands in the file, which errors show.

    Raises
    ------
    SceneError
        Where no columns of a place are there.
    InputError
        Where no column of the class is.
    """
    names, place_names, full_rows = table_parts(rows)
    if place_names is None:
        rule = (
            f"{path} must begin with a header of columns row,col,class or x,y,class or"
            " lon,lat,class"
        )
        hint = (
            "Write such a first line, with commas, semicolons or tabs between columns; rows and"
            " columns are counted from 0."
        )
        raise SceneError(rule, value=repr(first_line[:60]), hint=hint)
    attributes = [
        name for name in names if name and name not in place_names and not BAND.fullmatch(name)
    ]
    attribute = _choose_column(
        path, field, attributes, lambda name: [row[names.index(name)] for row in full_rows]
    )
    return _Columns(
        place_names,
        row_at=names.index(place_names[0]),
        column_at=names.index(place_names[1]),
        class_at=names.index(attribute),
        field=_field_text(attribute, attributes),
    )


def _read_rows(
    path: Path, rows: Sequence[Sequence[str]], columns: _Columns, separator: str
) -> tuple[list[str], list[tuple[float, float]], int]:
    """The class and the place of each row that has both, and the number of rows without a class.

    Parameters
    ----------
    rows : sequence of sequence of str
        All below the header.
    separator : str
        What stands between columns.

    Raises
    ------
    SceneError
        For a place that is none.
    """
    last_at = max(columns.row_at, columns.column_at, columns.class_at)
    is_valid = float.is_integer if columns.are_pixels else math.isfinite
    values = []
    places = []
    skipped = 0
    for line, row in enumerate(rows, start=2):
        if len(row) <= last_at or row[columns.class_at].strip().lower() in MISSING:
            skipped += any(cell.strip() for cell in row)
            continue
        cells = row[columns.row_at], row[columns.column_at]
        place = number_of_cell(cells[0], separator), number_of_cell(cells[1], separator)
        if not all(map(is_valid, place)):
            raise _no_place(path, line, cells, columns)
        values.append(text_of_spreadsheet(row[columns.class_at].strip()))
        places.append(place)
    return values, places, skipped


def _no_place(path: Path, line: int, cells: tuple[str, str], columns: _Columns) -> SceneError:
    """The error for cells that should hold a place."""
    names = " and ".join(columns.place_names)
    kind = "whole numbers" if columns.are_pixels else "numbers"
    hint = "Correct that line."
    if any("," in cell for cell in cells):
        hint = "Write decimal points, or semicolons between columns with decimal commas."
    return SceneError(
        f"{path}: {names} must be {kind}",
        value=f"{cells[0][:40]!r}, {cells[1][:40]!r} in line {line}",
        hint=hint,
    )


def _geometry(path: Path, shape: dict[str, Any]) -> Geometry:
    """A geometry of GeoJSON, of one of SHAPES, without heights. Raises SceneError where it is not
    sound.
    """
    import shapely

    kind = shape["type"]
    try:
        coordinates = _without_heights(shape["coordinates"], SHAPES[kind])
        return shapely.geometry.shape({"type": kind, "coordinates": coordinates})
    except Exception as cause:  # shapely's errors of rings share no base with those above
        raise SceneError(
            f"{path}: a {kind} must have numbers as coordinates, rings of three points or more,"
            f" and at most {MOST_RINGS:,} of them",
            value=repr(shape.get("coordinates"))[:60],
            hint="Repair the geometries in a GIS, or export the layer again.",
        ) from cause


def _without_heights(coordinates: Any, depth: int) -> Any:
    """The first two numbers of each position, which lies so deep in lists. Raises TypeError or
    ValueError for anything else, and for more than MOST_RINGS rings.
    """
    if not isinstance(coordinates, list | tuple) or not coordinates:
        raise TypeError("no list of coordinates")
    if depth == SHAPES["Polygon"] and len(coordinates) > MOST_RINGS:
        raise ValueError("too many rings")
    if depth:
        return [_without_heights(one, depth - 1) for one in coordinates]
    x, y = coordinates[:2]
    if {type(x), type(y)} - {int, float} or not (math.isfinite(x) and math.isfinite(y)):
        raise TypeError("no finite numbers")
    return float(x), float(y)


def _convert_values(values: Sequence[object]) -> tuple[int | str, ...]:
    """All as whole numbers where all are, else all as text in one spelling."""
    texts = _texts(values)
    if all(re.fullmatch(r"[-+]?\d{1,18}[.,]0+", text) for text in texts):
        texts = [re.split("[.,]", text)[0] for text in texts]
    try:
        numbers = tuple(int(text) for text in texts)
    except ValueError:
        return tuple(map(plain_name, texts))
    return numbers if all(abs(number) < 2**31 for number in numbers) else tuple(texts)


def _texts(values: Sequence[object]) -> list[str]:
    """Values as text, whole numbers without a fraction."""
    return [
        str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip() for v in values
    ]


def _value_notes(values: Sequence[object]) -> tuple[str, ...]:
    """Sentences on the classes of all marks, as where each of several has one of its own."""
    notes = spellings_note(_texts(values))
    classes = _convert_values(values)
    if not len(set(classes)) == len(classes) > 3:
        return notes
    alone = f"each of the {len(values):,} labels has a class of its own"
    return (*notes, f"{alone}: `field` names another attribute")
