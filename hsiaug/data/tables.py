"""Tables with a row for each pixel, as CSV, Parquet or Excel: labelled pixels, and cubes."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.arrays import Float64, Int64
from hsiaug.base.errors import SceneError, need
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.data.bounds import check_array, in_bytes
from hsiaug.data.raw import RawArray, only, reading
from hsiaug.data.texts import decode, plain_name

if TYPE_CHECKING:
    from pandas import DataFrame

TABLES = (".csv", ".tsv")
"""Endings of tables that may hold a cube."""

LIBRARIES = {".parquet": "pyarrow", ".xlsx": "openpyxl"}
"""What reads tables whose cells have types, by ending."""

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

NUMBERED = ("band", "b")
"""Words before the number of a band, which is no wavelength."""

OFF = 0.01
"""Share of a step by which coordinates may lie beside a regular grid."""

Grid = tuple[tuple[float, ...], str]
"""An affine transform of columns and rows, and the coordinate system as WKT, "" if none is known.
"""


def read_text(path: Path, kind: str) -> str:
    """Return the text of a file that is not too large for labels. Raises SceneError."""
    with reading(path, kind), path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(
                f"more than {in_bytes(MOST_BYTES)}: keep the labels on the cube, or give a raster"
            )
        return decode(content)


def read_frame(path: Path, sheet: str | None = None) -> tuple[DataFrame, str]:
    """The cells of a table as text, "" where there is none, and the sign before decimals.

    Columns are called by their names in one spelling and small letters, rows by their line from 1
    on; those without any text are left out.

    Parameters
    ----------
    sheet : str or None
        Of an Excel file; None = the only one.

    Raises
    ------
    SceneError
        For a damaged table, and several sheets without a name of one.
    DataUnavailableError
        Where the library is missing.
    """
    import pandas

    decimal = "."
    if path.suffix.lower() in LIBRARIES:
        cells = _read_typed(path, sheet)
    else:
        text = read_text(path, "CSV")
        head, _, rest = text.partition("\n")
        separator = max(",;\t|", key=head.count)
        # In a first line spreadsheets say what separates columns.
        if match := re.fullmatch(r'"?sep=(.)"?', head.strip("\r")):
            text, separator = rest, match[1]
        with reading(path, "CSV"):
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            cells = pandas.DataFrame([row or [""] for row in rows] or [[""]])
        decimal = "." if separator == "," else ","
    cells = cells.astype(object).where(cells.notna(), "").map(lambda cell: str(cell).strip())
    cells.columns = [plain_name(name).lower() for name in cells.iloc[0]]
    cells.index += 1
    cells = cells.loc[(cells != "").any(axis=1), ~cells.columns.duplicated()]
    return cells.drop(index=1, errors="ignore"), decimal


def _read_typed(path: Path, sheet: str | None) -> DataFrame:
    """The cells of a table of Parquet or Excel, its header first."""
    import pandas

    suffix = path.suffix.lower()
    need(f"a table in {suffix}", "tables", LIBRARIES[suffix], instead="save the table as CSV")
    with reading(path, f"{suffix} table"):
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {in_bytes(MOST_BYTES)}: give a raster")
        if suffix == ".parquet":
            frames = {"": pandas.read_parquet(path)}
        else:
            frames = pandas.read_excel(path, sheet_name=None)
    frames = {name: frame for name, frame in frames.items() if len(frame) and sheet in (None, name)}
    frame = frames[only(path, [*frames], sheet, "sheet with rows")]
    return pandas.DataFrame([[*frame.columns], *frame.astype(object).to_numpy().tolist()])


def place_columns(frame: DataFrame) -> tuple[str, str] | None:
    """The two columns that say a place, one of PLACES; None where there are none."""
    return next((pair for pair in PLACES if set(pair) <= set(frame.columns)), None)


def numbers_in(frame: DataFrame, decimal: str) -> Float64:
    """(rows, columns) numbers of a table's cells, NaN for another text."""

    def number(text: str) -> float:
        try:
            return float(text.replace(decimal, "."))
        except ValueError:
            return math.nan

    return np.array(frame.map(number), dtype=np.float64)


