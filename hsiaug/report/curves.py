"""Accuracy against λ, M or ω: lines of sweeps, and their tables."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from hsiaug.report.cells import ArmCell, DrawKey
from hsiaug.report.formatting import seeds_text
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import CONTROLS_OF_ALL, NONE, Method

Axis = Literal["lambda", "times", "omega"]
AXES: tuple[Axis, ...] = ("lambda", "times", "omega")
SIGNS: dict[Axis, str] = {"lambda": "λ", "times": "M", "omega": "ω"}
Held = tuple[tuple[Axis, float | None], ...]
"""Axes that a line does not run along, and where it lies on them."""


@dataclass(frozen=True)
class SweepLine:
    """A generator with one classifier, along an axis.

    Attributes
    ----------
    held : Held
        Its places on the other axes.
    points : tuple of (float or None, ArmCell)
        (value on the axis, cell), in the order of the values; None for an arm without ω along
        ω.
    draws : frozenset of DrawKey
        Those that most of its points are over; the others are in tables, and not comparable.
    """

    generator: Method
    classifier: Method
    held: Held
    points: tuple[tuple[float | None, ArmCell], ...]
    draws: frozenset[DrawKey]

    @property
    def key(self) -> tuple[Method, Held]:
        """Generator and held values, which determine its colour and its label, the same for every
        classifier.
        """
        return self.generator, self.held

    @property
    def values(self) -> tuple[float, ...]:
        """Values at which the line has a point."""
        return tuple(value for value, _ in self.points if value is not None)

    def dots(self, metric: str) -> list[tuple[float, float, float]]:
        """The points over its draws that have a number: value on the axis; mean and std in
        percent.
        """
        shown = (
            (value, cell)
            for value, cell in self.points
            if value is not None and draws_of(cell) == self.draws
        )
        return [(value, *level) for value, cell in shown if (level := percentages(cell, metric))]


def percentages(cell: ArmCell | None, metric: str) -> tuple[float, float] | None:
    """Mean and std (0 of a single draw) of a metric in percent; None where no trial has it."""
    summary = cell.summary(metric) if cell is not None else None
    return (100 * summary.mean, 100 * (summary.std or 0.0)) if summary else None


@lru_cache
def lines(table: ReportTable, axis: Axis) -> tuple[SweepLine, ...]:
    """Every generator's lines, classifier by classifier, controls first."""
    found: dict[tuple[Method, Method, Held], list[tuple[float | None, ArmCell]]] = {}
    for cell in filter(_tried, table.by_classifier):
        rate, omega = cell.arm.rate, cell.arm.omega
        values: dict[Axis, float | None] = {"lambda": rate.lam, "times": rate.times, "omega": omega}
        value = values.pop(axis)
        found.setdefault((cell.arm.generator, cell.classifier, tuple(values.items())), []).append(
            (value, cell)
        )
    made = []
    for (generator, classifier, held), points in found.items():
        counted = Counter(draws_of(cell) for _, cell in points if cell.ok)
        draws = max(counted, key=lambda d: (counted[d], len(d), sorted(d)), default=frozenset())
        ordered = tuple(sorted(points, key=lambda point: first_none(point[0])))
        made.append(SweepLine(generator, classifier, held, ordered, draws))
    return tuple(made)


def find_sweeps(table: ReportTable, axis: Axis) -> list[SweepLine]:
    """The lines with two points or more; none where only controls have such a line."""
    found = [line for line in lines(table, axis) if len(line.values) > 1]
    return found if any(line.generator.name not in CONTROLS_OF_ALL for line in found) else []


def _tried(cell: ArmCell) -> bool:
    """Whether a trial of a cell was run."""
    return cell.trials.unlike("status") != ["empty"]


def first_none(value: float | None) -> tuple[bool, float]:
    return value is not None, value or 0.0


def reference(table: ReportTable, classifier: Method) -> ArmCell | None:
    """The cell of ``none``, which every generator at λ = M = 0 is; the one of most draws where
    there are several.
    """
    cells = [c for c in table.cells_of(classifier) if c.arm.generator.name == NONE and _tried(c)]
    return max(cells, key=lambda cell: len(cell.ok), default=None)


def line_label(table: ReportTable, line: SweepLine) -> str:
    """``txt2hsi ω=2``: the generator, with what is held."""
    held = {} if line.generator.name == NONE else dict(line.held)
    # Nobody asked for M where it is 0.
    told = (
        (other, value)
        for other, value in held.items()
        if value is not None and (other != "times" or value)
    )
    return " ".join(
        [table.labels[line.generator], *(f"{SIGNS[other]}={value:g}" for other, value in told)]
    )


def panel_n(shown: Sequence[SweepLine], none: ArmCell | None) -> str:
    """``n = 6 (seeds 0–5)``: the draws that a panel is over; ``n = 3 to 6, by line`` where lines
    differ.
    """
    groups = {line.draws for line in shown if line.draws} | (
        {draws_of(none)} if none and none.ok else set()
    )
    if len(groups) > 1:
        return f"n = {min(map(len, groups))} to {max(map(len, groups))}, by line"
    return "".join(
        f"n = {len(draws)} ({seeds_text(seed for seed, _ in draws)})" for draws in groups
    )


def draws_of(cell: ArmCell) -> frozenset[DrawKey]:
    """The draws of the trials that gave numbers."""
    return frozenset(cell.ok.unlike("draw"))
