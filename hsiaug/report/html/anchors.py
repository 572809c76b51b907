"""Where things stand on the page: the anchors of a table, of its cells, and of their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hsiaug.report.cells import Cell
from hsiaug.report.html.markup import link
from hsiaug.report.records import Trial
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Arm, Method

__all__ = ["Place", "places"]


@dataclass(frozen=True)
class Place:
    """A table of the report, which is the ``number``-th of its page. where: what to type for the store."""

    table: Table
    number: int
    where: str

    def anchor(self, part: str) -> str:
        """Id of a part of this table's section."""
        return f"t{self.number}-{part}"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, those of control classifiers last."""
        return (*self.table.cells.values(), *self.table.blind)

    @cached_property
    def _numbers(self) -> dict[tuple[Arm, Method], int]:
        return {(cell.arm, cell.classifier): i for i, cell in enumerate(self.cells)}

    def cell_id(self, cell: Cell) -> str:
        """Id of the list of a cell's records. A cell over fewer draws has that of the whole one."""
        return self.anchor(f"cell-{self._numbers[cell.arm, cell.classifier]}")

    def record_id(self, trial: Trial) -> str:
        """Id of a record's row. Runs of a suite may share a trial, which then has a row in each."""
        return f"rec-{trial.hash}-{self.number}" if self.table.run else f"rec-{trial.hash}"

    def cell_link(self, text: str, cell: Cell | None) -> str:
        """The text, linked to the records that it comes from."""
        return link(text, self.cell_id(cell) if cell is not None and cell.trials else None)


def places(report: Report) -> Iterator[Place]:
    """A place for each table, in their order."""
    for number, table in enumerate(report.tables):
        yield Place(table, number, report.where)
