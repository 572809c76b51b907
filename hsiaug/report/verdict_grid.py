"""The verdict at a glance: generators against classifiers, a sign and an interval in each cell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from hsiaug.metrics.verdict import Finding
from hsiaug.report.cells import CellKey
from hsiaug.report.compare import Comparison, Gain
from hsiaug.report.findings import FINDINGS, judged
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import with_interval
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["SIGNS", "Shown", "generators_of", "grid_note", "hardest", "shown_arms", "verdict_grid"]

SIGNS: dict[Finding, str] = {
    "helps": "▲",
    "hurts": "▼",
    "no difference shown": "○",
    "undecided": "?",
    "nothing made": "–",
    "failed": "✕",
}
"""Of every finding; told apart by shape, not by colour alone."""
UNTESTED = "?"


class Shown(NamedTuple):
    """What a cell shows. gain: of the arm; arms: among how many it has the largest gain."""

    gain: Gain
    arms: int


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
    return {key: Shown(max(gains, key=_rank), len(gains)) for key, gains in found.items()}


def generators_of(shown: Mapping[tuple[Method, Method], Shown]) -> list[Method]:
    """The rows, in the order of the table."""
    return list(dict.fromkeys(generator for generator, _ in shown))


def hardest(gain: Gain) -> tuple[str, Comparison] | None:
    """The control over which an arm gains least, and the comparison with it."""
    found = [(control, one) for control, one in gain.against.items() if one is not None]
    return min(found, key=lambda pair: pair[1].main.mean) if found else None


def grid_note(table: Table) -> str:
    """What the signs are that the grid has."""
    shown = shown_arms(table).values()
    found = {one.gain.verdict.finding for one in shown if one.gain.verdict}
    signs = ", ".join(f"{sign} {finding}" for finding, sign in SIGNS.items() if finding in found)
    best = " Of several λ and ω the best is shown, which is best partly by luck."
    return (
        f"{signs}. Mean paired difference in points to the control over which the arm gains least, with its 95 % t "
        f"interval.{best if any(one.arms > 1 for one in shown) else ''}"
    )


def _rank(gain: Gain) -> tuple[bool, float]:
    found = hardest(gain)
    helps = gain.verdict is not None and gain.verdict.finding == "helps"
    return helps, found[1].main.mean if found else float("-inf")


def _entry(
    cells: Mapping[tuple[Method, Method], Shown],
    worth: Mapping[CellKey, str] | None,
    classifier: Method,
    generator: Method,
) -> GridEntry:
    shown = cells.get((generator, classifier))
    if shown is None or shown.gain.verdict is None:
        return GridEntry(f"{UNTESTED} untested", tone="")
    gain, finding = shown.gain, shown.gain.verdict.finding
    found = hardest(gain)
    parts, short = [SIGNS[finding]], ""
    if found is None:
        parts.append(finding)
    else:
        control, comparison = found
        short = " ".join([*parts, with_interval(comparison.main.mean, comparison.main.interval)])
        parts = [short, f"over {control}"]
    if shown.arms > 1:
        parts.append(f"(λ={gain.cell.arm.lam:g}{_omega(gain)}, best of {shown.arms})")
    if worth is not None and (labels := worth.get((gain.cell.arm, classifier))) is not None:
        parts.append(f"k* {labels}")
    return GridEntry(" ".join(parts), gain.cell, FINDINGS[finding].tone, short=short)


def _omega(gain: Gain) -> str:
    return "" if gain.cell.arm.omega is None else f" ω={gain.cell.arm.omega:g}"
