"""A page as every renderer gets it: text in columns, with what stands above and below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsiaug.report.cells import Cell

__all__ = ["Column", "Grid", "Page", "across", "arm_columns", "changes"]


@dataclass(frozen=True)
class Column:
    """A column of a grid. group: what neighbouring columns have in common, printed once above them."""

    header: str
    group: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Grid:
    """Rows of text. keys: how many leading columns say what a row is; breaks: rows that start a new block.

    cells: of each row, the cell that each entry after the keys comes from, None for an entry without one; () where no
    row has any.
    """

    heading: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: int = 1
    breaks: frozenset[int] = frozenset()
    cells: tuple[tuple[Cell | None, ...], ...] = ()

    def cell(self, row: int, column: int) -> Cell | None:
        """What an entry comes from; None for a key too."""
        return self.cells[row][column - self.keys] if self.cells and column >= self.keys else None


@dataclass(frozen=True)
class Page:
    """One table of a report: failures and warnings above the grids; notes, the audit and the verdict below.

    leaky: the title must say so before anything else.
    failed: how many trials failed, or None; failures: a line per error. audit: (label, sentence) pairs.
    verdict: sentences, each with a line per arm below it.
    """

    title: str
    leaky: bool
    failed: str | None
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    grids: tuple[Grid, ...]
    notes: tuple[str, ...]
    audit: tuple[tuple[str, str], ...]
    verdict: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def heading(self) -> str:
        """The title, with the tag that a leaky protocol wears in every format."""
        return f"LEAKY: {self.title}" if self.leaky else self.title


def arm_columns(guided: bool) -> tuple[Column, ...]:
    """generator, λ, and ω where any trial is guided: what ``Table.arm_texts`` fills."""
    columns = (Column("generator", numeric=False), Column("λ"))
    return (*columns, Column("ω")) if guided else columns


def across(cells: Iterable[Cell], columns: Sequence[Column], keys: int) -> tuple[tuple[Cell, ...], ...]:
    """``Grid.cells`` where each row is of one cell."""
    return tuple((cell,) * (len(columns) - keys) for cell in cells)


def changes(keys: Sequence[object]) -> frozenset[int]:
    """Where a key differs from the one before it: rows that start a new block."""
    return frozenset(i + 1 for i, (above, key) in enumerate(pairwise(keys)) if above != key)
