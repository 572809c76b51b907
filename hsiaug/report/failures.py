"""Failed trials, grouped by their error: what every report says of them above its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.report.cells import ArmCell, make_cells
from hsiaug.report.labels import count, seeds_text
from hsiaug.report.records import Trial
from hsiaug.report.tables import Table
from hsiaug.trial.failures import ErrorKind, error_kind, why_failed

__all__ = ["failure_heading", "failure_lines", "failures"]

NAMED = 12
"""Arms that a line names; the rest is counted, and listed by ``hsiaug report --by seed``."""


@dataclass(frozen=True)
class _FailureGroup:
    """Trials that ended alike. why: their error on one line; by_arm: the same trials, in the order of the table."""

    why: str
    trials: tuple[Trial, ...]
    by_arm: tuple[ArmCell, ...]


def failures(table: Table) -> list[_FailureGroup]:
    """The failed trials of a table by type, stage and first line of their error; the most frequent first."""
    groups: dict[ErrorKind, list[Trial]] = {}
    for trial in sorted(table.failed, key=lambda t: (t.seed, t.hash)):
        groups.setdefault(error_kind(trial.record), []).append(trial)
    made = [
        _FailureGroup(why_failed(found[0].record), tuple(found), tuple(make_cells(found).values()))
        for found in groups.values()
    ]
    return sorted(made, key=lambda one: (-len(one.trials), one.why))


def failure_heading(table: Table) -> str | None:
    """``3 of 21 trials failed``; None where none did."""
    failed = len(table.failed)
    return f"{failed:,} of {count(len(table.trials), 'trial')} failed" if failed else None


def failure_lines(table: Table, where: str) -> tuple[str, ...]:
    """A line per error: how often, what it was, which arms, and how to see the first whole. where: the store."""
    lines = []
    for failure in failures(table):
        cells = failure.by_arm
        named = [f"{table.cell_label(cell)} ({seeds_text(t.seed for t in cell.trials)})" for cell in cells[:NAMED]]
        if len(cells) > NAMED:
            named.append(f"and {count(len(cells) - NAMED, 'more arm')}: hsiaug report {where} --by seed")
        show = f"hsiaug show {failure.trials[0].hash} --store {where}"
        lines.append(f"{len(failure.trials):,} × {failure.why}. In {', '.join(named)}. See it whole: {show}")
    return tuple(lines)
