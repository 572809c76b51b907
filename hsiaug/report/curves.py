"""Accuracy against λ or against ω: the lines of a sweep, and its tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hsiaug.report.cells import Arm, Cell
from hsiaug.report.grid import Column, Grid, changes
from hsiaug.report.labels import MISSING, plus_minus
from hsiaug.report.records import Method
from hsiaug.report.scores import Score
from hsiaug.report.tables import Table

__all__ = [
    "AXES",
    "SIGNS",
    "Axis",
    "Line",
    "Surface",
    "curve_grids",
    "drawn",
    "lines",
    "reference",
    "shared_cells",
    "surfaces",
]

Axis = Literal["lambda", "omega"]
AXES: tuple[Axis, ...] = ("lambda", "omega")
SIGNS = {"lambda": "λ", "omega": "ω"}


@dataclass(frozen=True)
class Line:
    """A generator with one classifier, along an axis. held: its ω along λ, its λ along ω.

    points: (value on the axis, cell), in the order of the values; None for an arm without ω along ω.
    """

    generator: Method
    held: float | None
    points: tuple[tuple[float | None, Cell], ...]

    @property
    def values(self) -> tuple[float, ...]:
        """Where the line has a point."""
        return tuple(value for value, _ in self.points if value is not None)


@dataclass(frozen=True)
class Surface:
    """A generator with one classifier over λ × ω, where both vary. cells: (λ, ω) → cell; some may be missing."""

    generator: Method
    lambdas: tuple[float, ...]
    omegas: tuple[float, ...]
    cells: dict[tuple[float, float], Cell]


def shared_cells(table: Table) -> dict[tuple[Arm, Method], Cell]:
    """The cells over the draws that all of them have, so that a curve shows the axis and not a change of draws.

    Failed trials stay, to be named. Where no draw is shared the cells are as they are.
    """
    draws = [{trial.draw for trial in cell.ok} for cell in table.cells.values() if cell.ok]
    shared = set.intersection(*draws) if draws else set()
    if not shared:
        return dict(table.cells)
    return {
        key: replace(cell, trials=tuple(t for t in cell.trials if not t.ok or t.draw in shared))
        for key, cell in table.cells.items()
    }


def lines(table: Table, classifier: Method, axis: Axis) -> tuple[Line, ...]:
    """Every generator's lines, controls first."""
    found: dict[tuple[Method, float | None], list[tuple[float | None, Cell]]] = {}
    cells = shared_cells(table)
    for arm in table.arms:
        cell = cells.get((arm, classifier))
        if cell is not None:
            value, held = _place(arm, axis)
            found.setdefault((arm.generator, held), []).append((value, cell))
    return tuple(
        Line(generator, held, tuple(sorted(points, key=lambda point: _first_none(point[0]))))
        for (generator, held), points in found.items()
    )


def _place(arm: Arm, axis: Axis) -> tuple[float | None, float | None]:
    return (arm.lam, arm.omega) if axis == "lambda" else (arm.omega, arm.lam)


def _first_none(value: float | None) -> tuple[bool, float]:
    return value is not None, value or 0.0


def reference(table: Table, classifier: Method) -> Cell | None:
    """The cell of ``none``, which every generator at λ = 0 is; the one of most draws where there are several."""
    cells = [
        c for (arm, by), c in shared_cells(table).items() if arm.generator.name == "none" and by == classifier
    ]
    return max(cells, key=lambda cell: len(cell.ok), default=None)


def surfaces(table: Table, classifier: Method) -> tuple[Surface, ...]:
    """The generators of which both λ and ω vary."""
    found: dict[Method, dict[tuple[float, float], Cell]] = {}
    for (arm, by), cell in shared_cells(table).items():
        if by == classifier and arm.omega is not None:
            found.setdefault(arm.generator, {})[arm.lam, arm.omega] = cell
    made = (
        Surface(generator, tuple(sorted({lam for lam, _ in cells})), tuple(sorted({om for _, om in cells})), cells)
        for generator, cells in found.items()
    )
    return tuple(s for s in made if len(s.lambdas) > 1 and len(s.omegas) > 1)


def curve_grids(table: Table, axis: Axis) -> tuple[Grid, ...]:
    """The metrics of gains: a row per classifier and line, a column per value of the axis; – heads arms without one."""
    rows = [(classifier, line) for classifier in table.classifiers for line in lines(table, classifier, axis)]
    values = sorted({value for _, line in rows for value, _ in line.points}, key=_first_none)
    other = SIGNS["omega" if axis == "lambda" else "lambda"]
    shown = axis == "omega" or table.guided
    keys = [Column("classifier", numeric=False), Column("generator", numeric=False)]
    keys += [Column(other)] if shown else []
    columns = (*keys, *(Column(f"{SIGNS[axis]}={_number(value)}") for value in values))
    grids = []
    for score in drawn(table):
        metric, name = score.key, score.name
        texts = []
        for classifier, line in rows:
            cells = dict(line.points)
            names = [table.labels[classifier], table.labels[line.generator]]
            names += [_held(line)] if shown else []
            texts.append((*names, *(_text(table, cells.get(value), metric) for value in values)))
        breaks = changes([classifier for classifier, _ in rows])
        grids.append(Grid(f"{name} against {SIGNS[axis]}", columns, tuple(texts), len(keys), breaks))
    return tuple(grids)


def drawn(table: Table) -> tuple[Score, Score]:
    """The metrics that curves show."""
    return table.scores.second, table.scores.main


def _held(line: Line) -> str:
    return MISSING if line.generator.name == "none" else _number(line.held)


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:g}"


def _text(table: Table, cell: Cell | None, metric: str) -> str:
    if cell is None:
        return MISSING
    summary = cell.summary(metric)
    if summary is None:
        return MISSING if cell.ok else "failed"
    return plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(table.draws) else "")
