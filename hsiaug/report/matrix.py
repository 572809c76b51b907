"""Pages of a report: one for each table in a view; the summary, which shows accuracy first; and arms by scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import attrgetter
from statistics import fmean

from hsiaug.metrics.pooling import FEWEST_SCENES, Pooled, pool_scenes
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.compare import Comparison, Gain
from hsiaug.report.curves import AXES, curve_notes
from hsiaug.report.findings import CONTROL, FINDINGS, OF_SIGNS, go_on, over, said_of, signs_note
from hsiaug.report.grid import Grid, GridColumn, GridEntry, ReportPage, make_grid
from hsiaug.report.labels import MISSING, count, p_said, percent, range_text, signed, with_interval
from hsiaug.report.notes import (
    audit_lines,
    control_notes,
    number_notes,
    short_audit,
    significance_note,
    table_notes,
    table_page,
    warnings,
)
from hsiaug.report.records import CellKey
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.report.views import LABELS, MOST_ROWS, SUMMARY, VIEWS, alone_grid, check_view, metric_text, overview

NOTE = (
    "Over none, all scenes: mean difference to none, in points, by random effects, with the 95 % interval of Hartung and "
    "Knapp. A new scene: the 95 % prediction interval of the gain on a scene that is not among these (Higgins et al., "
    "2009). It supposes that such a scene is drawn as these were."
)


def pages(report: Report, by: str) -> tuple[ReportPage, ...]:
    """A page per table of the report; of the summary, and by generator last, one per run and protocol.

    Raises InputError for an unknown view, and by labels where there is no curve.
    """
    check_view(by)
    if by == LABELS:
        from hsiaug.report.views_labels import label_pages

        return label_pages(report)
    made = tuple(_table_page(table, report.where, by) for table in report.tables if by in VIEWS)
    return (*made, *_summaries(report, alone=by == SUMMARY)) if by in ("generator", SUMMARY) else made


def _table_page(table: Table, where: str, by: str) -> ReportPage:
    notes = table_notes(table) if by == "generator" else number_notes(table)
    if by in ("gain", "classifier") and table.gains:
        notes += control_notes(table) + significance_note(table)
    for axis in (axis for axis in AXES if axis == by):
        notes += curve_notes(table, axis)
        notes.append("none has no synthetic sample: it is λ = 0 of every generator, at any ω.")
    return table_page(table, where, VIEWS[by](table), notes)


@dataclass(frozen=True)
class ArmRow:
    """An arm with a classifier. gains: of each scene, None where it was not run. pooled: over ``none``, of three scenes
    that have two draws."""

    key: CellKey
    label: str
    gains: tuple[Gain | None, ...]
    pooled: Pooled | None

    @cached_property
    def rank(self) -> tuple[bool, int, float]:
        """Largest for the arm to show first: by scenes on which it helps, then by its gain; ``duplicate`` last."""
        known = [gain for gain in self.gains if gain is not None]
        means = [gain.hardest[1].main.mean for gain in known if gain.hardest]
        helps = sum(gain.rank[0] for gain in known)
        return any(gain.verdict for gain in known), helps, fmean(means) if means else float("-inf")


@dataclass(frozen=True, eq=False)
class Matrix:
    """Tables that differ in the scene alone, and every arm that is measured against a control in one of them."""

    tables: tuple[Table, ...]
    rows: tuple[ArmRow, ...]

    @property
    def title(self) -> str:
        """The title of its table, or what its tables have in common."""
        first = self.tables[0].title
        run = f"{self.tables[0].run}: " if self.tables[0].run else ""
        return first if len(self.tables) == 1 else f"{run}{len(self.tables)} scenes, {first.split(', ', 1)[1]}"

    @property
    def heading(self) -> str:
        """What its numbers are."""
        return f"Δ{score_of(self.tables)} over the control that decides, in points"

    @property
    def pooled(self) -> list[ArmRow]:
        """The arms that were run on three scenes, the largest mean gain over ``none`` first."""
        return sorted(
            (row for row in self.rows if row.pooled), key=lambda row: -row.pooled.mean if row.pooled else 0
        )

    @property
    def grid(self) -> Grid:
        """A row per arm, a column per scene; over three scenes the mean over ``none`` and what to expect of another.

        Where it is too wide, without the columns over all scenes, or without intervals.
        """
        rows, group = self.rows[:MOST_ROWS], "over none, all scenes"

        def grid(*, interval: bool, pooled: bool, narrower: Grid | None = None) -> Grid:
            columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
            for place, table in enumerate(self.tables):
                entry = partial(self._entry, place, interval=interval)
                draws = count(len(table.draws), "draw")
                columns.append(GridColumn(draws, entry, table.condition.scene, numeric=False))
            if pooled:
                columns += [GridColumn("mean", _mean, group), GridColumn("a new scene", _new, group)]
            return replace(make_grid(self.heading, columns, rows), narrower=narrower)

        whole = grid(interval=True, pooled=False, narrower=grid(interval=False, pooled=False))
        return grid(interval=True, pooled=True, narrower=whole) if self.pooled else whole

    def _entry(self, place: int, row: ArmRow, interval: bool = True) -> GridEntry:
        gain = row.gains[place]
        if gain is None:
            return GridEntry(MISSING)
        words = FINDINGS[gain.verdict.finding] if gain.verdict else None
        parts = [words.sign if words else CONTROL]
        if gain.hardest:
            test = gain.hardest[1].main
            parts.append(with_interval(test.mean, test.interval if interval else None))
            if interval and len(self.tables) == 1 and over(gain):
                parts.append(over(gain))
        return GridEntry(" ".join(parts), gain.cell, words.tone if words else "")


def matrices(report: Report) -> list[Matrix]:
    """A matrix for the tables of each run, task and protocol."""
    return [Matrix(tables, _rows(tables)) for tables in same_but_scene(report)]


def same_but_scene(report: Report) -> list[tuple[Table, ...]]:
    """The tables that differ in the scene alone, those of each run and protocol; without points of learning curves.

    All of a report that has nothing else.
    """
    groups: dict[object, list[Table]] = {}
    compared = [table for table in report.tables if table.condition.protocol != ADDED] or report.tables
    for table in compared:
        c = table.condition
        groups.setdefault((table.run, c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []).append(table)
    return [tuple(tables) for tables in groups.values()]


def pool_gains(gains: Sequence[Gain | None]) -> Pooled | None:
    """The gains of an arm over ``none`` on several scenes; None where fewer than three have two draws."""
    known = [over.main.differences for gain in gains if (over := over_none(gain))]
    return pool_scenes(known) if len(known) >= FEWEST_SCENES else None


def over_none(gain: Gain | None) -> Comparison | None:
    """The comparison with ``none``, where that has two draws."""
    over = gain.against["none"] if gain else None
    return over if over is not None and len(over.main.differences) > 1 else None


def score_of(tables: Sequence[Table]) -> str:
    """The main score, without the number of its classes where that differs between scenes."""
    names = {table.scores.main.name for table in tables}
    return names.pop() if len(names) == 1 else f"{tables[0].scores.main.name.split(' (')[0]} of large classes"


def loss_of(gain: Gain) -> float | None:
    """The largest loss in the second metric (a fraction below 0) of an arm that helps at a loss; None for others."""
    if gain.verdict is None or gain.verdict.finding != "helps, at a loss":
        return None
    return min(c.second.mean for c in gain.against.values() if c and c.second)


def overviews(matrix: Matrix) -> tuple[Grid, ...]:
    """The overview of each scene; where these are too long, the main score of every arm by scene, the best arm first."""
    tables = [table for table in matrix.tables if table.cells]
    if len(tables) < 2 or sum(len(table.cells) for table in tables) <= MOST_ROWS:
        return tuple(map(overview, tables))
    none = {
        key: ArmRow(key, table.cell_label(cell, ", "), (None,) * len(tables), None)
        for table in tables
        for key, cell in table.cells.items()
        if key[0].generator.name == "none"
    }

    def score(table: Table, row: ArmRow) -> GridEntry:
        cell = table.cells.get(row.key)
        return GridEntry(metric_text(table.scores.main.key, cell), cell) if cell else GridEntry(MISSING)

    columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
    for place, table in enumerate(matrix.tables):
        gain = partial(matrix._entry, place, interval=False)
        columns += [
            GridColumn("score", partial(score, table), table.condition.scene, best=True),
            GridColumn("Δ", gain, table.condition.scene, numeric=False),
        ]
    rows = [*none.values(), *matrix.rows][:MOST_ROWS]
    return (make_grid(f"{score_of(tables)} in percent, and {matrix.heading}", columns, rows),)


def closing(matrix: Matrix) -> tuple[str, ...]:
    """What helps, by how much, and what is not decided yet: the sentences in which every report ends."""
    if len(matrix.tables) == 1:
        found = said_of(matrix.tables[0])
        said = [found] if found != FINDINGS["undecided"].of_all else []
    else:
        said = []
        for table in matrix.tables:
            helping = sum(gain.rank[0] > 1 for gain in table.judged)
            said.append(f"{helping} of {count(len(table.judged), 'arm')} on {table.condition.scene}")
        said = [f"Shown to help: {', '.join(said)}."]
    if matrix.rows and matrix.rows[0].rank[0]:
        said.append(_gain_of(matrix.rows[0], matrix))
    return (*said, *_undecided(matrix))


def class_sentence(table: Table) -> str:
    """The classes of the lowest and of the highest mean recall of the arm with the highest mean score."""
    key = table.scores.main.key
    best = max(table.cells.values(), key=lambda cell: s[0] if (s := cell.summary(key)) else -1.0, default=None)
    means = {
        name: fmean(r) for i, name in enumerate(table.class_names, start=1) if best and (r := best.recalls(i))
    }
    if best is None or not means:
        return ""
    worst, top = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    told = f"worst class {worst} ({percent(means[worst])} % recall), best {top} ({percent(means[top])} %)"
    scene = f" on {table.condition.scene}"
    return f"Highest mean {table.scores.main.name}{scene}: {table.cell_label(best)}; {told}."


def _summaries(report: Report, *, alone: bool) -> tuple[ReportPage, ...]:
    """A page per matrix: accuracy, what helps, and by how much; below the last, the command to run next.

    alone: with accuracy, and the notes and the audit of its tables.
    """
    store = "" if report.store == "hsiaug-results" else f" --store {report.where}"
    more = [found for table in report.tables if (found := go_on(table))]
    again = f"the same benchmark with --seeds {max(more)} runs the draws that are missing; " if more else ""
    next_ = f"Next: {again}hsiaug report{store} --out report.html (on a terminal --notes or --by generator)"
    made = [_page(matrix, report, alone) for matrix in matrices(report)]
    return (*made[:-1], *(replace(page, closing=(*page.closing, next_)) for page in made[-1:]))


def _rows(tables: Sequence[Table]) -> tuple[ArmRow, ...]:
    labels: dict[CellKey, str] = {}
    for table in tables:
        for key, gain in table.gains.items():
            labels.setdefault(key, table.cell_label(gain.cell, ", "))
    found = []
    for key, label in labels.items():
        gains = tuple(table.gains.get(key) for table in tables)
        found.append(ArmRow(key, label, gains, pool_gains(gains)))
    return tuple(sorted(found, key=attrgetter("rank"), reverse=True))


def _mean(row: ArmRow) -> str:
    if row.pooled is None:
        return MISSING
    mean, interval, _, scenes = row.pooled
    return with_interval(mean, interval) + (f" ({scenes})" if scenes < len(row.gains) else "")


def _new(row: ArmRow) -> str:
    return range_text(row.pooled.prediction) if row.pooled else MISSING


def _gain_of(row: ArmRow, matrix: Matrix) -> str:
    """By how much the best arm gains, on each scene and over all."""
    parts = []
    for table, gain in zip(matrix.tables, row.gains, strict=True):
        if gain and gain.hardest:
            control, one = gain.hardest
            loss = loss_of(gain)
            at = f" at {table.scores.second.name} {signed(loss)}" if loss is not None else ""
            p = f"{p_said(one.main.p_corrected)}, " if one.main.p is not None else ""
            about = f" ({p}{count(len(one.mine), 'draw')})"
            where = about if len(matrix.tables) == 1 else f" on {table.condition.scene}"
            parts.append(f"{with_interval(one.main.mean, one.main.interval)}{at} over {control}{where}")
    if row.pooled:
        mean, interval, new, scenes = row.pooled
        parts.append(
            f"over none {with_interval(mean, interval)} in the mean of {scenes} scenes and {range_text(new)} on a new "
            "scene"
        )
    shown = "The largest gain" if row.rank[1] else "Closest to a gain"
    return f"{shown}: {row.label}, {score_of(matrix.tables)} {'; '.join(parts) or 'not known'}."


def _undecided(matrix: Matrix) -> list[str]:
    """One sentence on the arms for which the draws are too few, and one on those that are open."""
    verdicts = [gain.verdict for table in matrix.tables for gain in table.judged if gain.verdict]
    waiting, open_ = ([v for v in verdicts if v.finding == finding] for finding in ("undecided", "open"))
    of, said = count(len(verdicts), "arm" if len(matrix.tables) == 1 else "verdict"), []
    if waiting:
        had = min(one.draws for one in waiting)
        there = f"{had} {'is' if had == 1 else 'are'} there"
        said.append(f"Undecided: {len(waiting)} of {of}; {count(MIN_PAIRS, 'draw')} are needed, {there}.")
    if open_:
        largest = max(one.detectable for one in open_)
        said.append(f"Open: {len(open_)} of {of}; these draws could show {largest:.1f} points.")
    return said


def _page(matrix: Matrix, report: Report, alone: bool) -> ReportPage:
    tables = matrix.tables
    failed, trials = (sum(len(getattr(table, name)) for table in tables) for name in ("failed", "trials"))
    store = f"hsiaug report --store {report.where}"
    apart = tuple(grid for table in tables if alone and (grid := alone_grid(table)).rows)
    notes = dict.fromkeys(note for table in tables if alone for note in table_notes(table))
    shown = overviews(matrix) if alone else ()
    gains = (matrix.grid,) if matrix.rows and not alone else ()
    arms = (
        [len(table.cells) for table in tables] if len(shown) > 1 else [len({k for t in tables for k in t.cells})]
    )
    more = sum(arms) - sum(len(grid.rows) for grid in shown) if shown else 0
    return ReportPage(
        title=f"Summary: {matrix.title}",
        leaky=any(table.leaky for table in tables),
        failed=f"{failed:,} of {count(trials, 'trial')} failed; which: {store} --by seed" if failed else None,
        warnings=tuple(dict.fromkeys(text for table in tables for text in warnings(table))),
        grids=(*shown, *gains, *apart),
        notes=(*notes, OF_SIGNS, *([NOTE] if matrix.pooled else [])),
        audit=tuple(line for table in tables if alone for line in audit_lines(table, report.where)),
        closing=(
            *([f"and {count(more, 'more row')}: {store} --by generator"] if more > 0 else []),
            *(filter(None, map(class_sentence, tables)) if len(shown) == len(tables) else ()),
            *(
                [f"{signs_note(tables)} {CONTROL}: a control."]
                if matrix.rows and (gains or len(tables) > 1)
                else []
            ),
            short_audit(tables),
            *closing(matrix),
        ),
    )
