"""Arms by scene: the tables of a matrix."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import attrgetter

from hsiaug.report.columns import MOST_ROWS, metric_entry, of_rows
from hsiaug.report.findings import shown_words, tone_of
from hsiaug.report.formatting import MISSING, signed
from hsiaug.report.gains import Gain, rival_of
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.matrices import ArmRow, Matrix, score_of
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import NONE


def matrix_grids(matrix: Matrix, view: Callable[[ReportTable], Grid]) -> tuple[Grid, ...]:
    """The overview of each scene, unless these are too long; of several scenes also the arms by
    scene.

    Parameters
    ----------
    view : callable
        The overview of a table.
    """
    tables = [table for table in matrix.tables if table.cells]
    return (
        *(map(view, tables) if matrix.detailed else ()),
        *((_by_scene(matrix), _rivals_by_scene(matrix)) if len(matrix.tables) > 1 else ()),
    )


def _by_scene(matrix: Matrix) -> Grid:
    """A row per arm, the main score and what it gains over no samples by scene."""
    none = {
        key: ArmRow(key, table.cell_label(cell, ", "), ({},) * len(matrix.tables))
        for table in matrix.tables
        for key, cell in table.cells.items()
        if cell.without_samples
    }

    def score(table: ReportTable, row: ArmRow) -> GridEntry:
        cell = table.cells.get(row.key)
        return metric_entry(table.scores.main, cell) if cell else GridEntry(MISSING)

    columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
    for place, table in enumerate(matrix.tables):
        columns += [
            GridColumn(
                table.scores.main.name, partial(score, table), table.condition.scene, best=True
            ),
            GridColumn("over none", partial(_over_none, table, place), table.condition.scene),
        ]
    rows = [*none.values(), *matrix.rows]
    heading = f"{score_of(matrix.tables)} in percent, and its gain over no samples"
    return make_grid(f"{heading}{of_rows(len(rows))}", columns, rows[:MOST_ROWS])


def _rivals_by_scene(matrix: Matrix) -> Grid:
    """A row per arm that is above no samples on some scene, and what it gains over its rival by
    scene.
    """
    rows = [row for row in matrix.rows if row.judged and row.above_none][:MOST_ROWS]
    columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
    columns += [
        GridColumn(table.condition.scene, partial(_over_rival, table, place))
        for place, table in enumerate(matrix.tables)
    ]
    heading = f"Gain in {score_of(matrix.tables)} over the rival, of arms above no samples"
    return make_grid(heading, columns, rows)


def _over_none(table: ReportTable, place: int, row: ArmRow) -> GridEntry:
    return _gain(table, row.gains[place].get(NONE))


def _over_rival(table: ReportTable, place: int, row: ArmRow) -> GridEntry:
    rival = rival_of(row.gains[place])
    entry = _gain(table, rival)
    name = f"{rival.control} " if rival and rival.draws else ""
    return replace(entry, text=f"{name}{entry.text}")


def _gain(table: ReportTable, gain: Gain | None) -> GridEntry:
    """``above +5.5``: what is shown on a scene, and by how much."""
    if gain is None or not gain.draws:
        return GridEntry(MISSING)
    words = shown_words(gain, table.scores.second.name)
    return GridEntry(f"{words} {signed(gain.mean)}", tone_of(gain))
