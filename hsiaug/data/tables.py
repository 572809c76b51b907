"""Tables of labelled pixels: CSV, Parquet and Excel."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hsiaug.base.errors import SceneError, need
from hsiaug.base.text import setting, text_of_spreadsheet
from hsiaug.data.bounds import in_bytes
from hsiaug.data.raw import reading
from hsiaug.data.texts import decode, plain_name

FRAMES = (".parquet", ".xlsx")
"""Endings of tables whose cells have types, which pandas reads."""

MOST_BYTES = 2**26
"""Maximum size of a table or GeoJSON (64 MiB): some three million points."""

DEGREES = (("lon", "lat"), ("lng", "lat"), ("long", "lat"), ("longitude", "latitude"))
PIXELS = (("row", "col"), ("row", "column"))
PLACES = (*PIXELS, ("x", "y"), ("easting", "northing"), *DEGREES)
"""Pairs of columns that say a place."""

BAND = re.compile(
    r"(?P<word>band|b|r|x|wl|nm)?[ _.]*(?P<number>\d+(?:\.\d+)?)[ _]*(?P<unit>nm|um|µm)?"
)
"""Names of columns of bands, in small letters: their centres, or a word with their number. None of
them holds classes.
"""

MISSING = ("", "nan", "null", "n/a", "#n/a", "<na>")
"""Cells, in small letters, of rows that have no class, as pandas reads them."""


@dataclass(frozen=True)
class Table:
    """The rows of a table that have a class.

    Attributes
    ----------
    place : tuple of str
        One of PLACES.
    places : list of (float, float)
        Numbers of its two columns.
    classes : list of str
        The class of each row.
    skipped : int
        Rows without a class.
    attribute, others : str or list of str
        The column of the class, and other columns.
    """

    place: tuple[str, str]
    places: list[tuple[float, float]]
    classes: list[str]
    skipped: int
    attribute: str
    others: list[str]


def read_text(path: Path, kind: str) -> str:
    """Return the text of a file that is not too large for labels. Raises SceneError."""
    with reading(path, kind), path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(
                f"more than {in_bytes(MOST_BYTES)}: keep the labels on the cube, or give a raster"
            )
        return decode(content)


def read_table(
    path: Path, key: str | None, choose: Callable[[list[str], Callable[[str], list[str]]], str]
) -> Table:
    """A table with a header of columns row,col,class (from 0), x,y,class or lon,lat,class.

    Parameters
    ----------
    key : str or None
        The sheet of an Excel file; None = the only one.
    choose : callable
        Gives the column of the class, of the names of columns and of what gives their cells.

    Raises
    ------
    SceneError
        For a damaged table, one without such a header, and for a place that is none.
    """
    rows, separator = read_rows(path, key)
    names = column_names(rows)
    place = next((pair for pair in PLACES if set(pair) <= set(names)), None)
    if place is None:
        raise SceneError(
            f"{path} must begin with a header of columns row,col,class or x,y,class or"
            " lon,lat,class",
            value=repr(separator.join(rows[0])[:60] if rows else ""),
            hint="Write such a first line; rows and columns are counted from 0.",
        )
    others = [name for name in names if name and name not in place and not BAND.fullmatch(name)]
    whole_rows = [row for row in rows[1:] if len(row) == len(names)]
    attribute = choose(others, lambda name: [row[names.index(name)] for row in whole_rows])
    columns = [names.index(name) for name in (*place, attribute)]
    is_valid = float.is_integer if place in PIXELS else math.isfinite
    table = Table(place, [], [], 0, attribute, others)
    skipped = 0
    for number, row in enumerate(rows[1:], start=2):
        if len(row) <= max(columns) or row[columns[2]].strip().lower() in MISSING:
            skipped += any(cell.strip() for cell in row)
            continue
        first, second = (number_of(row[column], separator) for column in columns[:2])
        if not (is_valid(first) and is_valid(second)):
            raise SceneError(
                f"{path}: {' and '.join(place)} must be"
                f" {'whole numbers' if place in PIXELS else 'numbers'}",
                value=f"{row[columns[0]][:40]!r}, {row[columns[1]][:40]!r} in line {number}",
                hint="Correct that line; decimal commas need semicolons between columns.",
            )
        table.places.append((first, second))
        table.classes.append(text_of_spreadsheet(row[columns[2]].strip()))
    if not table.classes:
        raise SceneError(
            f"{path} must hold labelled pixels", value="no row", hint="Add rows below the header."
        )
    return Table(place, table.places, table.classes, skipped, attribute, others)


def column_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of the columns of a table, in one spelling and small letters."""
    return [plain_name(name).lower() for name in rows[0]] if rows else []


def read_rows(path: Path, sheet: str | None) -> tuple[list[list[str]], str]:
    """The cells of a table as text, its header first, and what separates its columns."""
    if path.suffix.lower() in FRAMES:
        return _read_frame(path, sheet), "\t"
    text = read_text(path, "CSV")
    head, _, rest = text.partition("\n")
    # In a first line spreadsheets say what separates columns.
    if match := re.fullmatch(r'"?sep=(.)"?', head.strip("\r")):
        text, separator = rest, match[1]
    else:
        separator = max(",;\t|", key=head.count)
    with reading(path, "CSV"):
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)), separator


def _read_frame(path: Path, sheet: str | None) -> list[list[str]]:
    """The cells of a table of Parquet or Excel. Raises SceneError for several sheets without a
    name of one, DataUnavailableError where the library is missing.
    """
    import pandas

    suffix = path.suffix.lower()
    library = {".parquet": "pyarrow", ".xlsx": "openpyxl"}[suffix]
    need(f"a table in {suffix}", "tables", library, instead="save the table as CSV")
    with reading(path, f"{suffix} table"):
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {in_bytes(MOST_BYTES)}: give a raster")
        if suffix == ".parquet":
            frames = {"": pandas.read_parquet(path)}
        else:
            frames = pandas.read_excel(path, sheet_name=None)
        frames = {name: frame for name, frame in frames.items() if len(frame)}
    if sheet is not None:
        frames = {sheet: frames[sheet]} if sheet in frames else {}
    if len(frames) != 1:
        raise SceneError(
            f"{path} must hold one table, or be told which",
            value=f"{len(frames)} sheets with rows: {', '.join(frames) or 'none of that name'}",
            hint=f"Name one: {setting('labels_key', next(iter(frames), 'SHEET'))}.",
        )
    frame = next(iter(frames.values()))
    cells = frame.astype(object).where(frame.notna(), "").map(str)
    return [[str(name) for name in frame.columns], *cells.values.tolist()]


def number_of(text: str, separator: str) -> float:
    """The number of a cell, with a decimal comma where columns are separated by something else; NaN
    for another text.
    """
    try:
        return float(text if separator == "," else text.replace(",", "."))
    except ValueError:
        return math.nan
