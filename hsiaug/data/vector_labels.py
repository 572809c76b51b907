"""Labels that are no raster: points and polygons of a layer or an ENVI ROI, and rows of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.base.text import setting, some_of, text_of_spreadsheet
from hsiaug.data.layers import (
    GEOJSON,
    REGION_TEXT,
    Marks,
    read_layer,
    read_region_text,
    read_regions,
)
from hsiaug.data.raw import reading
from hsiaug.data.tables import (
    BAND,
    DEGREES,
    LIBRARIES,
    PIXELS,
    TABLES,
    numbers_in,
    place_columns,
    read_frame,
    read_text,
)
from hsiaug.data.texts import plain_name, spellings_note

if TYPE_CHECKING:
    from shapely import Geometry

KINDS = (*TABLES, ".txt", *LIBRARIES, ".roi", *GEOJSON, ".xml")
"""Endings of label files that hold marks, not a raster; of layers, those that are text alone."""

SHAPES = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
"""Geometries that mark pixels."""

USUAL = ("class", "label", "class_name", "classname", "name", "id")
"""Names of the attribute that holds the class, in order of preference."""

VAGUE = ("name", "id")
"""Those of them that often number the marks and not the classes."""

MISSING = ("", "nan", "null", "n/a", "#n/a", "<na>")
"""Cells, in small letters, of rows that have no class, as pandas reads them."""

MOST_SHOWN = 30
WGS84 = "EPSG:4326"


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
    size : (int, int) or None
        Height and width of the image that they are of, where the file says.
    drawn : bool
        Whether somebody drew the marks: then class 0 is one, where a table may list pixels without
        a class.
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
    size: tuple[int, int] | None = None
    drawn: bool = False
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
    path: Path, field: str | None, crs: str | None, key: str | None = None
) -> VectorLabels:
    """The marks of a file.

    Parameters
    ----------
    field : str or None
        The attribute or column of the class, None = the usual one.
    crs : str or None
        Of their coordinates, None = what the file says.
    key : str or None
        A layer of a GeoPackage, or a sheet of an Excel file, that has several.

    Raises
    ------
    SceneError
        Where the file is damaged, empty or of another kind.
    InputError
        For a field it does not have.
    DataUnavailableError
        Where a library is missing.
    """
    suffix = path.suffix.lower()
    if suffix == ".roi" or (
        suffix == ".txt" and read_text(path, "ENVI ROI").startswith(REGION_TEXT)
    ):
        return _of_region_text(path)
    if suffix in (*TABLES, ".txt", *LIBRARIES):
        return _of_table(path, field, crs, key)
    if suffix == ".xml":
        return _of_marks(path, read_regions(path), field, crs)
    marks, notes = read_layer(path, key)
    found = _of_marks(path, marks, field, crs)
    return replace(found, notes=(*notes, *found.notes))


def _of_region_text(path: Path) -> VectorLabels:
    text = read_text(path, "ENVI ROI")
    if not text.startswith(REGION_TEXT):
        raise SceneError(
            f"{path} must be regions of ENVI as text or as XML",
            value="a file .roi of ENVI Classic, which is neither",
            hint="Save the regions in ENVI as XML or as ASCII text, or export a shapefile.",
        )
    with reading(path, "ENVI ROI"):
        classes, pixels, size = read_region_text(text)
    notes = spellings_note(classes)
    return VectorLabels(_convert_values(classes), pixels, size=size, drawn=True, notes=notes)


def _of_table(path: Path, field: str | None, crs: str | None, key: str | None) -> VectorLabels:
    """The rows of a table with columns row,col,class (from 0), x,y,class or lon,lat,class."""
    frame, decimal = read_frame(path, key)
    place = place_columns(frame)
    if place is None:
        raise SceneError(
            f"{path} must begin with a header of columns row,col,class or x,y,class or"
            " lon,lat,class",
            value=repr(", ".join(frame.columns)[:60]),
            hint="Write such a first line; rows and columns are counted from 0.",
        )
    columns = {
        name: frame[name].tolist()
        for name in frame.columns
        if name and name not in place and not BAND.fullmatch(name)
    }
    column = _choose_column(path, field, columns)
    labelled = frame[~frame[column].str.lower().isin(MISSING)]
    places = numbers_in(labelled[[*place]], decimal)
    wrong = ~np.isfinite(places).all(axis=1)
    if place in PIXELS:
        wrong |= (places != np.rint(places)).any(axis=1)
    if wrong.any():
        row = labelled[wrong].iloc[0]
        raise SceneError(
            f"{path}: {' and '.join(place)} must be"
            f" {'whole numbers' if place in PIXELS else 'numbers'}",
            value=f"{row[place[0]][:40]!r}, {row[place[1]][:40]!r} in line {row.name}",
            hint="Correct that line; decimal commas need semicolons between columns.",
        )
    if labelled.empty:
        raise SceneError(
            f"{path} must hold labelled pixels", value="no row", hint="Add rows below the header."
        )
    classes = [text_of_spreadsheet(text) for text in labelled[column]]
    marks = VectorLabels(
        _convert_values(classes),
        skipped=len(frame) - len(labelled),
        field=_field_text(column, columns),
        notes=spellings_note(classes),
    )
    if place in PIXELS:
        # Far beyond any cube is all that matters of numbers that no array can hold.
        rows_and_columns = np.clip(places, -1, 2**40).astype(np.int64).tolist()
        return replace(marks, pixels=tuple(map(tuple, rows_and_columns)))
    import shapely

    crs = crs or (WGS84 if place in DEGREES else None)
    return replace(marks, shapes=tuple(shapely.points(places)), crs=crs)


def _of_marks(path: Path, marks: Marks, field: str | None, crs: str | None) -> VectorLabels:
    """The shapes of a layer, or of regions, that have a class and a place."""
    column = _choose_column(path, field, marks.columns)
    pairs = [
        (shape, value)
        for shape, value in zip(marks.shapes, marks.columns[column], strict=True)
        if shape is not None and value is not None and plain_name(str(value))
    ]
    strange = sorted({shape.geom_type for shape, _ in pairs} - set(SHAPES))[:8]
    if strange or not pairs:
        others = [name for name, values in marks.columns.items() if _repeats(values)]
        hint = "Keep points and polygons only; buffer lines first."
        if not strange and others:
            another = setting("field", others[0])
            hint = f"No mark has a value of {column!r}; another attribute: {another}."
        raise SceneError(
            f"{path} must hold points or polygons that have a class",
            value=", ".join(strange) or "none",
            hint=hint,
        )
    values = [value for _, value in pairs]
    classes = _convert_values(values)
    notes = spellings_note(_texts(values))
    if len(set(classes)) == len(classes) > 3:
        alone = f"each of the {len(values):,} labels has a class of its own"
        notes = (*notes, f"{alone}: `field` names another attribute")
    return VectorLabels(
        classes,
        shapes=tuple(shape for shape, _ in pairs),
        crs=marks.crs if marks.crs == "" else crs or marks.crs,
        drawn=True,
        skipped=len(marks.shapes) - len(pairs),
        field=_field_text(column, marks.columns),
        notes=notes,
    )


def _choose_column(path: Path, field: str | None, columns: dict[str, list[object]]) -> str:
    """The attribute of the class, of all there are, with the values of all marks.

    Raises
    ------
    InputError
        Where there is none, or where the usual one numbers the marks and another repeats its
        values.
    """
    lower = {plain_name(name).lower(): name for name in columns}
    wanted = USUAL if field is None else (plain_name(field).lower(),)
    column = next((lower[name] for name in wanted if name in lower), "")
    if not column and field is None and len(columns) == 1:
        (column,) = columns
    found = [
        name
        for name, values in columns.items()
        if field is None and name != column and _repeats(values)
    ]
    texts = [str(value) for value in columns.get(column, ())]
    numbers_marks = column.lower() in VAGUE and found and len(set(texts)) == len(texts) > 2
    if column and not numbers_marks:
        return column
    value = repr(field) if field is not None else f"none of {', '.join(USUAL[:3])}"
    hint = did_you_mean(field or "class", [*columns][:MOST_SHOWN])
    if numbers_marks:
        value = f"{column!r}, of which each of the {len(texts):,} marks has its own"
        hint = f"Say {setting('field', found[0])}, or {setting('field', column)} to take it."
    elif found:
        hint = f"For example {setting('field', found[0])}; {some_of([*columns], MOST_SHOWN)}."
    raise InputError(
        f"`field` must name the attribute of {path} that holds the class", value=value, hint=hint
    )


def _repeats(values: Sequence[object]) -> bool:
    """Whether values are of some classes: at least two, and fewer than there are marks."""
    texts = [str(value) for value in values if value not in (None, "")]
    return 1 < len(set(texts)) < len(texts)


def _field_text(column: str, columns: dict[str, list[object]]) -> str:
    """Which attribute was taken, of which others; "" where there are none."""
    others = [name for name in columns if name != column]
    return f"{column} (also there: {some_of(others, MOST_SHOWN)})" if others else ""


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
