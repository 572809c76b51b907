"""Accuracy against λ or against ω: the lines of a sweep, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from operator import attrgetter
from typing import Literal

from hsiaug.report.cells import ArmCell
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import MISSING, number, plus_minus, seeds_text
from hsiaug.report.records import DrawKey
from hsiaug.report.scores import Metric
from hsiaug.report.tables import Table
from hsiaug.report.views_raw import classifier_column
from hsiaug.trial.arm import BOTH, CONTROLS, Method

Axis = Literal["lambda", "times", "omega"]
AXES: tuple[Axis, ...] = ("lambda", "times", "omega")
SIGNS: dict[Axis, str] = {"lambda": "λ", "times": "M", "omega": "ω"}
Held = tuple[tuple[Axis, float | None], ...]
"""Axes that a line does not run along, and where it lies on them."""


def axis_of(view: str) -> Axis | None:
    """The axis of a view; None for one that is of no sweep."""
    return next((axis for axis in AXES if axis == view), None)


@dataclass(frozen=True)
class SweepLine:
    """A generator with one classifier, along an axis. held: its places on the other axes.

    points: (value on the axis, cell), in the order of the values; None for an arm without ω along ω. A cell is over
        ``draws`` where it has them all; one that lacks some is as in the other tables, and stands apart.
    start: ``none`` over these draws, which is 0 of a line along λ or M where the other is 0; None where it lacks some.
    """

    generator: Method
    classifier: Method
    held: Held
    points: tuple[tuple[float | None, ArmCell], ...]
    draws: frozenset[DrawKey]
    start: ArmCell | None = None

    @property
    def key(self) -> tuple[Method, Held]:
        """Generator and held values, which determine its colour and its label, the same for every classifier."""
        return self.generator, self.held

    def shares(self, cell: ArmCell) -> bool:
        """True for what can be compared with the others; False for a cell over other draws."""
        return draws_of(cell) == self.draws

    @property
    def values(self) -> tuple[float, ...]:
        """Values at which the line has a point."""
        return tuple(value for value, _ in self.points if value is not None)

    def dots(self, metric: str) -> list[SweepPoint]:
        """The points that have a number and a value on the axis, in percent."""
        found = ((value, cell, percentages(cell, metric)) for value, cell in self.points if value is not None)
        return [
            SweepPoint(value, *score, not self.shares(cell)) for value, cell, score in found if score is not None
        ]


@dataclass(frozen=True)
class SweepPoint:
    """A point of a line: mean and std in percent, over n draws. apart: over other draws than the line, not joined."""

    value: float
    mean: float
    std: float
    n: int
    apart: bool


def percentages(cell: ArmCell | None, metric: str) -> tuple[float, float, int] | None:
    """Mean, std (0 of a single draw) and n of a metric in percent; None where no trial has it."""
    summary = cell.summary(metric) if cell is not None else None
    return (100 * summary.mean, 100 * (summary.std or 0.0), summary.n) if summary else None


@lru_cache
def lines(table: Table, classifier: Method, axis: Axis) -> tuple[SweepLine, ...]:
    """Every generator's lines, controls first."""
    found: dict[tuple[Method, Held], list[tuple[float | None, ArmCell]]] = {}
    for cell in _tried(table, classifier):
        rate, omega = cell.arm.rate, cell.arm.omega
        values: dict[Axis, float | None] = {"lambda": rate.lam, "times": rate.times, "omega": omega}
        value = values.pop(axis)
        found.setdefault((cell.arm.generator, tuple(values.items())), []).append((value, cell))
    none = reference(table, classifier)
    made = []
    for (generator, held), points in found.items():
        draws = common_draws(cell for _, cell in points)
        # Only a line on which λ and M can both be 0 meets ``none``.
        meets = (
            axis != "omega" and generator.train == BOTH and not any(dict(held).get(x) for x in ("lambda", "times"))
        )
        start = over_draws(none, draws) if none and meets else None
        over = tuple(
            (value, over_draws(cell, draws)) for value, cell in sorted(points, key=lambda p: _first_none(p[0]))
        )
        begins = start if start and draws_of(start) == draws else None
        made.append(SweepLine(generator, classifier, held, over, draws, begins))
    return tuple(made)


def all_lines(table: Table, axis: Axis) -> list[SweepLine]:
    """The lines of all classifiers."""
    return [line for classifier in table.classifiers for line in lines(table, classifier, axis)]


def find_sweeps(table: Table, axis: Axis) -> list[SweepLine]:
    """The lines with two points or more, of all classifiers; none where only controls have such a line."""
    found = [line for line in all_lines(table, axis) if len(line.values) > 1]
    return found if any(line.generator.name not in CONTROLS for line in found) else []


def _tried(table: Table, classifier: Method) -> list[ArmCell]:
    """The cells of a classifier with the trials that were run; a cell of which none was run is left out."""
    run = [(c, tuple(t for t in c.trials if t.status != "empty")) for c in table.cells_of(classifier)]
    return [replace(cell, trials=trials) for cell, trials in run if trials]


def _first_none(value: float | None) -> tuple[bool, float]:
    return value is not None, value or 0.0


def reference(table: Table, classifier: Method) -> ArmCell | None:
    """The cell of ``none``, which every generator at λ = M = 0 is; the one of most draws where there are several."""
    cells = [cell for cell in _tried(table, classifier) if cell.arm.generator.name == "none"]
    return max(cells, key=lambda cell: len(cell.ok), default=None)


