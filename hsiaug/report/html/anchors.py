"""Where things stand on the page: the anchors of a table, of its cells, and of their records."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hsiaug.report.cells import ArmCell, CellKey
from hsiaug.report.html.markup import grid_table, link
from hsiaug.report.records import Trial
from hsiaug.report.tables import Table
from hsiaug.report.views import VIEWS

__all__ = ["TableSection"]


@dataclass(frozen=True)
class TableSection:
    """A table of the report, which is the ``number``-th of its page. where: what to type for the store."""

    table: Table
    number: int
    where: str

    def anchor(self, part: str) -> str:
        """Id of a part of this table's section."""
        return f"t{self.number}-{part}"

    @property
    def listed(self) -> tuple[ArmCell, ...]:
        """The cells whose records the page lists: those of ceilings last, which stand apart in a table of their own."""
        return (*self.table.every_cell.values(), *self.table.diagnosis)

    @cached_property
    def _numbers(self) -> dict[CellKey, int]:
        return {(cell.arm, cell.classifier): i for i, cell in enumerate(self.listed)}

    def cell_id(self, cell: ArmCell) -> str:
        """Id of the list of a cell's records. A cell over fewer draws has that of the whole one."""
        return self.anchor(f"cell-{self._numbers[cell.arm, cell.classifier]}")

    def record_id(self, trial: Trial) -> str:
        """Id of a record's row. Runs of a suite may share a trial, which then has a row in each."""
        return f"rec-{trial.hash}-{self.number}" if self.table.run else f"rec-{trial.hash}"

    def cell_link(self, text: str, cell: ArmCell) -> str:
        """The text, linked to the records that it comes from."""
        return link(text, self.cell_id(cell))

    def view(self, by: str) -> str:
        """The tables of a view, as they stand in the other formats, each number linked to its records."""
        return "".join(grid_table(grid, self.cell_id) for grid in VIEWS[by](self.table) if grid.rows)
