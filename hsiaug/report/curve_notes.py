"""Over which draws a panel of curves is, and where these are not those of the other tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import HELD, SIGNS, Axis, SweepLine, all_lines
from hsiaug.report.draws import DrawKey, draws_of, seeds_of
from hsiaug.report.labels import seeds_text
from hsiaug.report.tables import Table

__all__ = ["curve_notes", "line_label", "n_text", "panel_n"]

NAMED = 3
"""Sets of draws that a short caption tells apart at most."""


def n_text(draws: Iterable[DrawKey]) -> str:
    """``n = 6 (seeds 0–5)``."""
    found = set(draws)
    return f"n = {len(found)} ({_seeds(found)})" if found else "n = 0"


def _seeds(draws: Iterable[DrawKey]) -> str:
    return seeds_text(seed for seed, _ in draws)


def line_label(table: Table, line: SweepLine, axis: Axis) -> str:
    """``txt2hsi ω=2``: the generator, with what is held."""
    held = "" if line.held is None or line.generator.name == "none" else f" {HELD[axis]}={line.held:g}"
    return table.labels[line.generator] + held


def panel_n(table: Table, shown: Sequence[SweepLine], none: ArmCell | None, axis: Axis) -> str:
    """What a panel is over: the draws of most of its lines, then of those that are over others, by name.

    The span of n alone, where more sets of draws than NAMED would have to be told.
    """
    groups: dict[frozenset[DrawKey], list[str]] = {}
    if none is not None and none.ok:
        groups[draws_of(none)] = ["none"]
    for line in shown:
        if line.draws and line.generator.name != "none":
            groups.setdefault(line.draws, []).append(line_label(table, line, axis))
    ordered = sorted(groups, key=lambda draws: (-len(groups[draws]), -len(draws), seeds_of(draws)))
    if not ordered:
        return ""
    first, *rest = ordered
    if len(ordered) > NAMED:
        least, most = (pick(len(draws) for draws in ordered) for pick in (min, max))
        return f"n = {least} to {most}, by line"
    return "; ".join([n_text(first), *(f"{', '.join(groups[draws])}: {n_text(draws)}" for draws in rest)])


def curve_notes(table: Table, axis: Axis) -> list[str]:
    """A sentence for every line of which a point is over other draws than its neighbours.

    Or over fewer than in the other tables, because its neighbours lack some.
    """
    return [note for line in all_lines(table, axis) for note in _notes(table, line, axis)]


def _at(axis: Axis, value: float | None) -> str:
    return f"no {SIGNS[axis]}" if value is None else f"{SIGNS[axis]}={value:g}"


def _notes(table: Table, line: SweepLine, axis: Axis) -> list[str]:
    who = f"{table.labels[line.classifier]}, {line_label(table, line, axis)}"
    points = [(_at(axis, value), cell) for value, cell in line.points]
    apart = [f"{name} ({_seeds(draws_of(c))})" for name, c in points if c.ok and not line.shares(c)]
    cut = []
    for name, cell in points:
        whole = draws_of(table.cells[cell.arm, cell.classifier])
        if draws_of(cell) != whole:
            cut.append(f"{name} ({_seeds(whole)})")
    shared, notes = _seeds(line.draws), []
    if cut:
        notes.append(
            f"{who}: over {shared}, which most of its trials share; in the other tables more draws are in "
            f"the means of {', '.join(cut)}."
        )
    if apart:
        notes.append(f"{who}: not comparable with the others, which are over {shared}: {', '.join(apart)}.")
    return notes
