"""Pictures of gains: every arm over no samples and over its rival as a card, and every draw's
difference to every control.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, groupby
from typing import TYPE_CHECKING, Any

from hsiaug.base.colours import TONES
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.figures.charts import ChartBlock, Panel, draw_blocks
from hsiaug.report.figures.files import series_style
from hsiaug.report.findings import MOST_ROWS, shown_words, tone_of, words_note
from hsiaug.report.formatting import count, p_said, signed, tagged
from hsiaug.report.gains import ArmCell, ArmGains, Gain, rank, rival_of
from hsiaug.report.matrices import Matrix, headlines, matrices
from hsiaug.report.tables import Report, ReportTable
from hsiaug.trial.arm import CONTROLS_OF_OLD_RECORDS, NONE, Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, LINE, AXIS = 0.6, 0.15, 0.5
"""Inches of an arm on a card, of the line of one control, and of an axis with its title."""
MEASURED = [name for name, control in CONTROLS_OF_OLD_RECORDS.items() if not control.blind]
CONTROLS = dict(zip(MEASURED, (1, 0, 4, 2, 6, 5), strict=True))
"""Place of these among the colours of series and markers, as on the page: the same in every
figure.
"""
FURTHER = (7, 3)
"""Places of the controls that other packages bring."""
APART = 0.22
"""Rows that the marks of an arm lie above and below its name."""
NO_ARMS = (
    "a picture of gains needs a generator beside the controls",
    "Run a benchmark with `generators` smote, for example.",
)
"""What such a picture needs, and how to come by it."""
OF_CARD = (
    "marks: mean gain over no samples and over the rival; bar: its 95 % interval corrected over"
    f" arms, below {MIN_PAIRS} draws ticks: the draws; p: sign-flip test, corrected over arms"
)
OF_GAINS = (
    "ticks: draws; mark: mean; bar: its 95 % interval corrected over arms, from"
    f" {MIN_PAIRS} draws on; panels share their axis"
)


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
    return draw_blocks(blocks, columns, OF_CARD, NO_ARMS)


def matrix_figure(matrix: Matrix, columns: int = 2) -> Figure:
    """The card of one run and protocol without its answers, which stand beside it on the page.

    Parameters
    ----------
    columns : int
        As of :func:`card_figure`.
    """
    return draw_blocks([_card(matrix, columns)], columns, OF_CARD, NO_ARMS)


def gain_figure(report: Report, columns: int = 2, most: int | None = None) -> Figure:
    """A panel per classifier of each table: differences in points, an arm over each of its
    controls.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.
    most : int or None
        Arms of a table that are drawn, those that gain most; None: all of them.

    Raises
    ------
    InputError
        Where nothing but controls was run.
    """
    blocks = [_gains(table, most) for table in report.tables]
    return draw_blocks(blocks, columns, OF_GAINS, NO_ARMS)


def _card(matrix: Matrix, columns: int) -> ChartBlock:
    tables = matrix.tables
    rows = [row for row in matrix.rows if row.judged][:MOST_ROWS]
    if len(tables) == 1:
        # Of one scene, the order of all charts of gains.
        order = [arm[NONE].cell for arm in tables[0].by_gain]
        rows.sort(key=lambda row: _place(row.gains[0], order))
    names = [count(len(table.draws), "draw") for table in tables]
    if len(tables) > 1:
        scenes = [table.condition.scene for table in tables]
        names = [f"{scene}, {draws}" for scene, draws in zip(scenes, names, strict=True)]
    places = control_places([arm for row in rows for arm in row.gains])
    # There is no room beside one of several panels, nor in a narrow figure.
    beside = len(tables) == 1 and columns == 2
    draw = partial(_draw_verdicts, places, tables[0].scores.second.name, beside)
    return ChartBlock(
        tagged(matrix.title, leaky=any(table.leaky for table in tables)),
        [
            Panel((name,), partial(draw, [row.gains[i] for row in rows]))
            for i, name in enumerate(names)
            if rows
        ],
        ROW * len(rows) + AXIS,
        # In a narrow figure texts stand within the panels.
        narrowest=1.3 if columns == 2 else 1.8,
        around=1.4,
        rows=[(row.label, y) for y, row in enumerate(rows)],
        along=matrix.heading,
        note=words_note((arm for table in tables for arm in table.judged), ends=False),
    )


def _place(arm: ArmGains, order: Sequence[ArmCell]) -> int:
    return order.index(arm[NONE].cell) if arm and arm[NONE].cell in order else len(order)


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
            if gain.interval:
                ends = [100 * end for end in gain.interval]
                axes.plot(
                    ends,
                    [y, y],
                    color=style["color"],
                    linewidth=2.5,
                    alpha=0.55,
                    solid_capstyle="butt",
                )
            elif gain.draws > 1:
                points = [100 * value for value in gain.differences]
                axes.plot(points, [y] * len(points), "|", color=style["color"], markersize=5)
            axes.plot([100 * gain.mean], [y], linestyle="none", markersize=4, **style)
            words = shown_words(gain, second)
            difference = f"over {gain.control} {signed(gain.mean)}"
            text = f"{difference}: {words}; {p_said(gain.p_corrected)}"
            write(y, text, TONES[tone_of(gain)])
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
        # Marks and intervals may lie behind it.
        ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0}
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


def _gains(table: ReportTable, most: int | None) -> ChartBlock:
    """Each arm has a line for each of its controls, and a line's room below it."""
    shown = {arm[NONE].cell for arm in sorted(table.by_gain, key=rank, reverse=True)[:most]}
    known = [arm for arm in table.by_gain if arm[NONE].cell in shown]
    lines: dict[Arm, range] = {}
    end = 0
    for arm in dict.fromkeys(one[NONE].cell.arm for one in known):
        controls = max(len(one) for one in known if one[NONE].cell.arm == arm)
        lines[arm] = range(end, end + controls)
        end += controls + 1
    places = control_places(known)
    panels = [
        Panel((table.labels[classifier],), partial(_draw_gains, list(group), lines, places, end))
        for classifier, group in groupby(known, lambda arm: arm[NONE].cell.classifier)
    ]
    return ChartBlock(
        table.heading,
        panels,
        LINE * end + AXIS,
        rows=[(table.arm_label(arm), (own[0] + own[-1]) / 2) for arm, own in lines.items()],
        along=f"Δ{table.scores.main.name} (points)",
    )


