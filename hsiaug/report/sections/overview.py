"""The main table: what every arm reaches, and what it gains over no samples and over its rival."""

from functools import partial
from math import inf
from operator import attrgetter

from hsiaug.report.findings import MOST_ROWS, gain_entry, metric_entry, of_rows
from hsiaug.report.formatting import count
from hsiaug.report.gains import ArmCell, rival_of
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import NONE


def overview(table: ReportTable) -> Grid:
    """A row per arm and classifier, the highest main score first: scores, and what the arm gains
    over no samples and over its rival.
    """
    columns = [
        GridColumn("arm", lambda cell: table.arm_label(cell.arm), numeric=False),
        GridColumn("with", lambda cell: table.labels[cell.classifier], numeric=False),
        *_score_columns(table, spare_main=False),
        *_gain_columns(table),
    ]
    shown = sorted(_overview_cells(table), key=partial(_main_score, table), reverse=True)
    return make_grid(_overview_heading(table), columns, shown, keys=2)


def grouped_overview(table: ReportTable) -> Grid:
    """A row per classifier without samples, and below it a row per arm with that classifier, the
    highest main score first: scores, and what the arm gains over no samples and over its rival.
    """
    shown = _overview_cells(table)
    highest = table.highest_scores(shown)
    bare = {cell.classifier for cell in shown if cell.without_samples}

    def place(cell: ArmCell) -> tuple[float, str, bool, float]:
        label = table.labels[cell.classifier]
        score = _main_score(table, cell)
        return -highest[cell.classifier], label, not cell.without_samples, -score

    def name(cell: ArmCell) -> str:
        classifier = table.labels[cell.classifier]
        if cell.without_samples:
            return classifier
        arm = f"+ {table.arm_label(cell.arm, brief=True)}"
        return arm if cell.classifier in bare else f"{classifier} {arm}"

    columns = [
        GridColumn("arm", name, numeric=False),
        *_score_columns(table, spare_main=True),
    ]
    if len(shown) > len(bare):
        columns += _gain_columns(table)
    rows = sorted(shown, key=place)
    heading = _overview_heading(table)
    return make_grid(heading, columns, rows, block=attrgetter("classifier"))


def _main_score(table: ReportTable, cell: ArmCell) -> float:
    return table.main_scores.get(cell, -inf)


def _overview_cells(table: ReportTable) -> list[ArmCell]:
    """The cells of an overview: those without samples however low they are, then the highest."""
    cells = sorted(table.cells.values(), key=partial(_main_score, table), reverse=True)
    return sorted(cells, key=lambda cell: not cell.without_samples)[:MOST_ROWS]


def _score_columns(table: ReportTable, *, spare_main: bool) -> list[GridColumn]:
    """The scores of an overview.

    Parameters
    ----------
    spare_main : bool
        The deviation of the main one may be left out too.
    """
    main = table.scores.main
    return [
        GridColumn(
            score.short,
            partial(metric_entry, table, score),
            best=True,
            spare=spare_main or score is not main,
            optional=score is not main,
            note=score.name,
        )
        for score in table.scores.shown
        if score is main or score.key != "aa"
    ]


def _overview_heading(table: ReportTable) -> str:
    main = table.scores.main
    of = f"; {main.short} of {main.classes} classes" if main.classes else ""
    draws = count(len(table.draws), "draw")
    scene = table.condition.scene
    return f"Accuracy on {scene} in percent, {draws}{of}{of_rows(len(table.cells))}"


def _gain_columns(table: ReportTable) -> list[GridColumn]:
    """What an arm gains over no samples, and over its rival."""
    second = table.scores.second.name

    def over_none(cell: ArmCell) -> str | GridEntry:
        return "" if cell.without_samples else gain_entry(table.against(cell).get(NONE), second)

    def over_rival(cell: ArmCell) -> str | GridEntry:
        rival = rival_of(table.against(cell))
        return gain_entry(rival, second) if rival and rival.verdict else ""

    def name_of_rival(cell: ArmCell) -> str:
        """The control that decides, or why there is none."""
        arm = table.against(cell)
        verdict = arm[NONE].verdict if arm else None
        if verdict is None:
            return "" if cell.without_samples else "control"
        if not len(cell.ok):
            return verdict.finding
        rival = rival_of(arm)
        return rival.control if rival else ""

    return [
        GridColumn(f"{table.scores.main.short} over none", over_none),
        GridColumn("over its rival", over_rival, note="over its rival"),
        GridColumn("rival", name_of_rival, numeric=False),
    ]


def _section(table: ReportTable, sources: Sources) -> Section | None:
    grid = sources.overviews.get(table)
    return Section("Table", tables=(grid,), opened=True) if grid else None


SECTIONS = (SectionKind("tables", _section, 10, within=""),)
