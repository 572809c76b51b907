"""Pages of a report: one for each table in a view; the summary, which shows accuracy first; and
arms by scene.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import attrgetter
from statistics import fmean

from hsiaug.report.answer_text import answer_texts, headline
from hsiaug.report.answers import Answers, three_answers
from hsiaug.report.breakdowns import (
    MOST_ROWS,
    SUMMARY,
    VIEWS,
    check_view,
    grouped_overview,
    metric_entry,
    of_rows,
    overview,
    synthetic_only_grid,
)
from hsiaug.report.cells import CellKey
from hsiaug.report.compare import ControlComparison, Gain
from hsiaug.report.curves import AXES
from hsiaug.report.findings import (
    best_row_sentences,
    shown_words,
    tone_of,
    words_note,
)
from hsiaug.report.formatting import MISSING, count, signed
from hsiaug.report.grid import Grid, GridColumn, GridEntry, ReportPage, make_grid
from hsiaug.report.notes import (
    audit_lines,
    left_out_classes,
    opening,
    short_audit,
    table_notes,
    table_page,
    warnings,
)
from hsiaug.report.tables import Report, ReportTable


def report_pages(report: Report, by: str) -> tuple[ReportPage, ...]:
    """A page per table of the report; of the summary, and by generator last, one per run and
    protocol.

    Raises InputError for an unknown view, and by labels where there is no curve.
    """
    check_view(by)
    if by == "labels":
        from hsiaug.report.label_breakdowns import label_pages

        return label_pages(report)
    made = tuple(_table_page(table, report.where, by) for table in report.tables if by in VIEWS)
    return (
        (*made, *summaries(report, brief=by == SUMMARY)) if by in ("generator", SUMMARY) else made
    )


def _table_page(table: ReportTable, where: str, by: str) -> ReportPage:
    notes = table_notes(table, compared=by in ("generator", "gain", "classifier"))
    if by in AXES:
        notes.append("none has no synthetic sample: it is λ = 0 of every generator, at any ω.")
    page = table_page(table, where, VIEWS[by](table), notes)
    if by != "generator":
        return page
    answers = answer_texts(three_answers(table))
    return replace(page, opening=opening(table), answers=answers)


@dataclass(frozen=True)
class ArmRow:
    """An arm with a classifier.

    Attributes
    ----------
    gains : tuple of Gain or None
        Gains of each scene, None where it was not run.
    """

    key: CellKey
    label: str
    gains: tuple[Gain | None, ...]

    @property
    def judged(self) -> bool:
        """Whether it has a verdict on some scene."""
        return any(gain is not None and gain.verdict for gain in self.gains)

    @property
    def above_none(self) -> bool:
        """Whether it is shown above no samples on some scene."""
        return any(gain is not None and gain.over_none.main.word == "above" for gain in self.gains)

    @cached_property
    def rank(self) -> tuple[bool, int, float]:
        """Largest for the arm to show first: by scenes on which it helps, then by its gain;
        ``duplicate`` last.
        """
        known = [gain for gain in self.gains if gain is not None]
        means = [gain.rank[1] for gain in known]
        helps = sum(gain.rank[0] for gain in known)
        return self.judged, helps, fmean(means) if means else float("-inf")


@dataclass(frozen=True, eq=False)
class Matrix:
    """Tables that differ in the scene alone, and every arm that is measured against a control in
    one of them.
    """

    tables: tuple[ReportTable, ...]
    rows: tuple[ArmRow, ...]

    @cached_property
    def answers(self) -> tuple[Answers, ...]:
        """The three answers of each table."""
        return tuple(map(three_answers, self.tables))

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

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The overview of each scene, unless these are too long; of several scenes also the arms by
        scene.
        """
        return self._with(overview)

    @property
    def grouped_grids(self) -> tuple[Grid, ...]:
        """The same with the arms of each classifier below it."""
        return self._with(grouped_overview)

    def _with(self, view: Callable[[ReportTable], Grid]) -> tuple[Grid, ...]:
        tables = [table for table in self.tables if table.cells]
        return (
            *(map(view, tables) if self.detailed else ()),
            *((self._by_scene(), self._rivals_by_scene()) if len(self.tables) > 1 else ()),
        )

    def _by_scene(self) -> Grid:
        """A row per arm, the main score and what it gains over no samples by scene."""
        none = {
            key: ArmRow(key, table.cell_label(cell, ", "), (None,) * len(self.tables))
            for table in self.tables
            for key, cell in table.cells.items()
            if key[0].generator.name == "none"
        }

        def score(table: ReportTable, row: ArmRow) -> GridEntry:
            cell = table.cells.get(row.key)
            return metric_entry(table.scores.main.key, cell) if cell else GridEntry(MISSING)

        columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
        for place, table in enumerate(self.tables):
            columns += [
                GridColumn(
                    table.scores.main.name, partial(score, table), table.condition.scene, best=True
                ),
                GridColumn("over none", partial(self._over_none, place), table.condition.scene),
            ]
        rows = [*none.values(), *self.rows]
        heading = f"{score_of(self.tables)} in percent, and its gain over no samples"
        return make_grid(f"{heading}{of_rows(len(rows))}", columns, rows[:MOST_ROWS])

    def _rivals_by_scene(self) -> Grid:
        """A row per arm that is above no samples on some scene, and what it gains over its rival by
        scene.
        """
        rows = [row for row in self.rows if row.judged and row.above_none][:MOST_ROWS]
        columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
        columns += [
            GridColumn(table.condition.scene, partial(self._over_rival, place))
            for place, table in enumerate(self.tables)
        ]
        heading = f"Gain in {score_of(self.tables)} over the rival, of arms above no samples"
        return make_grid(heading, columns, rows)

    def _over_none(self, place: int, row: ArmRow) -> GridEntry:
        gain = row.gains[place]
        return self._gain(place, gain.over_none if gain else None)

    def _over_rival(self, place: int, row: ArmRow) -> GridEntry:
        gain = row.gains[place]
        entry = self._gain(place, gain.rival if gain else None)
        name = f"{gain.rival.control} " if gain and gain.rival and gain.rival.comparison else ""
        return replace(entry, text=f"{name}{entry.text}")

    def _gain(self, place: int, beside: ControlComparison | None) -> GridEntry:
        """``above +5.5``: what is shown on a scene, and by how much."""
        if beside is None or beside.comparison is None:
            return GridEntry(MISSING)
        words = shown_words(beside.comparison, self.tables[place].scores.second.name)
        return GridEntry(f"{words} {signed(beside.main.mean)}", tone_of(beside.comparison))


