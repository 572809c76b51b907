"""The verdict at a glance: generators against classifiers, a sign and an interval in each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from hsiaug.metrics.verdict import Finding
from hsiaug.report.cells import CellKey
from hsiaug.report.compare import Gain
from hsiaug.report.findings import FINDINGS, judged
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import p_said, with_interval
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["SIGNS", "Shown", "generators_of", "grid_note", "over", "shown_arms", "verdict_grid"]

SIGNS: dict[Finding, str] = {
    "helps": "▲",
    "helps, at a loss": "▲▼",
    "hurts": "▼",
    "equivalent": "≈",
    "not better": "○",
    "open": "◇",
    "undecided": "?",
    "nothing made": "–",
    "failed": "✕",
}
"""Signs of every finding; told apart by shape, not by colour alone."""


class Shown(NamedTuple):
    """Content of a cell. gain: of the arm that it is about; findings: of all its arms."""

    gain: Gain
    findings: tuple[Finding, ...]

    @property
    def tally(self) -> str:
        """``1 ▲ 2 ▼``: the signs of several arms, each with how many have it; empty of one arm."""
        counted = Counter(self.findings)
        signs = (f"{counted[finding]} {sign}" for finding, sign in SIGNS.items() if counted[finding])
        return " ".join(signs) if len(self.findings) > 1 else ""


def verdict_grid(table: Table, worth: Mapping[CellKey, str] | None = None) -> Grid | None:
    """A row per generator, a column per classifier; None where nothing but controls was run.

    worth: how many labels an arm and classifier are worth, where the store holds learning curves.
    """
    shown = shown_arms(table)
    if not shown:
        return None
    keys = [GridColumn("generator", lambda generator: table.labels[generator], numeric=False)]
    columns = [
        GridColumn(table.labels[classifier], partial(_entry, shown, worth, classifier), numeric=False)
        for classifier in table.classifiers
    ]
    return make_grid(
        f"Δ{table.scores.main.name} over the hardest control", [*keys, *columns], generators_of(shown)
    )


def shown_arms(table: Table) -> dict[tuple[Method, Method], Shown]:
    """Generator and classifier → what their cell shows: of several λ and ω the arm of the largest mean gain over the
    control that is hardest to beat, those that help first."""
    found: dict[tuple[Method, Method], list[Gain]] = {}
    for gain in judged(table):
        found.setdefault((gain.cell.arm.generator, gain.cell.classifier), []).append(gain)
    return {
        key: Shown(
            max(gains, key=attrgetter("rank")), tuple(gain.verdict.finding for gain in gains if gain.verdict)
        )
        for key, gains in found.items()
    }


def generators_of(shown: Mapping[tuple[Method, Method], Shown]) -> list[Method]:
    """The rows, in the order of the table."""
    return list(dict.fromkeys(generator for generator, _ in shown))


def over(gain: Gain) -> str:
    """``over none``, or ``below pseudo`` where that is shown of an arm that is not said to hurt; may be empty."""
    if gain.hardest is None or gain.verdict is None:
        return ""
    control, comparison = gain.hardest
    below = gain.verdict.finding != "hurts" and comparison.main.evidence.shown == "below"
    return f"{'below' if below else 'over'} {control}"


def grid_note(table: Table) -> str:
    """Explain the signs that appear in the grid."""
    shown = shown_arms(table).values()
    found = {finding for one in shown for finding in one.findings}
    words = {"helps, at a loss": f"helps, at a loss of {table.scores.second.name}"}
    signs = ", ".join(
        f"{sign} {words.get(finding, finding)}" for finding, sign in SIGNS.items() if finding in found
    )
    best = " Of several λ and ω the best is shown, which is best partly by luck, and the signs of all."
    luck = best if any(one.tally for one in shown) else ""
    return (
        f"{signs}. Mean paired difference in points to the control that decides, with its t interval, of 95 %, "
        f"corrected as p is.{luck}"
    )


def _entry(
    cells: Mapping[tuple[Method, Method], Shown],
    worth: Mapping[CellKey, str] | None,
    classifier: Method,
    generator: Method,
) -> GridEntry:
    shown = cells.get((generator, classifier))
    if shown is None or shown.gain.verdict is None:
        return GridEntry("not run", tone="")
    gain, finding, tally = shown.gain, shown.gain.verdict.finding, shown.tally
    said = f"{SIGNS[finding]} {finding}"
    if gain.hardest is not None:
        test = gain.hardest[1].main
        numbers = f"{with_interval(test.mean, test.interval)}, {p_said(test.p_holm)}"
        said = f"{SIGNS[finding]} {numbers}, {over(gain)}"
    parts = [said]
    if tally:
        parts.append(f"(λ={gain.cell.arm.lam:g}{_omega(gain)}, best of {len(shown.findings)}: {tally})")
    if worth is not None and (labels := worth.get((gain.cell.arm, classifier))) is not None:
        parts.append(f"k* {labels}")
    return GridEntry(" ".join(parts), gain.cell, FINDINGS[finding].tone)


def _omega(gain: Gain) -> str:
    return "" if gain.cell.arm.omega is None else f" ω={gain.cell.arm.omega:g}"
