"""What every arm gains over each of its controls, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hsiaug.report.answer_texts import TONES
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
from hsiaug.report.findings import cell_columns, verdict_text
from hsiaug.report.formatting import MISSING, count, p_text, signed
from hsiaug.report.gains import ArmCell, ArmGains, Gain, rank, rival_of
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, SectionFigure, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.trial.arm import NONE, Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ARMS = 24
"""Arms that the figure of the page shows."""
LINE = 0.15
"""Inches of the line of one control."""
OF_GAINS = "ticks: draws; mark: mean; panels share their axis"


def _gains(table: ReportTable) -> Grid:
    """Rows classifier × arm: what each arm gains over each control, p over none and the rival,
    and the verdict.
    """

    def over(control: str, metric: str, cell: ArmCell) -> str:
        gain = table.against(cell).get(control)
        if gain is None or not gain.draws:
            return MISSING
        return signed(gain.mean if metric == "main" else gain.second_mean)

    def pairs(cell: ArmCell) -> str:
        counts = [gain.draws for gain in table.against(cell).values()]
        several = cell.arm.judged and len(set(counts)) > 1
        return "/".join(str(n) for n in (counts if several else counts[:1]))

    def p_over_none(cell: ArmCell) -> str:
        return p_text(table.against(cell)[NONE].main.p_corrected)

    def p_over_rival(cell: ArmCell) -> str:
        rival = rival_of(table.against(cell))
        if rival is None or rival.verdict is None or not rival.draws:
            return MISSING
        return f"{p_text(rival.main.p_corrected)} ({rival.control})"

    def verdict(cell: ArmCell) -> GridEntry:
        found = table.against(cell)[NONE].verdict
        tone = TONES[found.finding] if found else ""
        return GridEntry(verdict_text(found, table.scores.second.name), tone=tone)

    keys = cell_columns(table)
    scores = {"main": table.scores.main, "second": table.scores.second}
    columns = [
        *keys,
        *(
            GridColumn(
                f"Δ{score.name}", partial(over, control, metric), f"vs {control}", note="difference"
            )
            for control in table.controls
            for metric, score in scores.items()
        ),
        GridColumn("pairs", pairs, note="pairs"),
        GridColumn("p over none", p_over_none, note="p"),
        GridColumn("p over rival", p_over_rival, note="p"),
        GridColumn("verdict", verdict, numeric=False, note="verdict"),
    ]
    cells = [cell for cell in table.by_classifier if cell.key in table.by_arm]
    return make_grid(
        "Gain over the controls", columns, cells, keys=len(keys), block=attrgetter("classifier")
    )


def _section(table: ReportTable, _: Sources) -> Section:
    caption = f"Δ{table.scores.main.name} of each arm over its controls, in percentage points"
    if (left := len(table.by_gain) - MOST_ARMS) > 0:
        caption += f" ({count(left, 'arm')} that gain less: in the table alone)"
    figure = SectionFigure(caption, partial(_gain_figure, Report((table,)), most=MOST_ARMS))
    return Section(
        "Gain over each control",
        tables=(_gains(table),),
        figures=(figure,) if table.by_gain else (),
    )


# The figure


def _gain_figure(report: Report, columns: int = 2, most: int | None = None) -> Figure:
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
    blocks = [_block(table, most) for table in report.tables]
    gains = (gain for table in report.tables for arm in table.by_gain for gain in arm.values())
    bars = "; bar: its 95 % interval, corrected for several comparisons"
    intervals = bars if any(gain.main.interval for gain in gains) else ""
    return draw_blocks(blocks, columns, f"{OF_GAINS}{intervals}", NO_ARMS)


def _block(table: ReportTable, most: int | None) -> ChartBlock:
    """Each arm has a line for each of its controls, and a line's room below it."""
    shown = {arm[NONE].cell for arm in sorted(table.by_gain, key=rank, reverse=True)[:most]}
    known = [arm for arm in table.by_gain if arm[NONE].cell in shown]
    lines: dict[Arm, range] = {}
    names: dict[Arm, str] = {}
    end = 0
    for arm in dict.fromkeys(one[NONE].cell.arm for one in known):
        of_arm = [one for one in known if one[NONE].cell.arm == arm]
        controls = max(map(len, of_arm))
        names[arm] = row_name(table.arm_label(arm), of_arm[0])
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
        # One outline for all arms: one of each would make a page of twenty arms many times as
        # large.
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
        "gains", _section, 30, views=("generator", "gain"), pictures={"gain": _gain_figure}
    ),
)