def matrices(report: Report) -> list[Matrix]:
    """Tables that differ in the scene alone, those of each run and protocol; without points of
    learning curves.

    All of a report that has nothing else.
    """
    groups: dict[object, list[ReportTable]] = {}
    for table in report.compared or report.tables:
        c = table.condition
        groups.setdefault(
            (table.run, c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []
        ).append(table)
    return [Matrix(tuple(tables), _rows(tables)) for tables in groups.values()]


def score_of(tables: Sequence[ReportTable]) -> str:
    """The main score, without the number of its classes where that differs between scenes."""
    names = {table.scores.main.name for table in tables}
    return (
        names.pop()
        if len(names) == 1
        else f"{tables[0].scores.main.name.split(' (')[0]} of large classes"
    )


def headlines(matrix: Matrix) -> tuple[str, ...]:
    """The answers of each scene on a line."""
    lines = [headline(answers) for answers in matrix.answers]
    if len(lines) == 1:
        return tuple(lines)
    scenes = [table.condition.scene for table in matrix.tables]
    return tuple(f"{scene}: {line}" for scene, line in zip(scenes, lines, strict=True))


def summary_notes(matrix: Matrix) -> tuple[str, ...]:
    """What the words and brackets of several scenes mean."""
    several = len(matrix.tables) > 1
    return (words_note(matrix.tables),) if several else ()


def summaries(report: Report, *, brief: bool) -> tuple[ReportPage, ...]:
    """A page per matrix: accuracy, what helps, and by how much; below the last, the command to run
    next.

    Parameters
    ----------
    brief : bool
        For a terminal, with the notes and the audit of its tables.
    """
    next_ = (
        f"Next: hsiaug report{report.option} --out report.html (here --notes explains, --by"
        " generator shows more)"
    )
    made = [_page(matrix, report, brief=brief) for matrix in matrices(report)]
    return (*made[:-1], *(replace(page, closing=(*page.closing, next_)) for page in made[-1:]))


def _rows(tables: Sequence[ReportTable]) -> tuple[ArmRow, ...]:
    labels: dict[CellKey, str] = {}
    for table in tables:
        for key, gain in table.gains.items():
            labels.setdefault(key, table.cell_label(gain.cell, ", "))
    rows = (
        ArmRow(key, label, tuple(table.gains.get(key) for table in tables))
        for key, label in labels.items()
    )
    return tuple(sorted(rows, key=attrgetter("rank"), reverse=True))


def _page(matrix: Matrix, report: Report, *, brief: bool) -> ReportPage:
    page = ReportPage(
        title=f"Summary: {matrix.title}",
        leaky=any(table.leaky for table in matrix.tables),
        failed=_failed(matrix.tables, report.where),
        warnings=_each_once(map(warnings, matrix.tables)),
        opening=headlines(matrix) if len(matrix.tables) > 1 else (),
        grids=tuple(grid for grid in matrix.grouped_grids if grid.rows),
        notes=summary_notes(matrix),
        closing=_closing(matrix),
    )
    return _on_terminal(page, matrix, report.where) if brief else page


def _on_terminal(page: ReportPage, matrix: Matrix, where: str) -> ReportPage:
    """The page as it stands alone, with the notes and the audit of its tables."""
    tables = matrix.tables
    several = len(tables) > 1
    synthetic_only = (synthetic_only_grid(table) for table in tables)
    return replace(
        page,
        title=matrix.title,
        opening=page.opening if several else opening(tables[0]),
        answers=() if several else answer_texts(matrix.answers[0]),
        grids=(*page.grids, *(grid for grid in synthetic_only if grid.rows)),
        notes=(*_each_once(map(table_notes, tables)), *page.notes),
        audit=tuple(line for table in tables for line in audit_lines(table, where)),
    )


def _failed(tables: Sequence[ReportTable], where: str) -> str | None:
    """How many trials of tables failed, and where they are named; None where none did."""
    failed = sum(len(table.failed) for table in tables)
    trials = sum(len(table.trials) for table in tables)
    which = f"hsiaug report --store {where} --by seed"
    return f"{failed:,} of {count(trials, 'trial')} failed; which: {which}" if failed else None


def _closing(matrix: Matrix) -> tuple[str, ...]:
    """The last sentences: what words mean, which classes are left out, the audit in short, and
    where the best row of a scene is right.
    """
    tables = matrix.tables
    lines = [
        words_note(tables),
        *dict.fromkeys(left_out_classes(table) for table in tables),
        *short_audit(tables),
    ]
    if len(tables) == 1:
        lines += best_row_sentences(tables[0], matrix.answers[0].use)
    return tuple(line for line in lines if line)


def _each_once(texts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """All of them, each once."""
    return tuple(dict.fromkeys(text for several in texts for text in several))
