"""Failed trials, grouped by their error: what every report says of them above its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsiaug.report.labels import count, draws_text
from hsiaug.report.records import Trial
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Arm, Method
from hsiaug.trial.failures import ErrorKind, error_kind, why_failed

__all__ = ["Failure", "failed_arms", "failure_heading", "failure_lines", "failures"]

NAMED = 12
"""Arms that a line names; the rest is counted, and listed by ``hsiaug report --by seed``."""


@dataclass(frozen=True)
class Failure:
    """Trials that ended alike. why: their error on one line."""

    why: str
    trials: tuple[Trial, ...]


def failures(trials: Sequence[Trial]) -> list[Failure]:
    """The failed ones among the trials by type, stage and first line of their error; the most frequent first."""
    groups: dict[ErrorKind, list[Trial]] = {}
    for trial in sorted(trials, key=lambda t: (t.seed, t.hash)):
        if trial.failed:
            groups.setdefault(error_kind(trial.record), []).append(trial)
    made = [Failure(why_failed(found[0].record), tuple(found)) for found in groups.values()]
    return sorted(made, key=lambda one: (-len(one.trials), one.why))


def failure_heading(table: Table) -> str | None:
    """``3 of 21 trials failed``; None where none did."""
    failed = len(table.failed)
    return f"{failed:,} of {count(len(table.trials), 'trial')} failed" if failed else None


def failed_arms(table: Table, failure: Failure) -> list[tuple[str, list[Trial]]]:
    """Arm with its classifier → the trials of it that failed so, in the order of the table."""
    arms: dict[tuple[Arm, Method], list[Trial]] = {}
    for trial in failure.trials:
        arms.setdefault((trial.arm, trial.classifier), []).append(trial)
    ordered = sorted(arms, key=lambda key: (key[0].rank, key[1].name, key[1].version, key[1].params))
    return [(f"{table.arm_label(arm)} with {table.labels[by]}", arms[arm, by]) for arm, by in ordered]


def failure_lines(table: Table, where: str) -> tuple[str, ...]:
    """A line per error: how often, what it was, which arms, and how to see the first whole. where: the store."""
    lines = []
    for failure in failures(table.trials):
        arms = failed_arms(table, failure)
        named = [
            f"{arm} ({'seed' if len(trials) == 1 else 'seeds'} {draws_text(t.seed for t in trials)})"
            for arm, trials in arms[:NAMED]
        ]
        if len(arms) > NAMED:
            named.append(f"and {count(len(arms) - NAMED, 'more arm')}: hsiaug report {where} --by seed")
        show = f"hsiaug show {failure.trials[0].hash} --store {where}"
        lines.append(f"{len(failure.trials):,} × {failure.why}. In {', '.join(named)}. See it whole: {show}")
    return tuple(lines)
