"""What generators state of their samples, in the provenance that a record holds: along ω, beside accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import SIGNS, SweepLine, SweepPoint, all_lines, line_label
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import MISSING, number, plus_minus
from hsiaug.report.records import MEASURED, MEASURED_REAL
from hsiaug.report.tables import Table

NAMES = (
    *("density", "coverage", "purity", "nearer_training", "nearer_pool"),
    *("copies_training", "copies_pool"),
)
"""Names that the convention has (docs/plugins.md), in the order of rows; all are fractions."""
DRAWN = 5
"""Of these, the first that figures show."""


def measured_lines(table: Table) -> list[SweepLine]:
    """The lines along ω whose trials state any of it; of several classifiers the first: all get the same samples."""
    found: dict[object, SweepLine] = {}
    for line in all_lines(table, "omega"):
        if any(trial.has(MEASURED) for _, cell in line.points for trial in cell.ok):
            found.setdefault(line.key, line)
    return list(found.values())


def measured_names(lines: Sequence[SweepLine]) -> list[str]:
    """Names that some trial of the lines states."""
    cells = [cell for line in lines for _, cell in line.points]
    return [name for name in NAMES if summarise(cells, name)]


def summarise(cells: Iterable[ArmCell], name: str, part: str = MEASURED) -> MeanStd | None:
    """Mean and std over the trials of what samples are stated to be; None where no trial states it."""
    values = [value for cell in cells for trial in cell.ok if (value := trial.number(name, part)) is not None]
    return mean_std(values) if values else None


def real_of(line: SweepLine, name: str) -> MeanStd | None:
    """The same of left-out real patches, one number a draw: it hardly depends on ω."""
    by_draw = {trial.draw: trial.number(name, MEASURED_REAL) for _, cell in line.points for trial in cell.ok}
    values = [value for value in by_draw.values() if value is not None]
    return mean_std(values) if values else None


def measured_dots(line: SweepLine, name: str) -> list[SweepPoint]:
    """The points of a line that state it, in percent."""
    found = ((value, cell, summarise([cell], name)) for value, cell in line.points if value is not None)
    return [
        SweepPoint(value, 100 * score.mean, 100 * (score.std or 0.0), score.n, not line.shares(cell))
        for value, cell, score in found
        if score is not None
    ]


def measured_grids(table: Table) -> tuple[Grid, ...]:
    """Rows generator × what is stated, columns left-out real patches and values of ω; nothing where none states it."""
    lines = measured_lines(table)
    if not lines:
        return ()
    rows = [(line, name) for line in lines for name in measured_names([line])]
    values = sorted({value for line in lines for value in line.values})
    columns = [
        GridColumn("generator", lambda row: line_label(table, row[0], "omega"), numeric=False),
        GridColumn("samples", lambda row: row[1].replace("_", " "), numeric=False),
        GridColumn("real", _real),
        *(GridColumn(f"{SIGNS['omega']}={number(value)}", partial(_point, value)) for value in values),
    ]
    heading = f"What samples are like against {SIGNS['omega']}, in percent"
    return (make_grid(heading, columns, rows, keys=2, block=lambda row: row[0].key),)


def _real(row: tuple[SweepLine, str]) -> str:
    return plus_minus(real_of(*row))


def _point(value: float, row: tuple[SweepLine, str]) -> GridEntry:
    line, name = row
    cell = dict(line.points).get(value)
    return GridEntry(MISSING) if cell is None else GridEntry(plus_minus(summarise([cell], name)), cell)