def control_places(arms: Iterable[ArmGains]) -> dict[str, int]:
    """The place of every control of these arms among the colours of series and markers."""
    names = dict.fromkeys(name for arm in arms for name in arm)
    others = (name for name in names if name not in CONTROLS)
    known = {name: place for name, place in CONTROLS.items() if name in names}
    return known | dict(zip(others, cycle(FURTHER), strict=False))


def _draw_gains(
    arms: Sequence[ArmGains],
    lines: Mapping[Arm, range],
    places: Mapping[str, int],
    end: int,
    axes: Axes,
) -> dict[str, Any]:
    axes.axvline(0, color="0.4", linewidth=0.8)
    found: dict[str, list[tuple[int, Gain]]] = {}
    for arm in arms:
        for y, gain in zip(lines[arm[NONE].cell.arm], arm.values(), strict=False):
            if gain.draws:
                found.setdefault(gain.control, []).append((y, gain))
    entries = {}
    for control, gains in found.items():
        # One outline for all arms: one of each would make a page of twenty arms many times as
        # large.
        style = series_style(places[control])
        bars = [(x, y) for y, gain in gains for x in gain.interval or (gain.mean, gain.mean)]
        _outline(axes, bars, color=style["color"], linewidth=1.6, alpha=0.7)
        ticks = [(d, y + up) for y, gain in gains for d in gain.differences for up in (-0.3, 0.3)]
        _outline(axes, ticks, color=style["color"], linewidth=0.6, alpha=0.7)
        means = [100 * gain.mean for _, gain in gains]
        rows = [y for y, _ in gains]
        name = f"over {control}"
        (entries[name],) = axes.plot(means, rows, linestyle="none", ms=4, label=name, **style)
    axes.set_ylim(end - 0.5, -0.8)
    return entries


def _outline(axes: Axes, ends: Sequence[tuple[float, float]], **style: Any) -> None:
    """Lines between the first and the second of these places, the third and the fourth, and so on;
    x: fractions.
    """
    places = [
        place for i in range(0, len(ends), 2) for place in (*ends[i : i + 2], (math.nan, math.nan))
    ]
    # A cap that projects would make intervals longer than they are.
    axes.plot([100 * x for x, _ in places], [y for _, y in places], solid_capstyle="butt", **style)
