"""Pictures of confusion matrices: which class is taken for which, of the arm that gains most and of
no samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.report.confusions import Confusion, confusions
from hsiaug.report.figures.charts import name_table
from hsiaug.report.figures.files import WIDTHS, new_figure, wrapped
from hsiaug.report.tables import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hsiaug.trial.store import Store

ENTRY, NAMES = 0.24, 1.5
"""Inches of an entry, and those of the names beside and below a matrix."""
OF_MATRICES = "rows: true classes, columns: predicted ones, in percent of the test pixels of a row"


def confusion_figure(report: Report, store: Store, columns: int = 2) -> Figure:
    """A matrix below the other, of each table.

    Parameters
    ----------
    store : Store
        Where the records lie, which hold the matrices.
    columns : int
        Columns of a page with two, which the figure fills.

    Raises
    ------
    InputError
        Where no record holds one.
    """
    found = [
        (table.heading, matrix) for table in report.compared for matrix in confusions(table, store)
    ]
    if not found:
        rule = "a picture by class needs records of single pixels with few classes"
        hint = "Write `by` class with a file that ends in .md or .csv."
        raise InputError(rule, value=f"none in {report.where}", hint=hint)
    return draw_confusions([matrix for _, matrix in found], columns, [name for name, _ in found])


def draw_confusions(
    found: Sequence[Confusion], columns: int = 2, headings: Sequence[str] = ()
) -> Figure:
    """Matrices one below the other.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.
    headings : sequence of str
        The table of each, where there are several.
    """
    heights = [ENTRY * len(matrix.rows) + NAMES + 0.4 for matrix in found]
    figure = new_figure(WIDTHS[columns], sum(heights))
    grid = figure.add_gridspec(len(found), 1, height_ratios=heights)
    for place, matrix in enumerate(found):
        part = figure.add_subfigure(grid[place, 0])
        if headings:
            name_table(part, headings[place], WIDTHS[columns], alone=len({*headings}) == 1)
        _draw(part.subplots(), matrix, WIDTHS[columns])
    figure.set_label(OF_MATRICES)
    return figure


def _draw(axes: Axes, matrix: Confusion, width: float) -> None:
    names = [plotted(name) for name, _, _ in matrix.rows]
    shares = np.array([row for _, _, row in matrix.rows])
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=100, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if share:
            colour = "white" if share > 50 else "black"
            axes.text(column, row, f"{share}", ha="center", va="center", fontsize=7, color=colour)
    places = range(len(names))
    axes.set_xticks(places, names, rotation=90, fontsize=7)
    axes.set_yticks(places, _counted(names, matrix), fontsize=7)
    axes.set_xlabel("predicted class", fontsize=7)
    axes.set_ylabel("true class (test pixels)", fontsize=7)
    axes.set_title(wrapped(plotted(matrix.name), width, 7), fontsize=7)


def _counted(names: Sequence[str], matrix: Confusion) -> list[str]:
    return [f"{name} ({tested:,})" for name, (_, tested, _) in zip(names, matrix.rows, strict=True)]