def read_table_cube(path: Path) -> RawArray:
    """The pixels of a table on their grid (height, width, band), NaN where a pixel has no row.

    Raises SceneError for a table without columns of a place or of bands, with a pixel twice, and
    for coordinates that lie on no regular grid.
    """
    frame, place, bands, numbers = _read(path)
    pixels, _ = _on_grid(path, numbers[:, :2], is_pixels=place in PIXELS)
    height, width = (int(length) for length in pixels.max(axis=0) + 1)
    with reading(path, "table"):
        check_array(path, (height, width, len(bands)), 4, labels=False)
    cube = np.full((height, width, len(bands)), np.nan, np.float32)
    cube[pixels[:, 0], pixels[:, 1]] = numbers[:, 2:]
    matches = [match for name in bands if (match := BAND.fullmatch(name))]
    stated = [float(match["number"]) for match in matches]
    counts = [[*range(first, first + len(bands))] for first in (0, 1)]
    counted = stated in counts or any(match["word"] in NUMBERED for match in matches)
    units = {match["unit"] for match in matches if match["unit"]}
    unit = units.pop() if len(units) == 1 else ""
    centres, note = (None, "") if counted else centres_in_nm(stated, unit)
    notes = (note,) if note else ()
    if others := [name for name in frame.columns if name and name not in (*bands, *place)]:
        notes = (f"columns that are no band: {', '.join(others[:12])}", *notes)
    return RawArray(cube, wavelengths=centres, nodata=math.nan, notes=notes)


def table_grid(path: Path) -> Grid | None:
    """Where the pixels of a table with coordinates lie; None of a table in rows and columns, and of
    one that is no cube.
    """
    import rasterio

    try:
        _, place, _, numbers = _read(path)
        _, (left, top, across, down) = _on_grid(path, numbers[:, :2], is_pixels=place in PIXELS)
    except SceneError:
        return None
    if place in PIXELS:
        return None
    transform = (across, 0.0, left - across / 2, 0.0, -down, top + down / 2)
    return transform, rasterio.CRS.from_string("OGC:CRS84").to_wkt() if place in DEGREES else ""


def _read(path: Path) -> tuple[DataFrame, tuple[str, str], list[str], Float64]:
    """The table of a cube, its columns of the place and of the bands, and the numbers (n, 2 +
    bands) in these.
    """
    frame, decimal = read_frame(path)
    place = place_columns(frame)
    bands = [name for name in frame.columns if BAND.fullmatch(name) and name not in (place or ())]
    if place is None or not bands or frame.empty:
        raise SceneError(
            f"{path}, a cube as a table, must have columns row,col or x,y and one for each band",
            value=", ".join(frame.columns[:8]) or "nothing",
            hint="Name each band by its centre in nm, as 450.5, or b1, b2, …; rows count from 0.",
        )
    return frame, place, bands, numbers_in(frame[[*place, *bands]], decimal)


def _on_grid(
    path: Path, places: Float64, *, is_pixels: bool
) -> tuple[Int64, tuple[float, float, float, float]]:
    """(n, 2) row and column of places, and of coordinates the first x, the largest y and the steps
    across and down.
    """
    if not np.isfinite(places).all():
        raise SceneError(f"{path}: each pixel must have a place", hint="Fill or delete its row.")
    grid = (0.0, 0.0, 1.0, 1.0)
    pixels = places
    if not is_pixels:
        x, y = places.T
        grid = (float(x.min()), float(y.max()), _step(x), _step(y))
        pixels = np.stack([(grid[1] - y) / grid[3], (x - grid[0]) / grid[2]], axis=1)
    whole = np.rint(pixels)
    if np.abs(pixels - whole).max() > OFF or whole.min() < 0 or whole.max() > 2**20:
        raise SceneError(
            f"{path}: the pixels of a table must lie on a regular grid",
            value=f"{places[0].tolist()}, …",
            hint="Give rows and columns from 0 on, in columns row and col.",
        )
    unique, counts = np.unique(whole.astype(np.int64), axis=0, return_counts=True)
    if counts.max() > 1:
        row, column = unique[counts.argmax()].tolist()
        raise SceneError(
            f"{path}: a pixel may have one row of the table",
            value=f"row {row}, column {column} {counts.max()} times",
            hint="Delete the others.",
        )
    return whole.astype(np.int64), grid


def _step(values: Float64) -> float:
    """The usual smallest distance between two values that differ; 1 where all are one."""
    apart = np.diff(np.unique(values))
    apart = apart[apart > OFF * np.ptp(values) / len(values)]
    return float(np.median(apart[apart <= 1.5 * apart.min()])) if len(apart) else 1.0
