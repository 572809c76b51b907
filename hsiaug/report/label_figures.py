"""Pictures of learning curves over added labels, with the arms on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.report.figure_files import new_figure, series_style
from hsiaug.report.label_curves import SCORES, LabelCurve
from hsiaug.report.labels import seeds_text
from hsiaug.report.scores import Metric
from hsiaug.report.views_labels import curve_label
from hsiaug.text import plotted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["label_figure"]

PANEL = (3.4, 3.0)
"""Width and height of a panel in inches."""
DASHES = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
HOW_TO_READ = (
    "mean over draws, band ± std; a level is an arm's mean, its mark and bar are k* and the 95 % interval;\n"
    "panels of one score and table share their axis"
)


def label_figure(curves: Sequence[LabelCurve]) -> Figure:
    """A row for each curve, a column for each score in percent."""
    figure = new_figure(PANEL[0] * len(SCORES), PANEL[1] * len(curves) + 1.0)
    titles = dict.fromkeys(plotted(curve.table.title) for curve in curves)
    figure.suptitle("\n".join([*titles, HOW_TO_READ]), fontsize=9)
    panels = figure.subplots(len(curves), len(SCORES), squeeze=False)
    entries: dict[str, Any] = {}
    first: dict[tuple[int, str], Axes] = {}
    for row, curve in zip(panels, curves, strict=True):
        for panel, score in zip(row, SCORES, strict=True):
            if curve.means.get(score.key):
                panel.sharey(first.setdefault((id(curve.table), score.key), panel))
            entries |= _draw(panel, curve, score)
    names = map(plotted, entries)
    figure.legend(entries.values(), names, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _draw(panel: Axes, curve: LabelCurve, score: Metric) -> dict[str, Any]:
    """One panel; returns the entries of the legend. Labels are on a scale of log(1 + k): most curves bend early."""
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
            entries[curve.table.arm_label(arm.cell.arm) + other] = _arm(panel, curve, score.key, place, style)
    panel.set_xscale("function", functions=(np.log1p, np.expm1))
    panel.set_xticks(curve.labels, [f"{k}" for k in curve.labels], fontsize=8)
    panel.set_xlabel("added labels per class")
    panel.set_ylabel(f"{score.name} (%)")
    panel.set_title(
        f"{plotted(curve_label(curve))}\nn = {points[0].n} ({seeds_text(curve.seeds)})", fontsize=9, wrap=True
    )
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
