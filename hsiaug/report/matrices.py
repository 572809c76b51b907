"""Tables that differ in the scene alone, and their arms by scene, in one order for all scenes: as
tables, and as the card of what each arm gains over no samples and over its rival.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import attrgetter
from statistics import fmean
from typing import TYPE_CHECKING, Any

from hsiaug.base.colours import TONES
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.answers import three_answers
from hsiaug.report.figures.charts import (
    AXIS,
    NO_ARMS,
    ChartBlock,
    Panel,
    control_places,
    draw_blocks,
    row_name,
)
from hsiaug.report.figures.files import series_style
from hsiaug.report.findings import (
    MOST_ROWS,
    gain_entry,
    metric_entry,
    of_rows,
    shown_words,
    tone_of,
    words_note,
)
from hsiaug.report.formatting import MISSING, count, p_said, signed, tagged
from hsiaug.report.gains import ArmGains, rank, rival_of
from hsiaug.report.section import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import CellKey
from hsiaug.trial.arm import NONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.6
"""Inches of an arm on a card."""
APART = 0.22
"""Rows that the marks of an arm lie above and below its name."""


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
        return any(arm and arm[NONE].main.shown == "above" for arm in self.gains)

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
    def leaky(self) -> bool:
        """Whether location alone answers for part of the scores of any."""
        return any(table.leaky for table in self.tables)

    @property
    def heading(self) -> str:
        """What its differences are."""
        return f"Δ{_score_of(self.tables)} over no samples and over the rival, in points"

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
        groups.setdefault((table.run, table.condition.of_any_scene), []).append(table)
    return [Matrix(tuple(tables), _rows(tables)) for tables in groups.values()]


def _score_of(tables: Sequence[ReportTable]) -> str:
    """The main score, without the number of its classes where that differs between scenes."""
    names = {table.scores.main.name for table in tables}
    return names.pop() if len(names) == 1 else f"{tables[0].scores.main.short} of large classes"


def headlines(matrix: Matrix) -> tuple[str, ...]:
    """The answers of each scene on a line."""
    lines = [three_answers(table).headline for table in matrix.tables]
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
        return metric_entry(table, table.scores.main, cell) if cell else GridEntry(MISSING)

    def over_none(table: ReportTable, place: int, row: ArmRow) -> GridEntry:
        return gain_entry(row.gains[place].get(NONE), table.scores.second.name, ends=False)

    columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
    for place, table in enumerate(matrix.tables):
        columns += [
            GridColumn(
                table.scores.main.name,
                partial(score, table),
                table.condition.scene,
                best=True,
                note=table.scores.main.name,
            ),
            GridColumn("over none", partial(over_none, table, place), table.condition.scene),
        ]
    rows = [*none.values(), *matrix.rows]
    heading = f"{_score_of(matrix.tables)} in percent, and its gain over no samples"
    return make_grid(f"{heading}{of_rows(len(rows))}", columns, rows[:MOST_ROWS])


def _rivals_by_scene(matrix: Matrix) -> Grid:
    """A row per arm that is above no samples on some scene, and what it gains over its rival by
    scene.
    """
    rows = [row for row in matrix.rows if row.judged and row.above_none][:MOST_ROWS]

    def over_rival(table: ReportTable, place: int, row: ArmRow) -> GridEntry:
        rival = rival_of(row.gains[place])
        entry = gain_entry(rival, table.scores.second.name, ends=False)
        name = f"{rival.control} " if rival and rival.draws else ""
        return replace(entry, text=f"{name}{entry.text}")

    columns = [GridColumn("arm", attrgetter("label"), numeric=False)]
    columns += [
        GridColumn(table.condition.scene, partial(over_rival, table, place))
        for place, table in enumerate(matrix.tables)
    ]
    heading = f"Gain in {_score_of(matrix.tables)} over the rival, of arms above no samples"
    return make_grid(heading, columns, rows)


# The card


def card_figure(report: Report, columns: int = 2) -> Figure:
    """A card per run and protocol: the answers, and on every scene what each arm gains over no
    samples and over its rival.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.

    Raises
    ------
    InputError
        Where nothing but controls was run.
    """
    found = matrices(report)
    blocks = [replace(_card(one, columns), headline=" ".join(headlines(one))) for one in found]
    return draw_blocks(blocks, columns, _how_to_read(found), NO_ARMS)


def matrix_figure(matrix: Matrix, columns: int = 2) -> Figure:
    """The card of one run and protocol without its answers, which stand beside it on the page.

    Parameters
    ----------
    columns : int
        As of :func:`card_figure`.
    """
    return draw_blocks([_card(matrix, columns)], columns, _how_to_read([matrix]), NO_ARMS)


def _how_to_read(found: Sequence[Matrix]) -> str:
    """What the marks, lines and numbers of cards are, of those that they have."""
    arms = [arm for matrix in found for table in matrix.tables for arm in table.judged]
    shown = [gain for arm in arms for gain in (arm[NONE], rival_of(arm)) if gain and gain.draws]
    parts = ["marks: mean gain over the control that the text names"]
    if any(gain.main.interval for gain in shown):
        parts.append("bar: its 95 % interval, corrected for several comparisons")
    if any(not gain.main.interval and gain.draws > 1 for gain in shown):
        parts.append(f"ticks: the draws, where there are fewer than {MIN_PAIRS}")
    if any(gain.main.p_corrected is not None for gain in shown):
        parts.append("p: sign-flip test, corrected for several comparisons")
    if all(len(one.tables) == 1 for one in found):
        parts.append("arms of a classifier: those that gain most over no samples first")
    return "; ".join(parts)


def _card(matrix: Matrix, columns: int) -> ChartBlock:
    tables = matrix.tables
    rows = [row for row in matrix.rows if row.judged][:MOST_ROWS]
    if len(tables) == 1:
        # Of one scene, the order of all charts of gains.
        order = [arm[NONE].cell for arm in tables[0].by_gain]
        places_of_rows = {cell: place for place, cell in enumerate(order)}
        rows.sort(key=lambda row: places_of_rows.get(row.gains[0][NONE].cell, len(order)))
    names = [count(len(table.draws), "draw") for table in tables]
    if len(tables) > 1:
        scenes = [table.condition.scene for table in tables]
        names = [f"{scene}, {draws}" for scene, draws in zip(scenes, names, strict=True)]
    places = control_places([arm for row in rows for arm in row.gains])
    # There is no room beside one of several panels, nor in a narrow figure.
    beside = len(tables) == 1 and columns == 2
    draw = partial(_draw_verdicts, places, tables[0].scores.second.name, beside)
    return ChartBlock(
        tagged(matrix.title, matrix.leaky, any(table.transductive for table in tables)),
        [
            Panel((name,), partial(draw, [row.gains[i] for row in rows]))
            for i, name in enumerate(names)
            if rows
        ],
        ROW * len(rows) + AXIS,
        # In a narrow figure texts stand within the panels.
        narrowest=1.3 if columns == 2 else 1.8,
        around=1.4,
        rows=[
            (row_name(row.label, next(filter(None, row.gains))), y) for y, row in enumerate(rows)
        ],
        along=matrix.heading,
        note=words_note((arm for table in tables for arm in table.judged), ends=False),
    )


def _draw_verdicts(
    places: Mapping[str, int], second: str, beside: bool, arms: Sequence[ArmGains], axes: Axes
) -> dict[str, Any]:
    """Two marks an arm: what it gains over no samples and over its rival, each with the word, the
    number and the p of that comparison.
    """
    axes.axvline(0, color="0.4", linewidth=0.8)
    write = partial(_write, beside, axes)
    for row, arm in enumerate(arms):
        verdict = arm[NONE].verdict if arm else None
        if verdict is None:
            write(row, "control" if arm else "not run", TONES[""])
            continue
        known = [gain for gain in (arm[NONE], rival_of(arm)) if gain and gain.draws]
        if not known:
            write(row, verdict.finding, TONES[""])
        for gain, y in zip(known, (row - APART, row + APART), strict=False):
            style = series_style(places[gain.control])
            if gain.main.interval:
                ends = [100 * end for end in gain.main.interval]
                axes.plot(
                    ends,
                    [y, y],
                    color=style["color"],
                    linewidth=2.5,
                    alpha=0.55,
                    solid_capstyle="butt",
                )
            elif gain.draws > 1:
                points = [100 * value for value in gain.main.differences]
                axes.plot(points, [y] * len(points), "|", color=style["color"], markersize=5)
            axes.plot([100 * gain.mean], [y], linestyle="none", markersize=4, **style)
            words = shown_words(gain, second)
            difference = f"over {gain.control} {signed(gain.mean)}"
            p = gain.main.p_corrected
            tested = "" if p is None else f"; {p_said(p)}"
            write(y, f"{difference}: {words}{tested}", TONES[tone_of(gain)])
    axes.set_ylim(len(arms) - 0.4, -0.75)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return {}


def _write(beside: bool, axes: Axes, y: float, text: str, colour: str) -> None:
    """A text of a line, beside the panel; where it has no room there, above the line at its left
    end.
    """
    at, offset = 1, (5, 0)
    how: dict[str, Any] = {"va": "center"}
    if not beside:
        # The line at 0 may lie behind it.
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0}
        at, offset = 0, (0, 3)
        how = {"va": "bottom", "bbox": ground}
    axes.annotate(
        text,
        (at, y),
        offset,
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=7,
        color=colour,
        **how,
    )
