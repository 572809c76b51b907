"""Scenes and arms in one table: what every arm gains on every scene, the best arm first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import attrgetter
from statistics import fmean

from hsiaug.metrics.equivalence import draws_for_margin
from hsiaug.metrics.pooling import Pooled
from hsiaug.report.across import NOTE, interval_text, pool_gains, same_but_scene, score_of
from hsiaug.report.audit import audit_lines, short_audit, warnings
from hsiaug.report.cells import CellKey
from hsiaug.report.compare import Gain
from hsiaug.report.findings import FINDINGS, go_on, judged, said_of
from hsiaug.report.grid import Grid, GridColumn, GridEntry, ReportPage, make_grid
from hsiaug.report.labels import MISSING, count, join_words, p_said, signed, with_interval
from hsiaug.report.notes import table_notes
from hsiaug.report.signs import CONTROL, OF_SIGNS, SIGNS, over, signs_note
from hsiaug.report.tables import Report, Table
from hsiaug.report.views_alone import alone_grid
from hsiaug.trial.arm import CONTROLS, Method

PILOT = 5
"""Draws from which on the spread of undecided arms is told."""
MOST_ROWS = 22
"""Rows that a summary shows; the rest is counted."""
Worths = Mapping[Table, Mapping[CellKey, str]]
"""How many labels arms are worth, where the store holds learning curves."""


@dataclass(frozen=True)
class ArmRow:
    """An arm with a classifier. gains: of each scene, None where it was not run. pooled: over ``none``, of three scenes
    that have two draws."""

    key: CellKey
    label: str
    gains: tuple[Gain | None, ...]
    pooled: Pooled | None

    @property
    def classifier(self) -> Method:
        """The classifier."""
        return self.key[1]

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
    worths: Worths

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
    def best(self) -> ArmRow | None:
        """The arm to name first; None where nothing is judged."""
        return self.rows[0] if self.rows and self.rows[0].rank[0] else None

    @property
    def pooled(self) -> bool:
        """True where some arm was run on three scenes."""
        return any(row.pooled for row in self.rows)

    @property
    def grid(self) -> Grid:
        """A row per arm, a column per scene; over three scenes the mean over ``none`` and what to expect of another.

        Where it is too wide, without the columns over all scenes, or without intervals.
        """
        rows, named = self.rows[:MOST_ROWS], GridColumn("arm", lambda row: row.label, numeric=False)
        heading = self.heading
        short = make_grid(heading, [named, *self._scenes(interval=False)], rows)
        scenes = [named, *self._scenes(interval=True)]
        whole = replace(make_grid(heading, scenes, rows), narrower=short)
        if not self.pooled:
            return whole
        group = "over none, all scenes"
        pooled = [GridColumn("mean", _mean, group), GridColumn("a new scene", _new, group)]
        return replace(make_grid(heading, [*scenes, *pooled], rows), narrower=whole)

    def _scenes(self, *, interval: bool) -> list[GridColumn]:
        return [
            GridColumn(
                count(len(table.draws), "draw"),
                partial(self._entry, place, interval=interval),
                table.condition.scene,
                numeric=False,
            )
            for place, table in enumerate(self.tables)
        ]

    def worth(self, place: int, row: ArmRow) -> str | None:
        """Labels per class that the arm is worth on a scene, if known."""
        return self.worths.get(self.tables[place], {}).get(row.key)

    def _entry(self, place: int, row: ArmRow, interval: bool = True) -> GridEntry:
        gain = row.gains[place]
        if gain is None:
            return GridEntry(MISSING)
        finding = gain.verdict.finding if gain.verdict else None
        parts = [SIGNS[finding] if finding else CONTROL]
        if gain.hardest:
            test = gain.hardest[1].main
            parts.append(with_interval(test.mean, test.interval if interval else None))
            if interval and len(self.tables) == 1 and over(gain):
                parts.append(over(gain))
        if (worth := self.worth(place, row)) is not None:
            parts.append(f"k* {worth}")
        return GridEntry(" ".join(parts), gain.cell, FINDINGS[finding].tone if finding else "")


def matrices(report: Report, worths: Worths | None = None) -> list[Matrix]:
    """A matrix for the tables of each run, task and protocol."""
    return [Matrix(tables, _rows(tables), worths or {}) for tables in same_but_scene(report)]


def loss_of(gain: Gain) -> float | None:
    """The largest loss in the second metric (a fraction below 0) of an arm that helps at a loss; None for others."""
    if gain.verdict is None or gain.verdict.finding != "helps, at a loss":
        return None
    return min(c.second.mean for c in gain.against.values() if c and c.second)


def closing(matrix: Matrix) -> tuple[str, ...]:
    """What helps, by how much, and what is not decided yet: the sentences in which every report ends."""
    if len(matrix.tables) == 1:
        found = said_of(matrix.tables[0])
        said = [found] if found != FINDINGS["undecided"].of_all else []
    else:
        helping = (f"{_helping(table)} on {table.condition.scene}" for table in matrix.tables)
        said = [f"Shown to help: {', '.join(helping)}."]
    best = matrix.best
    return (*said, *([_gain_of(best, matrix)] if best else []), *_almost(matrix), *_undecided(matrix))


def next_step(report: Report) -> str:
    """The command to run next."""
    store = "" if report.store == "hsiaug-results" else f" --store {report.where}"
    more = [found for table in report.tables if (found := go_on(table))]
    again = f"the same benchmark with --seeds {max(more)} runs the draws that are missing; " if more else ""
    return f"Next: {again}hsiaug report{store} --out report.html (on a terminal --notes or --by generator)"


def summary_pages(
    report: Report, worths: Worths | None = None, *, alone: bool = True, pooled: bool = False
) -> tuple[ReportPage, ...]:
    """A page per matrix: its grid, what helps, and by how much; below the last, what to run next.

    alone: with the notes and the audit of its tables. pooled: of three scenes or more alone.
    """
    wanted = [matrix for matrix in matrices(report, worths) if matrix.pooled or not pooled]
    made = [_page(matrix, report, alone) for matrix in wanted]
    return (*made[:-1], *(replace(page, closing=(*page.closing, next_step(report))) for page in made[-1:]))


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
    of = f" ({scenes})" if scenes < len(row.gains) else ""
    return f"{signed(mean)} {interval_text(interval)}{of}"


def _new(row: ArmRow) -> str:
    return interval_text(row.pooled.prediction) if row.pooled else MISSING


def _helping(table: Table) -> str:
    arms = judged(table)
    return f"{sum(gain.rank[0] > 0 for gain in arms)} of {count(len(arms), 'arm')}"


def _gain_of(row: ArmRow, matrix: Matrix) -> str:
    """By how much the best arm gains, on each scene and over all."""
    parts = []
    for table, gain in zip(matrix.tables, row.gains, strict=True):
        if gain and gain.hardest:
            control, one = gain.hardest
            loss = loss_of(gain)
            at = f" at {table.scores.second.name} {signed(loss)}" if loss is not None else ""
            numbers = f"{with_interval(one.main.mean, one.main.interval)}{at} over {control}"
            p = f"{p_said(one.main.p_holm)}, " if one.main.p is not None else ""
            about = f" ({p}{count(len(one.pairs), 'draw')})" if len(matrix.tables) == 1 else ""
            parts.append(f"{numbers}{about or f' on {table.condition.scene}'}")
    if row.pooled:
        mean, interval, new, scenes = row.pooled
        parts.append(
            f"over none {signed(mean)} {interval_text(interval)} in the mean of {scenes} scenes and "
            f"{interval_text(new)} on a new scene"
        )
    shown = "The largest gain" if row.rank[1] else "Closest to a gain"
    return f"{shown}: {row.label}, {score_of(matrix.tables)} {'; '.join(parts) or 'not known'}."


def _almost(matrix: Matrix) -> list[str]:
    """Sentences on arms of one scene that are above ``none`` and ``duplicate``, and not above a further control."""
    said = []
    for gain in judged(matrix.tables[0]) if len(matrix.tables) == 1 else ():
        found = gain.verdict.against if gain.verdict and not gain.rank[0] else {}
        above = [name for name, shown in found.items() if shown == "above"]
        if gain.hardest and set(CONTROLS) <= {*above}:
            none = gain.against["none"]
            label = matrix.tables[0].cell_label(gain.cell, ", ")
            by = with_interval(none.main.mean, none.main.interval) if none else ""
            said.append(f"Above {join_words(above)}, but not above {gain.hardest[0]}: {label}, {by} over none.")
    return said


def _pilot(gains: Sequence[Gain]) -> str:
    """How many draws would tell the margin of equivalence, by the spread of PILOT or more of undecided arms."""
    told = [gain for gain in gains if gain.verdict and gain.verdict.finding == "undecided" and gain.hardest]
    spreads = [gain.hardest[1].main.summary for gain in told if gain.hardest]
    if min((spread.n for spread in spreads), default=0) < PILOT:
        return ""
    draws = [draws_for_margin(spread.std or 0.0, told[0].margin / 100) for spread in spreads]
    most = max((n for n in draws if n is not None), default=0)
    return "" if None in draws else f"; by the spread of these about {most:,} would tell ±{told[0].margin:g}"


def _undecided(matrix: Matrix) -> list[str]:
    """One sentence on the arms for which the draws are too few, and one on those that are open."""
    gains = [gain for table in matrix.tables for gain in judged(table)]
    verdicts = [gain.verdict for gain in gains if gain.verdict]
    waiting = [one for one in verdicts if one.finding == "undecided"]
    open_ = [one for one in verdicts if one.finding == "open"]
    of, said = count(len(verdicts), "arm" if len(matrix.tables) == 1 else "verdict"), []
    if waiting:
        needed, had = max(one.needed for one in waiting), min(one.draws for one in waiting)
        there = f"{had} {'is' if had == 1 else 'are'} there{_pilot(gains)}"
        said.append(f"Undecided: {len(waiting)} of {of}; {count(needed, 'draw')} are needed, {there}.")
    if open_:
        largest, enough = max(one.detectable for one in open_), max(one.enough or 0 for one in open_)
        tell = f"; about {enough:,} would tell ±{open_[0].margin:g}" if enough else ""
        said.append(f"Open: {len(open_)} of {of}; these draws could show {largest:.1f} points{tell}.")
    return said


def _page(matrix: Matrix, report: Report, alone: bool) -> ReportPage:
    tables, more = matrix.tables, len(matrix.rows) - MOST_ROWS
    failed, trials = (sum(len(getattr(table, name)) for table in tables) for name in ("failed", "trials"))
    store = f"hsiaug report --store {report.where}"
    apart = tuple(grid for table in tables if alone and (grid := alone_grid(table)).rows)
    notes = dict.fromkeys(note for table in tables if alone for note in table_notes(table))
    return ReportPage(
        title=f"Summary: {matrix.title}",
        leaky=any(table.leaky for table in tables),
        failed=f"{failed:,} of {count(trials, 'trial')} failed; which: {store} --by seed" if failed else None,
        warnings=tuple(dict.fromkeys(text for table in tables for text in warnings(table))),
        grids=((matrix.grid,) if matrix.rows else ()) + apart,
        notes=(*notes, OF_SIGNS, *([NOTE] if matrix.pooled else [])),
        audit=tuple(line for table in tables if alone for line in audit_lines(table, report.where)),
        closing=(
            *([f"and {count(more, 'more arm')}: {store} --by gain"] if more > 0 else []),
            *([f"{signs_note(tables)} {CONTROL}: a control."] if matrix.rows else []),
            short_audit(tables),
            *closing(matrix),
        ),
    )
