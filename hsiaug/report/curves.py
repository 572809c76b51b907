"""Accuracy against λ or against ω: the lines of a sweep, and its tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from hsiaug.report.cells import ArmCell
from hsiaug.report.draws import Draw, common_draws, draws_of, over_draws
from hsiaug.report.grid import Entry, Grid, GridColumn, make_grid
from hsiaug.report.labels import MISSING, number, plus_minus
from hsiaug.report.scores import Score
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Arm, Method

__all__ = [
    "AXES",
    "SIGNS",
    "Axis",
    "Line",
    "Surface",
    "curve_grids",
    "drawn",
    "lines",
    "moving",
    "reference",
    "surfaces",
]

Axis = Literal["lambda", "omega"]
AXES: tuple[Axis, ...] = ("lambda", "omega")
SIGNS = {"lambda": "λ", "omega": "ω"}


@dataclass(frozen=True)
class Line:
    """A generator with one classifier, along an axis. held: its ω along λ, its λ along ω.

    points: (value on the axis, cell), in the order of the values; None for an arm without ω along ω. A cell is over
        ``draws`` where it has them all; one that lacks some is as in the other tables, and stands apart.
    draws: what the points are compared over.
    start: ``none`` over these draws, which is λ = 0 of the line; None where it lacks some.
    """

    generator: Method
    classifier: Method
    held: float | None
    points: tuple[tuple[float | None, ArmCell], ...]
    draws: frozenset[Draw]
    start: ArmCell | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """Where the line has a point."""
        return tuple(value for value, _ in self.points if value is not None)

    def shares(self, cell: ArmCell) -> bool:
        """True for a point that can be compared with the others; False for one over other draws."""
        return draws_of(cell) == self.draws


@dataclass(frozen=True)
class Surface:
    """A generator with one classifier over λ × ω, where both vary. cells: (λ, ω) → cell; some may be missing.

    draws: what the fields are compared over, as for a Line.
    """

    generator: Method
    lambdas: tuple[float, ...]
    omegas: tuple[float, ...]
    cells: dict[tuple[float, float], ArmCell]
    draws: frozenset[Draw]

    def shares(self, cell: ArmCell) -> bool:
        """True for a field that can be compared with the others; False for one over other draws."""
        return draws_of(cell) == self.draws


def lines(table: Table, classifier: Method, axis: Axis) -> tuple[Line, ...]:
    """Every generator's lines, controls first."""
    found: dict[tuple[Method, float | None], list[tuple[float | None, ArmCell]]] = {}
    for arm, cell in _tried(table, classifier):
        value, held = _place(arm, axis)
        found.setdefault((arm.generator, held), []).append((value, cell))
    none = reference(table, classifier)
    return tuple(_line(generator, classifier, held, points, none) for (generator, held), points in found.items())


def moving(table: Table, axis: Axis) -> list[Line]:
    """The lines with two points or more, of all classifiers; none where only duplicate has such a line."""
    found = [line for c in table.classifiers for line in lines(table, c, axis) if len(line.values) > 1]
    return found if any(line.generator.name != "duplicate" for line in found) else []


def _tried(table: Table, classifier: Method) -> list[tuple[Arm, ArmCell]]:
    """The arms of a classifier with the trials that were run; an arm of which none was run is left out."""
    found = []
    for cell in table.cells_of(classifier):
        run = tuple(t for t in cell.trials if t.record.get("status") != "empty")
        if run:
            found.append((cell.arm, replace(cell, trials=run)))
    return found


def _line(
    generator: Method,
    classifier: Method,
    held: float | None,
    points: list[tuple[float | None, ArmCell]],
    none: ArmCell | None,
) -> Line:
    draws = common_draws(cell for _, cell in points)
    start = over_draws(none, draws) if none else None
    over = sorted(((v, over_draws(cell, draws)) for v, cell in points), key=lambda point: _first_none(point[0]))
    return Line(
        generator, classifier, held, tuple(over), draws, start if start and draws_of(start) == draws else None
    )


def _place(arm: Arm, axis: Axis) -> tuple[float | None, float | None]:
    return (arm.lam, arm.omega) if axis == "lambda" else (arm.omega, arm.lam)


def _first_none(value: float | None) -> tuple[bool, float]:
    return value is not None, value or 0.0


def reference(table: Table, classifier: Method) -> ArmCell | None:
    """The cell of ``none``, which every generator at λ = 0 is; the one of most draws where there are several."""
    cells = [cell for arm, cell in _tried(table, classifier) if arm.generator.name == "none"]
    return max(cells, key=lambda cell: len(cell.ok), default=None)


def surfaces(table: Table, classifier: Method) -> tuple[Surface, ...]:
    """The generators of which both λ and ω vary."""
    found: dict[Method, dict[tuple[float, float], ArmCell]] = {}
    for arm, cell in _tried(table, classifier):
        if arm.omega is not None:
            found.setdefault(arm.generator, {})[arm.lam, arm.omega] = cell
    made = (_surface(generator, cells) for generator, cells in found.items())
    return tuple(s for s in made if len(s.lambdas) > 1 and len(s.omegas) > 1)


def _surface(generator: Method, cells: dict[tuple[float, float], ArmCell]) -> Surface:
    draws = common_draws(cells.values())
    lambdas, omegas = (tuple(sorted({key[i] for key in cells})) for i in (0, 1))
    over = {key: over_draws(cell, draws) for key, cell in cells.items()}
    return Surface(generator, lambdas, omegas, over, draws)


def curve_grids(table: Table, axis: Axis) -> tuple[Grid, ...]:
    """The metrics of gains: a row per classifier and line, a column per value of the axis; – heads arms without one."""
    rows = [line for classifier in table.classifiers for line in lines(table, classifier, axis)]
    values = sorted({value for line in rows for value, _ in line.points}, key=_first_none)
    keys = [
        GridColumn("classifier", lambda line: table.labels[line.classifier], numeric=False),
        GridColumn("generator", lambda line: table.labels[line.generator], numeric=False),
        GridColumn(SIGNS["omega" if axis == "lambda" else "lambda"], _held),
    ]
    keys = keys if axis == "omega" or table.guided else keys[:2]
    grids = []
    for score in drawn(table):
        columns = [
            GridColumn(f"{SIGNS[axis]}={number(value)}", partial(_point, table, score.key, value))
            for value in values
        ]
        heading = f"{score.name} against {SIGNS[axis]}"
        grids.append(
            make_grid(heading, [*keys, *columns], rows, keys=len(keys), block=lambda line: line.classifier)
        )
    return tuple(grids)


def drawn(table: Table) -> tuple[Score, Score]:
    """The metrics that curves show."""
    return table.scores.second, table.scores.main


def _held(line: Line) -> str:
    return number(None if line.generator.name == "none" else line.held)


def _point(table: Table, metric: str, value: float | None, line: Line) -> Entry:
    cell = dict(line.points).get(value)
    if cell is None:
        return Entry(MISSING)
    summary = cell.summary(metric)
    if summary is None:
        return Entry(MISSING if cell.ok else "failed", cell)
    return Entry(plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(table.draws) else ""), cell)
