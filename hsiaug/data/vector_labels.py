"""Labels that are no raster: points and polygons of a layer or an ENVI ROI, and rows of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.base.text import setting, some_of
from hsiaug.data.envi_regions import TEXT, read_region_text, read_regions
from hsiaug.data.layers import GEOJSON, read_layer
from hsiaug.data.raw import reading
from hsiaug.data.tables import DEGREES, FRAMES, PIXELS, read_table, read_text
from hsiaug.data.texts import plain_name, spellings_note

if TYPE_CHECKING:
    from shapely import Geometry

TABLES = (".csv", ".tsv", ".txt", *FRAMES, ".roi")

KINDS = (*TABLES, *GEOJSON, ".xml")
"""Endings of label files that hold marks, not a raster; of layers, those that are text alone."""

SHAPES = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
"""Geometries that mark pixels."""

USUAL = ("class", "label", "class_name", "classname", "name", "id")
"""Names of the attribute that holds the class, in order of preference."""

VAGUE = ("name", "id")
"""Those of them that often number the marks and not the classes."""

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
    if suffix in (".txt", ".roi"):
        text = read_text(path, "ENVI ROI")
        if suffix == ".roi" or text.startswith(TEXT):
            return _of_region_text(path, text)
    if suffix in TABLES:
        return _of_table(path, field, crs, key)
    notes: tuple[str, ...] = ()
    if suffix == ".xml":
        marks = read_regions(path)
    else:
        marks, notes = read_layer(path, key)
    names = list(marks.columns)
    column = _choose_column(path, field, names, marks.columns.__getitem__)
    pairs = [
        (shape, value)
        for shape, value in zip(marks.shapes, marks.columns[column], strict=True)
        if shape is not None and value is not None and plain_name(str(value))
    ]
    strange = sorted({shape.geom_type for shape, _ in pairs} - set(SHAPES))[:8]
    if strange or not pairs:
        others = [name for name in names if _repeats(marks.columns[name])]
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
    return VectorLabels(
        _convert_values(values),
        shapes=tuple(shape for shape, _ in pairs),
        crs=marks.crs if marks.crs == "" else crs or marks.crs,
        drawn=True,
        skipped=len(marks.shapes) - len(pairs),
        field=_field_text(column, names),
        notes=(*notes, *_value_notes(values)),
    )


def _of_region_text(path: Path, text: str) -> VectorLabels:
    if not text.startswith(TEXT):
        raise SceneError(
            f"{path} must be regions of ENVI as text or as XML",
            value="a file .roi of ENVI Classic, which is neither",
            hint="Save the regions in ENVI as XML or as ASCII text, or export a shapefile.",
        )
    with reading(path, "ENVI ROI"):
        classes, places, size = read_region_text(text)
    values = _convert_values(classes)
    pixels = tuple(map(tuple, places.tolist()))
    return VectorLabels(values, pixels, size=size, drawn=True, notes=spellings_note(classes))


def _of_table(path: Path, field: str | None, crs: str | None, key: str | None) -> VectorLabels:
    table = read_table(path, key, lambda names, cells: _choose_column(path, field, names, cells))
    marks = VectorLabels(
        _convert_values(table.classes),
        skipped=table.skipped,
        field=_field_text(table.attribute, table.others),
        notes=spellings_note(table.classes),
    )
    if table.place in PIXELS:
        # Far beyond any cube is all that matters of numbers that no array can hold.
        rows_and_columns = np.clip(table.places, -1, 2**40).astype(np.int64).tolist()
        return replace(marks, pixels=tuple(map(tuple, rows_and_columns)))
    import shapely

    in_degrees = table.place in DEGREES
    return replace(
        marks,
        shapes=tuple(shapely.points(table.places)),
        crs=crs or (WGS84 if in_degrees else None),
    )


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
    wanted = (field,) if field is not None else USUAL
    column = next((lower[key] for name in wanted if (key := plain_name(name).lower()) in lower), "")
    if not column and field is None and len(names) == 1:
        column = names[0]
    found = [] if field is not None else [n for n in names if n != column and _repeats(values(n))]
    texts = [str(value) for value in values(column)] if column else []
    numbers_marks = column.lower() in VAGUE and found and len(set(texts)) == len(texts) > 2
    if column and not numbers_marks:
        return column
    value = repr(field) if field is not None else f"none of {', '.join(USUAL[:3])}"
    hint = did_you_mean(field or "class", names[:MOST_SHOWN])
    if numbers_marks:
        value = f"{column!r}, of which each of the {len(texts):,} marks has its own"
        hint = f"Say {setting('field', found[0])}, or {setting('field', column)} to take it."
    elif found:
        hint = f"For example {setting('field', found[0])}; {some_of(names, MOST_SHOWN)}."
    raise InputError(
        f"`field` must name the attribute of {path} that holds the class", value=value, hint=hint
    )


def _repeats(values: Sequence[object]) -> bool:
    """Whether values are of some classes: at least two, and fewer than there are marks."""
    texts = [str(value) for value in values if value not in (None, "")]
    return 1 < len(set(texts)) < len(texts)


def _field_text(column: str, names: Sequence[str]) -> str:
    """Which attribute was taken, of which others; "" where there are none."""
    others = [name for name in names if name != column]
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


def _value_notes(values: Sequence[object]) -> tuple[str, ...]:
    """Sentences on the classes of all marks, as where each of several has one of its own."""
    notes = spellings_note(_texts(values))
    classes = _convert_values(values)
    if not len(set(classes)) == len(classes) > 3:
        return notes
    alone = f"each of the {len(values):,} labels has a class of its own"
    return (*notes, f"{alone}: `field` names another attribute")
