"""Pictures of learning curves over added labels, with the arms on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.base.text import plotted
from hsiaug.report.figures.files import WIDTHS, across, name_table, new_figure, series_style, wrapped
from hsiaug.report.labels import seeds_text
from hsiaug.report.scenes.label_curves import LabelCurve
from hsiaug.report.scores import Metric
from hsiaug.report.views_labels import curve_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROWEST, HEIGHT, AROUND = 1.5, 2.0, 1.0
"""Inches of a panel, and of the heading and the legend."""
ENTRIES = {1: 1, 2: 3}
"""Columns of the legend, by the columns of a page that a figure fills."""
DASHES = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
HOW_TO_READ = (
    "mean over draws, band ± std; a level is an arm's mean, its mark and bar are k* and the 95 % interval; "
    "panels of one score and table share their axis"
)


def label_figure(curves: Sequence[LabelCurve], columns: int = 2) -> Figure:
    """Panels of each curve, one for each score in percent. columns: of a page with two, which the figure fills."""
    most = max(len(curve.scores) for curve in curves)
    width, wide = WIDTHS[columns], across(columns, most, 6, NARROWEST)
    deep = math.ceil(most / wide)
    figure = new_figure(width, HEIGHT * deep * len(curves) + AROUND)
    titles = dict.fromkeys(curve.table.heading for curve in curves)
    name_table(figure, "; ".join(titles), width, alone=len(titles) == 1)
    figure.set_label(HOW_TO_READ)
    panels = figure.subplots(deep * len(curves), wide, squeeze=False).reshape(len(curves), deep * wide)
    entries: dict[str, Any] = {}
    first: dict[tuple[int, str], Axes] = {}
    for row, curve in zip(panels, curves, strict=True):
        for panel in row[len(curve.scores) :]:
            panel.set_axis_off()
        for panel, score in zip(row, curve.scores, strict=False):
            if curve.means.get(score.key):
                panel.sharey(first.setdefault((id(curve.table), score.key), panel))
            entries |= _draw(panel, curve, score, width / wide - 0.3)
    ncols = ENTRIES[columns]
    names = [wrapped(plotted(name), width / ncols - 0.5, 7) for name in entries]
    figure.legend(entries.values(), names, loc="outside lower center", ncols=ncols, fontsize=7, frameon=False)
    return figure


def _draw(panel: Axes, curve: LabelCurve, score: Metric, room: float) -> dict[str, Any]:
    """One panel, its title in ``room`` inches; returns the entries of the legend.

    Labels are on a scale of log(1 + k): most curves bend early.
    """
    import numpy as np

    points = curve.means.get(score.key, ())
    if not points:
        panel.set_axis_off()
        return {}
    means, stds = (100 * np.array([p[i] or 0.0 for p in points]) for i in (0, 1))
    panel.fill_between(curve.labels, means - stds, means + stds, color="0.9", zorder=0)
    (line,) = panel.plot(curve.labels, means, color="black", marker="o", markersize=3, linewidth=1.3)
    entries: dict[str, Any] = {"none": line}
    for place, arm in enumerate(curve.arms):
        if score.key in arm.worth:
            style = series_style(place) | ({"color": "0.5"} if arm.cell.arm.control else {})
            other = "" if arm.seeds == curve.seeds else f" (n = {len(arm.seeds)}, k* against these draws)"
            asked = f", {arm.asked.number} {arm.asked.strategy}" if arm.asked else ""
            entries[curve.table.arm_label(arm.cell.arm) + asked + other] = _arm(
                panel, curve, score.key, place, style
            )
    panel.set_xscale("function", functions=(np.log1p, np.expm1))
    panel.set_xticks(curve.labels, [f"{k}" for k in curve.labels])
    panel.tick_params(labelsize=7)
    panel.set_xlabel("added labels per class", fontsize=7)
    panel.set_ylabel(f"{score.name} (%)", fontsize=7)
    title = (plotted(curve_label(curve)), f"n = {points[0].n} ({seeds_text(curve.seeds)})")
    panel.set_title("\n".join(wrapped(line, room, 7) for line in title), fontsize=7)
    panel.grid(alpha=0.25)
    return entries


def _arm(panel: Axes, curve: LabelCurve, score: str, place: int, style: dict[str, Any]) -> Any:
    """The level of an arm, and where the curve reaches it; what lies outside the curve stands at its end."""
    import numpy as np

    worth, arm = curve.arms[place].worth[score], curve.arms[place]
    level, most = 100 * arm.means[score].mean, curve.labels[-1]
    colour, dashes = style["color"], DASHES[place % len(DASHES)]
    entry = panel.axhline(level, color=colour, linestyle=dashes, linewidth=1.0, alpha=0.8)
    ends = [v for v in (worth.low, worth.high) if v is not None]
    at, *ends = np.clip([worth.value, *ends], 0, most)
    marker = "<" if worth.value < 0 else ">" if worth.value > most else style["marker"]
    panel.plot([at], [level], marker=marker, color=colour, markersize=5, linestyle="none")
    if ends:
        panel.plot(ends, [level, level], color=colour, linewidth=2.5, alpha=0.6, solid_capstyle="butt")
    return entry
