"""The tables of every view, as they stand in the other formats, each number linked to its records."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hsiaug.report.cells import Cell
from hsiaug.report.curves import Axis, lines
from hsiaug.report.grid import Grid
from hsiaug.report.html.anchors import Place
from hsiaug.report.html.markup import badge, escape, grid_table
from hsiaug.report.labels import MISSING
from hsiaug.report.tables import Table
from hsiaug.report.views import VIEWS

__all__ = ["KINDS", "view_tables"]

Origin = Callable[[int, int], Cell | None]
"""Row and column of a grid → the cell that its number comes from."""

KINDS: dict[str, str] = {"helps": "good", "hurts": "bad", "nothing made": "warn", "failed": "warn"}
"""Colour of a finding; the others have none."""


def view_tables(place: Place, by: str) -> list[str]:
    """The grids of a view as HTML; those without rows are left out."""
    grids = VIEWS[by](place.table)
    return [
        _linked(place, grid, origin)
        for grid, origin in zip(grids, _origins(place.table, by), strict=True)
        if grid.rows
    ]


def _linked(place: Place, grid: Grid, origin: Origin) -> str:
    def inner(row: int, column: int, text: str) -> str:
        if grid.columns[column].header == "verdict":
            return badge(text, KINDS.get(re.split(r" \(|, at", text)[0], ""))
        cell = origin(row, column) if column >= grid.keys and text != MISSING else None
        return place.cell_link(text, cell) if cell else escape(text)

    return grid_table(grid, inner)


def _origins(table: Table, by: str) -> Sequence[Origin]:
    """Where the numbers of each grid of a view come from: the order of rows and columns in views and views_raw."""
    cells = table.cells
    by_classifier = [cells[a, c] for c in table.classifiers for a in table.arms if (a, c) in cells]
    if by == "generator":
        return _by_group(table), _by_row([cell for cell in by_classifier if _key(cell) in table.gains])
    if by == "classifier":
        return (_by_row(by_classifier),)
    if by == "cost":
        return (_by_row(list(cells.values())),)
    if by == "class":
        return [_by_column([cell for cell in by_classifier if cell.classifier == c]) for c in table.classifiers]
    return _along(table, "lambda" if by == "lambda" else "omega")


def _key(cell: Cell) -> tuple[object, object]:
    return cell.arm, cell.classifier


def _by_row(cells: Sequence[Cell]) -> Origin:
    return lambda row, column: cells[row]


def _by_column(cells: Sequence[Cell]) -> Origin:
    """Columns class, train n, test n, then the arms."""
    return lambda row, column: cells[column - 3] if column >= 3 else None


def _by_group(table: Table) -> Origin:
    """Rows are arms; a column's group is its classifier."""
    width = 2 + table.guided
    short = {c for (_, c), cell in table.cells.items() if len(cell.ok) < len(table.draws)}
    owners = [c for c in table.classifiers for _ in range(len(table.scores.shown) + (c in short))]
    return lambda row, column: table.cells.get((table.arms[row], owners[column - width]))


def _along(table: Table, axis: Axis) -> list[Origin]:
    rows = [line for classifier in table.classifiers for line in lines(table, classifier, axis)]
    values = sorted({value for line in rows for value, _ in line.points}, key=lambda v: (v is not None, v or 0.0))
    keys = 3 if axis == "omega" or table.guided else 2

    def origin(row: int, column: int) -> Cell | None:
        return dict(rows[row].points).get(values[column - keys])

    return [origin, origin]
