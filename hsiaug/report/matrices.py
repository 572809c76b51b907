"""Tables that differ in the scene alone, and their arms by scene, in one order for all scenes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import attrgetter
from statistics import fmean

from hsiaug.report.answers import headline, three_answers
from hsiaug.report.findings import MOST_ROWS, gain_entry, metric_entry, of_rows
from hsiaug.report.formatting import MISSING
from hsiaug.report.gains import ArmGains, rank, rival_of
from hsiaug.report.section import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import CellKey
from hsiaug.trial.arm import NONE


@dataclass(frozen=True)
class ArmRow:
    """An arm with a classifier.

    Attributes
    ----------
    gains : tuple of ArmGains
        Gains of each scene, empty where it was not run.
    """

    key: CellKey
    label: str
    gains: tuple[ArmGains, ...]

    @property
    def judged(self) -> bool:
        """Whether it has a verdict on some scene."""
        return any(arm and arm[NONE].verdict for arm in self.gains)

    @property
    def above_none(self) -> bool:
        """Whether it is shown above no samples on some scene."""
        return any(arm and arm[NONE].shown == "above" for arm in self.gains)

    @cached_property
    def rank(self) -> tuple[bool, int, float]:
        """Largest for the arm to show first: by scenes on which it helps, then by its gain;
        ``duplicate`` last.
        """
        ranks = [rank(arm) for arm in self.gains if arm]
        helps = sum(level for level, _ in ranks)
        mean = fmean(mean for _, mean in ranks) if ranks else float("-inf")
        return self.judged, helps, mean


@dataclass(frozen=True, eq=False)
class Matrix:
    """Tables that differ in the scene alone, and every arm that is measured against a control in
    one of them.
    """

    tables: tuple[ReportTable, ...]
    rows: tuple[ArmRow, ...]

    @property
    def title(self) -> str:
        """The title of its table, or what its tables have in common."""
        first = self.tables[0].title
        run = f"{self.tables[0].run}: " if self.tables[0].run else ""
        return (
            first
            if len(self.tables) == 1
            else f"{run}{len(self.tables)} scenes, {first.split(', ', 1)[1]}"
        )

    @property
    def heading(self) -> str:
        """What its differences are."""
        return f"Δ{score_of(self.tables)} over no samples and over the rival, in points"

    @property
    def detailed(self) -> bool:
        """Whether each scene has an overview: of several, only where these are short."""
        cells = [len(table.cells) for table in self.tables if table.cells]
        return len(cells) < 2 or sum(cells) <= MOST_ROWS


def matrices(report: Report) -> list[Matrix]:
    """Tables that differ in the scene alone, those of each run and protocol; without points of
    learning curves.

    All of a report that has nothing else.
    """
    groups: dict[object, list[ReportTable]] = {}
    for table in report.shown:
        c = table.condition
        groups.setdefault(
            (table.run, c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []
        ).append(table)
    return [Matrix(tuple(tables), _rows(tables)) for tables in groups.values()]


def score_of(tables: Sequence[ReportTable]) -> str:
    """The main score, without the number of its classes where that differs between scenes."""
    names = {table.scores.main.name for table in tables}
    return names.pop() if len(names) == 1 else f"{tables[0].scores.main.short} of large classes"


def headlines(matrix: Matrix) -> tuple[str, ...]:
    """The answers of each scene on a line."""
    lines = [headline(three_answers(table)) for table in matrix.tables]
    if len(lines) == 1:
        return tuple(lines)
    scenes = [table.condition.scene for table in matrix.tables]
    return tuple(f"{scene}: {line}" for scene, line in zip(scenes, lines, strict=True))


def _rows(tables: Sequence[ReportTable]) -> tuple[ArmRow, ...]:
    labels: dict[CellKey, str] = {}
    for table in tables:
        for key, arm in table.by_arm.items():
            labels.setdefault(key, table.cell_label(arm[NONE].cell, ", "))
    rows = (
        ArmRow(key, label, tuple(table.by_arm.get(key, {}) for table in tables))
        for key, label in labels.items()
    )
    return tuple(sorted(rows, key=attrgetter("rank"), reverse=True))


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
    return gain_entry(row.gains[place].get(NONE), table.scores.second.name, ends=False)


def _over_rival(table: ReportTable, place: int, row: ArmRow) -> GridEntry:
    rival = rival_of(row.gains[place])
    entry = gain_entry(rival, table.scores.second.name, ends=False)
    name = f"{rival.control} " if rival and rival.draws else ""
    return replace(entry, text=f"{name}{entry.text}")
