"""Cubes as CSV: a row for each pixel, with its place and a column for each band."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.data.bounds import check_array
from hsiaug.data.raw import RawArray, reading
from hsiaug.data.tables import BAND, DEGREES, PIXELS, PLACES, column_names, number_of, read_rows

TABLES = (".csv", ".tsv")
"""Endings of tables that may hold a cube."""

NUMBERED = ("band", "b")
"""Words before the number of a band, which is no wavelength."""

OFF = 0.01
"""Share of a step by which coordinates may lie beside a regular grid."""

Grid = tuple[tuple[float, ...], str]
"""An affine transform of columns and rows, and the coordinate system, "" where it is not known."""


def read_table_cube(path: Path) -> RawArray:
    """The pixels of a table on their grid (height, width, band), NaN where a pixel has no row.

    Raises SceneError for a table without columns of a place or of bands, with a pixel twice, and
    for coordinates that lie on no regular grid.
    """
    names, place, bands, numbers = _read(path)
    pixels, _ = _on_grid(path, numbers[:, :2], is_pixels=place in PIXELS)
    height, width = (int(length) for length in pixels.max(axis=0) + 1)
    with reading(path, "table"):
        check_array(path, (height, width, len(bands)), 4, labels=False)
    cube = np.full((height, width, len(bands)), np.nan, np.float32)
    cube[pixels[:, 0], pixels[:, 1]] = numbers[:, 2:]
    matches = [BAND.fullmatch(names[column]) for column in bands]
    stated = [float(match["number"]) for match in matches if match]
    counted = any(match["word"] in NUMBERED for match in matches if match)
    counted |= stated in (
        [*map(float, range(len(stated)))],
        [*map(float, range(1, len(bands) + 1))],
    )
    units = {match["unit"] for match in matches if match and match["unit"]}
    unit = units.pop() if len(units) == 1 else ""
    centres, note = (None, "") if counted else centres_in_nm(stated, unit)
    others = [n for i, n in enumerate(names) if n and i not in bands and n not in place]
    notes = [f"columns that are no band: {', '.join(others[:12])}"] if others else []
    return RawArray(
        cube, wavelengths=centres, nodata=math.nan, notes=(*notes, *([note] if note else []))
    )


def table_grid(path: Path) -> Grid | None:
    """Where the pixels of a table with coordinates lie; None of a table in rows and columns, and of
    one that is no cube.
    """
    try:
        _, place, _, numbers = _read(path)
        if place in PIXELS:
            return None
        _, (left, top, across, down) = _on_grid(path, numbers[:, :2], is_pixels=False)
    except SceneError:
        return None
    transform = (across, 0.0, left - across / 2, 0.0, -down, top + down / 2)
    return transform, "OGC:CRS84" if place in DEGREES else ""


def _read(path: Path) -> tuple[list[str], tuple[str, str], list[int], NDArray[np.float64]]:
    """Names of columns, those of the place, indices of the bands, and the numbers (n, 2 + bands) of
    place and bands of each row.
    """
    rows, separator = read_rows(path, None)
    names = column_names(rows)
    place = next((pair for pair in PLACES if set(pair) <= set(names)), None)
    bands = [
        i for i, name in enumerate(names) if BAND.fullmatch(name) and name not in (place or ())
    ]
    whole_rows = [row for row in rows[1:] if len(row) == len(names)]
    if place is None or not bands or not whole_rows:
        raise SceneError(
            f"{path}, a cube as a table, must have columns row,col or x,y and one for each band",
            value=", ".join(rows[0][:8]) if rows else "nothing",
            hint="Name each band by its centre in nm, as 450.5, or b1, b2, …; rows count from 0.",
        )
    columns = [*(names.index(name) for name in place), *bands]
    numbers = np.array([[number_of(row[i], separator) for i in columns] for row in whole_rows])
    return names, place, bands, numbers


def _on_grid(
    path: Path, places: NDArray[np.float64], *, is_pixels: bool
) -> tuple[NDArray[np.int64], tuple[float, float, float, float]]:
    """(n, 2) row and column of places, and of coordinates the first x, the largest y and the steps
    across and down.
    """
    if not np.isfinite(places).all():
        raise SceneError(f"{path}: each pixel must have a place", hint="Fill or delete its row.")
    grid = (0.0, 0.0, 1.0, 1.0)
    pixels = places
    if not is_pixels:
        across, down = (_step(places[:, axis]) for axis in (0, 1))
        grid = (float(places[:, 0].min()), float(places[:, 1].max()), across, down)
        pixels = np.stack(
            [(grid[1] - places[:, 1]) / down, (places[:, 0] - grid[0]) / across], axis=1
        )
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


def _step(values: NDArray[np.float64]) -> float:
    """The usual smallest distance between two values that differ; 1 where all are one."""
    apart = np.diff(np.unique(values))
    apart = apart[apart > OFF * np.ptp(values) / max(1, len(values))] if len(apart) else apart
    return float(np.median(apart[apart <= 1.5 * apart.min()])) if len(apart) else 1.0
