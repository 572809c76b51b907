"""Shaded tables of a page: what every arm does to the recall of every class, and confusion matrices."""

from __future__ import annotations

import math
from functools import partial
from statistics import fmean

import numpy as np

from hsiaug.report.compare import class_deltas
from hsiaug.report.findings import judged
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.html.markup import details, diverging_legend, escape
from hsiaug.report.html.section import TableSection, best_cells
from hsiaug.report.labels import MISSING, count, count_range, signed
from hsiaug.report.records import ArmCell, class_counts
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

LIMIT = 0.1
"""Difference of recall at which the scale ends."""
OF_GAINS = (
    "Mean difference in recall, in points, over the control that decides the verdict; classes with few training pixels "
    "first. Classes are not tested one by one, and recall of a class with few test pixels moves in large steps."
)
OF_CONFUSION = "Test pixels, summed over the draws, of the controls and the best other arm."


def class_gains(section: TableSection) -> str:
    """A table per classifier: a row per class, a column per arm; empty where nothing is compared."""
    made = [(c, _class_grid(section.table, c)) for c in section.table.classifiers]
    tables = [
        details(section.table.labels[c], section.grid(grid, "shaded"), opened=True)
        for c, grid in made
        if grid.rows and len(grid.columns) > grid.keys
    ]
    if not tables:
        return ""
    return f'<p class="note">{escape(OF_GAINS)}</p>{diverging_legend(LIMIT)}{"".join(tables)}'


def _class_grid(table: Table, classifier: Method) -> Grid:
    classes = len(table.class_names)
    trained = {i: class_counts(table.splits.values(), "train_counts", i) for i in range(1, classes + 1)}
    columns = [
        GridColumn("class", lambda i: table.class_names[i - 1], numeric=False),
        GridColumn("train n", lambda i: count_range(trained[i])),
    ]
    for gain in judged(table):
        if gain.cell.classifier == classifier and gain.hardest is not None:
            control, comparison = gain.hardest
            heading = f"{table.arm_label(gain.cell.arm)} over {control}"
            means = {i: delta.mean for i, delta in class_deltas(comparison, classes).items()}
            columns.append(GridColumn(heading, partial(_gain, gain.cell, means)))
    rarest_first = sorted(trained, key=lambda i: (fmean(trained[i]) if trained[i] else math.inf, i))
    return make_grid(f"Gain in recall per class, {table.labels[classifier]}", columns, rarest_first, keys=2)


def _gain(cell: ArmCell, means: dict[int, float], class_id: int) -> GridEntry:
    if class_id not in means:
        return GridEntry(MISSING)
    return GridEntry(signed(means[class_id]), cell, shade=means[class_id] / LIMIT)


def confusions(section: TableSection) -> str:
    """Return the matrices of the controls and of the best other arm for each classifier; empty without any."""
    table, blocks = section.table, []
    for classifier in table.classifiers:
        for cell in best_cells(table, classifier):
            if (grid := _confusion(table, cell)) is not None:
                blocks.append(details(table.cell_label(cell, ", "), section.grid(grid, "shaded confusion")))
    return f'<p class="note">{escape(OF_CONFUSION)}</p>{"".join(blocks)}' if blocks else ""


def _confusion(table: Table, cell: ArmCell) -> Grid | None:
    """Rows true, columns predicted classes; shades are shares of the row. None where no record has a matrix."""
    found = [np.asarray(trial.record["metrics"].get("confusion") or [], dtype=np.int64) for trial in cell.ok]
    square = [matrix for matrix in found if matrix.shape == (len(table.class_names),) * 2 and matrix.size]
    if not square:
        return None
    total = np.sum(square, axis=0)
    shares = total / np.maximum(total.sum(axis=1, keepdims=True), 1)

    def entry(column: int, row: int) -> GridEntry:
        share = float(shares[row, column])
        return GridEntry(f"{total[row, column]:,}", shade=share if row == column else -share)

    columns = [
        GridColumn("true \\ predicted", lambda row: f"{row + 1} {table.class_names[row]}", numeric=False),
        *(GridColumn(f"{i + 1}", partial(entry, i)) for i in range(len(total))),
    ]
    heading = f"{table.cell_label(cell, ', ')}: test pixels summed over {count(len(square), 'draw')}"
    return make_grid(heading, columns, range(len(total)))