def curve_grids(table: Table, axis: Axis) -> tuple[Grid, ...]:
    """The metrics of gains, and the main one in seen and in new fields.

    A row per classifier and line, a column per value of the axis; – heads arms without one.
    """
    rows = all_lines(table, axis)
    values = sorted({value for line in rows for value, _ in line.points}, key=_first_none)
    keys = [
        classifier_column(table),
        GridColumn("generator", lambda line: table.labels[line.generator], numeric=False),
    ]
    shown = {"lambda": True, "times": any(arm.rate.times for arm in table.arms), "omega": table.guided}
    keys += [GridColumn(SIGNS[other], partial(_held, other)) for other in AXES if other != axis and shown[other]]
    grids = []
    for score in (*curve_metrics(table), *table.brief_fields):
        columns = [
            GridColumn(f"{SIGNS[axis]}={number(value)}", partial(_point, table, score.key, value))
            for value in values
        ]
        heading = f"{score.name} against {SIGNS[axis]}"
        grids.append(make_grid(heading, [*keys, *columns], rows, keys=len(keys), block=attrgetter("classifier")))
    return tuple(grids)


def _held(other: Axis, line: SweepLine) -> str:
    return number(None if line.generator.name == "none" else dict(line.held)[other])


def curve_metrics(table: Table) -> tuple[Metric, Metric]:
    """The metrics that curves show."""
    return table.scores.second, table.scores.main


def _point(table: Table, metric: str, value: float | None, line: SweepLine) -> GridEntry:
    cell = dict(line.points).get(value)
    if cell is None:
        return GridEntry(MISSING)
    summary = cell.summary(metric)
    if summary is None:
        return GridEntry(MISSING if cell.ok else "failed", cell)
    return GridEntry(plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(table.draws) else ""), cell)


def line_label(table: Table, line: SweepLine, axis: Axis) -> str:
    """``txt2hsi ω=2``: the generator, with what is held."""
    held = {} if line.generator.name == "none" else dict(line.held)
    # Nobody asked for M where it is 0.
    told = ((other, value) for other, value in held.items() if value is not None and (other != "times" or value))
    return " ".join([table.labels[line.generator], *(f"{SIGNS[other]}={value:g}" for other, value in told)])


def panel_n(shown: Sequence[SweepLine], none: ArmCell | None) -> str:
    """``n = 6 (seeds 0–5)``: the draws that a panel is over; ``n = 3 to 6, by line`` where lines differ."""
    groups = {line.draws for line in shown if line.draws} | (
        {draws_of(none)} if none is not None and none.ok else set()
    )
    if len(groups) > 1:
        return f"n = {min(map(len, groups))} to {max(map(len, groups))}, by line"
    return "".join(f"n = {len(draws)} ({_seeds(draws)})" for draws in groups)


def curve_notes(table: Table, axis: Axis) -> list[str]:
    """A sentence for every line of which a point is over other draws than its neighbours.

    Or over fewer than in the other tables, because its neighbours lack some.
    """
    notes = []
    for line in all_lines(table, axis):
        who, shared = f"{table.labels[line.classifier]}, {line_label(table, line, axis)}", _seeds(line.draws)
        apart, cut = [], []
        for value, cell in line.points:
            at = f"no {SIGNS[axis]}" if value is None else f"{SIGNS[axis]}={value:g}"
            whole = draws_of(table.cells[cell.arm, cell.classifier])
            if draws_of(cell) != whole:
                cut.append(f"{at} ({_seeds(whole)})")
            if cell.ok and not line.shares(cell):
                apart.append(f"{at} ({_seeds(draws_of(cell))})")
        if cut:
            notes.append(
                f"{who}: over {shared}, which most of its trials share; in the other tables more draws are in "
                f"the means of {', '.join(cut)}."
            )
        if apart:
            notes.append(f"{who}: not comparable with the others, which are over {shared}: {', '.join(apart)}.")
    return notes


def _seeds(draws: Iterable[DrawKey]) -> str:
    return seeds_text(seed for seed, _ in draws)


def draws_of(cell: ArmCell) -> frozenset[DrawKey]:
    """The draws of the trials that gave numbers."""
    return frozenset(trial.draw for trial in cell.ok)


def common_draws(cells: Iterable[ArmCell]) -> frozenset[DrawKey]:
    """The draws over which most trials of the cells can be compared; empty where no trial went well.

    A candidate is what one cell has, and it is worth the trials that it compares: its draws times the cells that have
    them all. So a trial run alone, or an arm with more draws than the others, does not shrink or empty the set, as
    their intersection would. A failed trial counts as one that its cell has: what was planned is compared, and the
    cell that lacks a number stands apart.
    """
    known = [cell for cell in cells if cell.ok]
    planned = [_planned(cell, known) for cell in known]

    def worth(draws: frozenset[DrawKey]) -> tuple[int, int, list[DrawKey]]:
        compared = len(draws) * sum(draws <= other for other in planned)
        return compared, len(draws), sorted(draws)

    return max((draws_of(cell) for cell in known), key=worth, default=frozenset())


def _planned(cell: ArmCell, known: Iterable[ArmCell]) -> frozenset[DrawKey]:
    """A cell's draws, with those of its failed trials: a trial may fail before it has a split, so its seed counts."""
    failed = {trial.seed for trial in cell.failed}
    return draws_of(cell) | {draw for other in known for draw in draws_of(other) if draw[0] in failed}


def over_draws(cell: ArmCell, draws: frozenset[DrawKey]) -> ArmCell:
    """The cell over these draws where it has them all; as it is where it lacks one. Failed trials stay, to be named."""
    if not draws or not draws <= draws_of(cell):
        return cell
    return replace(cell, trials=tuple(t for t in cell.trials if not t.ok or t.draw in draws))
