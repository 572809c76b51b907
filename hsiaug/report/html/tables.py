"""The tables of every view, as they stand in the other formats, each number linked to its records."""

from __future__ import annotations

import re

from hsiaug.report.grid import Grid
from hsiaug.report.html.anchors import Place
from hsiaug.report.html.markup import badge, escape, grid_table
from hsiaug.report.labels import MISSING
from hsiaug.report.views import VIEWS

__all__ = ["KINDS", "view_tables"]

KINDS: dict[str, str] = {"helps": "good", "hurts": "bad", "nothing made": "warn", "failed": "warn"}
"""Colour of a finding; the others have none."""


def view_tables(place: Place, by: str) -> list[str]:
    """The grids of a view as HTML; those without rows are left out."""
    return [_linked(place, grid) for grid in VIEWS[by](place.table) if grid.rows]


def _linked(place: Place, grid: Grid) -> str:
    def inner(row: int, column: int, text: str) -> str:
        if grid.columns[column].header == "verdict":
            return badge(text, KINDS.get(re.split(r" \(|, at", text)[0], ""))
        cell = grid.cell(row, column) if text != MISSING else None
        return place.cell_link(text, cell) if cell else escape(text)

    return grid_table(grid, inner)
