"""A table of the report as a section of the page: its ids, its views, its maps' arms, and the records behind numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from statistics import fmean

from markupsafe import Markup

from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.html.markup import join, macros
from hsiaug.report.labels import MISSING, count, count_range, signed
from hsiaug.report.records import ArmCell, CellKey, class_counts
from hsiaug.report.tables import Table
from hsiaug.report.views import VIEWS, record_grid
from hsiaug.trial.arm import EVERY_CONTROL, Method

LIMIT = 0.1
"""Difference of recall at which the scale of shades ends."""
OF_GAINS = (
    "Mean difference in recall, in points, over the control that decides the verdict; classes with few training pixels "
    "first. Classes are not tested one by one, and recall of a class with few test pixels moves in large steps."
)


@dataclass(frozen=True)
class TableSection:
    """A table of the report, which is the ``number``-th of its page. where: what to type for the store."""

    table: Table
    number: int
    where: str

    def anchor(self, part: str) -> str:
        """Id of a part of this table's section."""
        return f"t{self.number}-{part}"

    @cached_property
    def _numbers(self) -> dict[CellKey, int]:
        return {(cell.arm, cell.classifier): i for i, cell in enumerate(self.table.every_cell.values())}

    def cell_id(self, cell: ArmCell) -> str:
        """Id of the list of a cell's records. A cell over fewer draws has that of the whole one."""
        return self.anchor(f"cell-{self._numbers[cell.arm, cell.classifier]}")

    def grid(self, grid: Grid, kind: str = "") -> Markup:
        """A grid whose numbers are linked to their records. kind: further classes of its style."""
        return Markup(macros().grid(grid, self.cell_id, kind))

    def view(self, by: str) -> Markup:
        """The tables of a view, as they stand in the other formats."""
        return join(*(self.grid(grid) for grid in VIEWS[by](self.table) if grid.rows))

    def records(self) -> Markup:
        """A folded list of its records for every cell."""
        blocks = []
        for cell in self.table.every_cell.values():
            name = self.table.cell_label(cell, ", ")
            failed = f", {len(cell.failed)} failed" if cell.failed else ""
            made = macros().grid(record_grid(self.table, f"Records of {name}", cell.trials), kind="list")
            heading = f"{name}: {count(len(cell.trials), 'record')}{failed}"
            blocks.append(macros().fold(heading, made, id=self.cell_id(cell)))
        return join(*blocks)

    def class_gains(self) -> Markup:
        """What every arm does to the recall of every class, a table per classifier; empty where nothing is compared."""
        grids = {c: _class_grid(self.table, c) for c in self.table.classifiers}
        tables = [
            macros().fold(self.table.labels[c], self.grid(grid, "shaded"), opened=True)
            for c, grid in grids.items()
            if grid.rows and len(grid.columns) > grid.keys
        ]
        return join(macros().note(OF_GAINS), macros().shades(f"{100 * LIMIT:g}"), *tables) if tables else Markup()


def _class_grid(table: Table, classifier: Method) -> Grid:
    """A row per class, a column per arm."""
    classes = len(table.class_names)
    trained = {i: class_counts(table.splits.values(), "train_counts", i) for i in range(1, classes + 1)}
    columns = [
        GridColumn("class", lambda i: table.class_names[i - 1], numeric=False),
        GridColumn("train n", lambda i: count_range(trained[i])),
    ]
    for gain in table.judged:
        if gain.cell.classifier == classifier and gain.hardest is not None:
            control, comparison = gain.hardest
            heading = f"{table.arm_label(gain.cell.arm)} over {control}"
            means = {i: delta.mean for i, delta in comparison.class_deltas(classes).items()}
            columns.append(GridColumn(heading, partial(_gain, gain.cell, means)))
    rarest_first = sorted(trained, key=lambda i: (fmean(trained[i]) if trained[i] else math.inf, i))
    return make_grid(f"Gain in recall per class, {table.labels[classifier]}", columns, rarest_first, keys=2)


def _gain(cell: ArmCell, means: dict[int, float], class_id: int) -> GridEntry:
    if class_id not in means:
        return GridEntry(MISSING)
    return GridEntry(signed(means[class_id]), cell, shade=means[class_id] / LIMIT)


def best_cells(table: Table, classifier: Method) -> list[ArmCell]:
    """The controls, and the best of the other arms."""
    best: dict[str, tuple[float, ArmCell]] = {}
    for cell in table.cells_of(classifier):
        name = cell.arm.generator.name if cell.arm.control else "other"
        summary = cell.summary(table.scores.main.key)
        if summary and (name not in best or summary.mean > best[name][0]):
            best[name] = summary.mean, cell
    return [best[name][1] for name in (*EVERY_CONTROL, "other") if name in best]
