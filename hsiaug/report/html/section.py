"""A table of the report as a section of the page: its ids, its views, and the records behind its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hsiaug.report.grid import Grid
from hsiaug.report.html.markup import details, grid_table
from hsiaug.report.labels import count
from hsiaug.report.records import ArmCell, CellKey
from hsiaug.report.tables import Table
from hsiaug.report.views import VIEWS, record_grid
from hsiaug.trial.arm import EVERY_CONTROL, Method


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

    def grid(self, grid: Grid, kind: str = "") -> str:
        """A grid whose numbers are linked to their records. kind: further classes of its style."""
        return grid_table(grid, self.cell_id, kind)

    def view(self, by: str) -> str:
        """The tables of a view, as they stand in the other formats."""
        return "".join(self.grid(grid) for grid in VIEWS[by](self.table) if grid.rows)

    def records(self) -> str:
        """A folded list of its records for every cell."""
        blocks = []
        for cell in self.table.every_cell.values():
            name = self.table.cell_label(cell, ", ")
            failed = f", {len(cell.failed)} failed" if cell.failed else ""
            made = grid_table(record_grid(self.table, f"Records of {name}", cell.trials), kind="list")
            heading = f"{name}: {count(len(cell.trials), 'record')}{failed}"
            blocks.append(details(heading, made, id=self.cell_id(cell)))
        return "".join(blocks)


def best_cells(table: Table, classifier: Method) -> list[ArmCell]:
    """The controls, and the best of the other arms."""
    best: dict[str, tuple[float, ArmCell]] = {}
    for cell in table.cells_of(classifier):
        name = cell.arm.generator.name if cell.arm.control else "other"
        summary = cell.summary(table.scores.main.key)
        if summary and (name not in best or summary.mean > best[name][0]):
            best[name] = summary.mean, cell
    return [best[name][1] for name in (*EVERY_CONTROL, "other") if name in best]
