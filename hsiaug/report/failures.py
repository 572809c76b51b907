"""The page of a table, and its failed trials, grouped by their error, above the numbers."""

from __future__ import annotations

from collections.abc import Iterable

from hsiaug.report.audit import audit_lines, warnings
from hsiaug.report.cells import make_cells
from hsiaug.report.grid import Grid, ReportPage
from hsiaug.report.labels import count, seeds_text
from hsiaug.report.records import Trial
from hsiaug.report.tables import Table
from hsiaug.trial.failures import ErrorKind, error_kind, why_failed

NAMED = 12
"""Arms that a line names; the rest is counted, and listed by ``hsiaug report --by seed``."""


def failure_heading(table: Table) -> str | None:
    """``3 of 21 trials failed``; None where none did."""
    failed = len(table.failed)
    return f"{failed:,} of {count(len(table.trials), 'trial')} failed" if failed else None


def failure_lines(table: Table, where: str) -> tuple[str, ...]:
    """A line per error, the most frequent first: how often, what it was, which arms, and how to see the first whole.

    where: the store.
    """
    groups: dict[ErrorKind, list[Trial]] = {}
    for trial in sorted(table.failed, key=lambda t: (t.seed, t.hash)):
        groups.setdefault(error_kind(trial.record), []).append(trial)
    lines = []
    for found in groups.values():
        why, cells = why_failed(found[0].record), list(make_cells(found).values())
        named = [f"{table.cell_label(cell)} ({seeds_text(t.seed for t in cell.trials)})" for cell in cells[:NAMED]]
        if len(cells) > NAMED:
            named.append(f"and {count(len(cells) - NAMED, 'more arm')}: hsiaug report --store {where} --by seed")
        show = f"hsiaug show {found[0].hash} --store {where}"
        said = f"{len(found):,} × {why}. In {', '.join(named)}. See it whole: {show}"
        lines.append((-len(found), why, said))
    return tuple(said for *_, said in sorted(lines))


def table_page(table: Table, where: str, grids: Iterable[Grid], notes: Iterable[str]) -> ReportPage:
    """The page of a table with these grids and notes. where: what to type for the store."""
    return ReportPage(
        title=table.title,
        leaky=table.leaky,
        failed=failure_heading(table),
        failures=failure_lines(table, where),
        warnings=warnings(table),
        grids=tuple(grid for grid in grids if grid.rows),
        notes=tuple(notes),
        audit=audit_lines(table, where),
    )
