"""Tables of pixels: CSV, Parquet and Excel, with a row for each pixel, its place, and a column for
each band.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError, need
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.data.bounds import check_array, in_bytes
from hsiaug.data.raw import RawArray, reading
from hsiaug.data.texts import decode, plain_name

if TYPE_CHECKING:
    from pandas import DataFrame

FRAMES = (".parquet", ".xlsx")
"""Endings of tables whose cells have types, which pandas reads."""

TABLES = (".csv", ".tsv", *FRAMES)
"""Endings of tables that may hold a cube."""

MOST_BYTES = 2**26
"""Maximum size of a table or GeoJSON (64 MiB): some three million points."""

DEGREES = (("lon", "lat"), ("lng", "lat"), ("long", "lat"), ("longitude", "latitude"))
PAIRS = {
    ("row", "col"): True,
    ("row", "column"): True,
    **dict.fromkeys((("x", "y"), ("easting", "northing"), *DEGREES), False),
}
"""Columns of a place in a table, and whether these are pixels."""

BAND = re.compile(
    r"(?P<word>band|b|r|x|wl|nm)?[ _.]*(?P<number>\d+(?:\.\d+)?)[ _]*(?P<unit>nm|um|µm)?"
)
"""Names of columns of bands, in small letters: their centres, or a word with their number."""

NUMBERED = ("band", "b")
"""Words before the number of a band, which is no wavelength."""

OFF = 0.01
"""Share of a step by which coordinates may lie beside a regular grid."""


def read_text(path: Path, kind: str) -> str:
    """Return the text of a file that is not too large for labels. Raises SceneError."""
    with reading(path, kind), path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(
                f"more than {in_bytes(MOST_BYTES)}: keep the labels on the cube, or give a raster"
            )
        return decode(content)


def separated(text: str) -> tuple[str, str]:
    """A table without the first line in which spreadsheets say what separates its columns; and what
    does.
    """
    head, _, table = text.partition("\n")
    if match := re.fullmatch(r'"?sep=(.)"?', head.strip("\r")):
        return table, match[1]
    return text, max(",;\t|", key=head.count)


def read_rows(path: Path) -> tuple[list[list[str]], str]:
    """The cells of a table as text, its header first, and what separates its columns.

    Raises
    ------
    SceneError
        For a damaged or too large file.
    DataUnavailableError
        Where the library for Parquet or Excel is missing.
    """
    if path.suffix.lower() in FRAMES:
        frame = _read_frame(path)
        cells = [["" if _missing(value) else str(value) for value in row] for row in frame.values]
        return [[str(name) for name in frame.columns], *cells], "\t"
    text, separator = separated(read_text(path, "CSV"))
    with reading(path, "CSV"):
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)), separator


def table_parts(
    rows: Sequence[Sequence[str]],
) -> tuple[list[str], tuple[str, str] | None, list[Sequence[str]]]:
    """Of a table the names of its columns, in one spelling and small letters; those that say a
    place, None where none do; and the rows below its header that have a cell for each.
    """
    names = [plain_name(name).lower() for name in rows[0]] if rows else []
    place = next((pair for pair in PAIRS if set(pair) <= set(names)), None)
    return names, place, [row for row in rows[1:] if len(row) == len(names)]


def _places(
    rows: Sequence[Sequence[str]], at: Sequence[int], separator: str
) -> NDArray[np.float64]:
    """(n, 2) numbers in two columns of rows."""
    return np.array([[number_of_cell(row[i], separator) for i in at] for row in rows])


def _missing(value: Any) -> bool:
    return value is None or value != value


def _read_frame(path: Path) -> DataFrame:
    import pandas

    suffix = path.suffix.lower()
    library = {".parquet": "pyarrow", ".xlsx": "openpyxl"}[suffix]
    need(f"a table in {suffix}", "tables", library, instead="save the table as CSV")
    with reading(path, f"{suffix} table"):
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {in_bytes(MOST_BYTES)}: give a raster")
        return pandas.read_parquet(path) if suffix == ".parquet" else pandas.read_excel(path)


def read_table_cube(path: Path) -> RawArray:
    """The pixels of a table on their grid (height, width, band), NaN where a pixel has no row.

    Raises
    ------
    SceneError
        For a table without columns of a place or of bands, with a place twice, and for coordinates
        that lie on no regular grid.
    DataUnavailableError
        Where the library for Parquet or Excel is missing.
    """
    rows, separator = read_rows(path)
    names, place_names, cells = table_parts(rows)
    bands = [(place, match) for place, name in enumerate(names) if (match := BAND.fullmatch(name))]
    if place_names is None or not bands or not cells:
        rule = f"{path}, a cube as a table, must have columns row,col or x,y and one for each band"
        hint = "Name each band by its centre in nm, as 450.5, or b1, b2, …; rows count from 0."
        raise SceneError(rule, value=", ".join(rows[0][:8]) if rows else "nothing", hint=hint)
    at = [names.index(name) for name in place_names]
    pixels, _ = _on_grid(path, _places(cells, at, separator), PAIRS[place_names])
    height, width = (int(length) for length in pixels.max(axis=0) + 1)
    shape = height, width, len(bands)
    with reading(path, "table"):
        check_array(path, shape, 4, labels=False)
    cube = np.full(shape, np.nan, np.float32)
    for place, (column, _) in enumerate(bands):
        values = [number_of_cell(row[column], separator) for row in cells]
        cube[pixels[:, 0], pixels[:, 1], place] = values
    centres, note = _centres([match for _, match in bands])
    used = {*at, *(column for column, _ in bands)}
    others = [rows[0][i] for i in range(len(names)) if i not in used]
    notes = [f"columns that are no band: {', '.join(others[:12])}"] if others else []
    return RawArray(
        cube, wavelengths=centres, nodata=math.nan, notes=(*notes, *([note] if note else []))
    )


def table_place(path: Path) -> tuple[tuple[float, ...], str] | None:
    """The transform of the grid of a table with coordinates, and its system, "" where it is not
    known; None of a table in rows and columns, and of one that is no cube.
    """
    try:
        rows, separator = read_rows(path)
        names, pair, cells = table_parts(rows)
        if pair is None or PAIRS[pair] or not cells or not any(map(BAND.fullmatch, names)):
            return None
        places = _places(cells, [names.index(name) for name in pair], separator)
        _, (left, top, across, down) = _on_grid(path, places, are_pixels=False)
    except SceneError:
        return None
    transform = (across, 0.0, left - across / 2, 0.0, -down, top + down / 2)
    return transform, "OGC:CRS84" if pair in DEGREES else ""


def _on_grid(
    path: Path, places: NDArray[np.float64], are_pixels: bool
) -> tuple[NDArray[np.int64], tuple[float, float, float, float]]:
    """(n, 2) row and column of places, and of coordinates the first x, the largest y and the steps
    across and down.
    """
    if not np.isfinite(places).all():
        raise SceneError(f"{path}: each pixel must have a place", hint="Fill or delete its row.")
    grid = (0.0, 0.0, 1.0, 1.0)
    pixels = places
    if not are_pixels:
        steps = [_step(places[:, axis]) for axis in (0, 1)]
        left, top = float(places[:, 0].min()), float(places[:, 1].max())
        grid = (left, top, *steps)  # type: ignore[assignment]
        pixels = np.stack(
            [(top - places[:, 1]) / steps[1], (places[:, 0] - left) / steps[0]], axis=1
        )
    whole = np.rint(pixels)
    if np.abs(pixels - whole).max() > OFF or whole.min() < 0 or whole.max() > 2**20:
        rule = f"{path}: the pixels of a table must lie on a regular grid"
        hint = "Give rows and columns from 0 on, in columns row and col."
        raise SceneError(rule, value=f"{places[0].tolist()}, …", hint=hint)
    whole = whole.astype(np.int64)
    unique, counts = np.unique(whole, axis=0, return_counts=True)
    if counts.max() > 1:
        row, column = unique[counts.argmax()].tolist()
        value = f"row {row}, column {column} {counts.max()} times"
        raise SceneError(
            f"{path}: a pixel may have one row of the table", value=value, hint="Delete the others."
        )
    return whole, grid


def _step(values: NDArray[np.float64]) -> float:
    """The smallest distance between two values that differ; 1 where all are one."""
    apart = np.diff(np.unique(values))
    apart = apart[apart > OFF * np.ptp(values) / max(1, len(values))] if len(apart) else apart
    return float(np.median(apart[apart <= 1.5 * apart.min()])) if len(apart) else 1.0


def _centres(bands: Sequence[re.Match[str]]) -> tuple[NDArray[np.float64] | None, str]:
    """Band centres in nm of the names of columns; None where these are numbers of bands."""
    if any(match["word"] in NUMBERED for match in bands):
        return None, ""
    units = {match["unit"] or "" for match in bands} - {""}
    stated = [float(match["number"]) for match in bands]
    if stated == [float(i) for i in range(len(bands))] or stated == [
        float(i) for i in range(1, len(bands) + 1)
    ]:
        return None, ""
    return centres_in_nm(stated, units.pop() if len(units) == 1 else "")


def number_of_cell(text: str, separator: str) -> float:
    """The number of a cell, with a decimal comma where columns are separated by something else; NaN
    for another text.
    """
    try:
        return float(text if separator == "," else text.replace(",", "."))
    except ValueError:
        return math.nan
