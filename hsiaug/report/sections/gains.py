"""What every configuration gains over each of its controls, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hsiaug.report.answers import asked_for, control_names
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
from hsiaug.report.formatting import count, difference_text, p_text
from hsiaug.report.gains import ArmGains, Gain, rival_of
from hsiaug.report.section import Frame, Section, SectionFigure, arm_keys, indexed
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import method_rank
from hsiaug.trial.arm import NONE, Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

MOST_ARMS = 24
"""Configurations that the figure of the page shows."""
LINE = 0.15
"""Inches of the line of one control."""
OF_GAINS = "ticks: splits; mark: mean; panels share their axis"


def _gains(table: ReportTable) -> DataFrame:
    """A row for each configuration and control: the gain, its corrected p, how many splits, and
    what it shows.
    """
    rows = [
        {
            "classifier": table.labels[gain.cell.classifier],
            **arm_keys(table, gain.cell.arm),
            "minus": control_names(table, [gain.control])[0],
            f"{table.scores.main.name}, points": difference_text(gain.main),
            "": gain.main.word,
            f"{table.scores.second.name}, points": difference_text(gain.second),
            "p": p_text(gain.main.p_corrected),
            "splits": str(gain.draws),
        }
        for gain in (*table.compared, *table.over_baselines)
    ]
    return indexed(rows, 5)


def _verdicts(table: ReportTable) -> DataFrame:
    """The verdict on each configuration, and its strongest control."""
    rows = []
    for arm in table.by_gain:
        found = arm[NONE].verdict
        rival = rival_of(arm)
        keys = {"classifier": table.labels[arm[NONE].cell.classifier]}
        keys |= arm_keys(table, arm[NONE].cell.arm)
        strongest = rival.control if rival else ""
        rows.append({**keys, "verdict": str(found), "strongest control": strongest})
    return indexed(rows, 2)


def _section(table: ReportTable, _: Sources) -> Section | None:
    if not table.compared:
        return None
    frames = (Frame("Differences", _gains(table)), Frame("Verdicts", _verdicts(table)))
    return Section("Gain over each control", frames=frames)


def gain_figure_of(table: ReportTable) -> SectionFigure | None:
    """The figure of the page; None where nothing is compared."""
    asked = asked_for(table)
    if not asked:
        return None
    caption = f"{table.scores.main.name}, minus each control, in points"
    if (left := len(asked) - MOST_ARMS) > 0:
        caption += f" ({count(left, 'configuration')} of lower means: in the table alone)"
    return SectionFigure(caption, partial(_gain_figure, Report((table,)), most=MOST_ARMS))


# The figure


def _gain_figure(report: Report, columns: int = 2, most: int | None = None) -> Figure:
    """A panel per classifier of each table: differences in points, a configuration over each of its
    controls.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.
    most : int or None
        Configurations of a table that are drawn, those that it is about with the highest means;
        None: all of them.

    Raises
    ------
    InputError
        Where nothing but controls was run.
    """
    blocks = [_block(table, most) for table in report.tables]
    gains = (gain for table in report.tables for arm in table.by_gain for gain in arm.values())
    bars = "; bar: its 95 % interval, corrected for several comparisons"
    intervals = bars if any(gain.main.interval for gain in gains) else ""
    return draw_blocks(blocks, columns, f"{OF_GAINS}{intervals}", NO_ARMS)


def _block(table: ReportTable, most: int | None) -> ChartBlock:
    """Each configuration has a line for each of its controls, and a line's room below it."""
    drawn = table.by_gain if most is None else asked_for(table)[:most]
    known = sorted(drawn, key=lambda arm: method_rank(arm[NONE].cell.classifier))
    lines: dict[Arm, range] = {}
    names: dict[Arm, str] = {}
    end = 0
    for arm in dict.fromkeys(one[NONE].cell.arm for one in known):
        of_arm = [one for one in known if one[NONE].cell.arm == arm]
        controls = max(map(len, of_arm))
        names[arm] = row_name(table.arm_label(arm, brief=True), of_arm[0])
        lines[arm] = range(end, end + controls)
        end += controls + 1
    places = control_places(known)
    panels = [
        Panel((table.labels[classifier],), partial(_draw, list(group), lines, places, end))
        for classifier, group in groupby(known, lambda arm: arm[NONE].cell.classifier)
    ]
    return ChartBlock(
        table.heading,
        panels,
        LINE * end + AXIS,
        rows=[(names[arm], (own[0] + own[-1]) / 2) for arm, own in lines.items()],
        along=f"Δ{table.scores.main.name} (points)",
    )


def _draw(
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
        # One outline for all configurations: one of each would make a page of twenty
        # configurations many times as large.
        style = series_style(places[control])
        bars = [(x, y) for y, gain in gains for x in gain.main.interval or (gain.mean, gain.mean)]
        _outline(axes, bars, color=style["color"], linewidth=1.6, alpha=0.7)
        ticks = [
            (d, y + up) for y, gain in gains for d in gain.main.differences for up in (-0.3, 0.3)
        ]
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


SECTIONS = (
    SectionKind(
        "gains",
        _section,
        30,
        views=("generator", "gain"),
        pictures={"generator": _gain_figure, "gain": _gain_figure},
    ),
)
