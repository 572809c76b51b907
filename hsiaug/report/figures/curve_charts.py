"""Pictures of curves: OA and AA against λ, M or ω, and learning curves over added labels with the
arms on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import (
    SIGNS,
    Axis,
    SweepLine,
    find_sweeps,
    line_label,
    lines,
    panel_n,
    percentages,
    reference,
)
from hsiaug.report.figures.charts import ChartBlock, Panel, draw_blocks
from hsiaug.report.figures.files import series_style
from hsiaug.report.formatting import seeds_text
from hsiaug.report.label_curves import LabelCurve
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import CONTROLS_OF_OLD_RECORDS, NONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GENERATORS = [
    name
    for name, control in CONTROLS_OF_OLD_RECORDS.items()
    if control.kind == "generator" and name != NONE
]
DASHES = dict(zip(GENERATORS, ("--", (0, (5, 1, 1, 1)), "-."), strict=True))
"""Dashes of the grey lines of generators that are controls, but ``none``."""
LEVELS = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
"""Dashes of arms on learning curves."""
OF_SWEEPS = "mean ± std over the same draws, points over others left out; one scale for each score"
OF_LABELS = (
    "mean over draws, band ± std; a level is an arm's mean, its mark and bar are k* and the 95 %"
    " interval; panels of one score and table share their axis"
)
Styles = Mapping[object, dict[str, Any]]
Shared = dict[str, "Axes"]
"""The first panel of each score, whose scale the others take."""


def curve_figure(report: Report, axis: Axis, columns: int = 2) -> Figure:
    """The figure of every table in which some generator has two values of the axis or more.

    Mean over the draws with a bar of one standard deviation, in percent: two panels per classifier,
    OA and AA. ``none`` is the dotted line and its band; other controls are grey.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.

    Raises
    ------
    InputError
        Where nothing varies.
    """
    empty = (
        f"a picture by {axis} needs records of a generator at two {SIGNS[axis]} or more",
        f"Run 'hsiaug benchmark … --{axis} 0.5:1.5:0.5' first.",
    )
    blocks = [_sweeps(table, axis) for table in report.tables]
    return draw_blocks(blocks, columns, OF_SWEEPS, empty)


def _sweeps(table: ReportTable, axis: Axis) -> ChartBlock:
    """The classifiers with a line: of the others there is nothing to draw."""
    lined = {line.classifier for line in find_sweeps(table, axis)}
    styles, first = _styles(table, axis), Shared()
    panels = []
    for classifier in (c for c in table.classifiers if c in lined):
        found = [line for line in lines(table, axis) if line.classifier == classifier]
        # Along ω controls are levels to compare with; other generators without guidance are left
        # out.
        makers = [line for line in found if line.generator.name != NONE]
        shown = [line for line in makers if line.values or line.generator.name in DASHES]
        none = reference(table, classifier)
        title = table.labels[classifier], panel_n(shown, none)
        scores = (table.scores.second, table.scores.main)
        panels += [
            Panel(title, partial(_draw_sweep, shown, none, score, styles, first))
            for score in scores
        ]
    return ChartBlock(table.heading, panels, 1.85, narrowest=1.5, pairs=True, along=SIGNS[axis])


def _styles(table: ReportTable, axis: Axis) -> Styles:
    """Colour, marker and label of every line of a table, the same in all its panels; controls are
    grey.
    """
    styles: dict[object, dict[str, Any]] = {}
    coloured = 0
    for line in lines(table, axis):
        if line.key in styles or line.generator.name == NONE:
            continue
        dashes = DASHES.get(line.generator.name)
        style = {"color": "0.5", "linestyle": dashes} if dashes else series_style(coloured)
        styles[line.key] = {**style, "label": line_label(table, line)}
        coloured += not dashes
    return styles


def _name_score(axes: Axes, score: str) -> None:
    axes.set_ylabel(f"{score} (%)", fontsize=7)
    axes.margins(x=0.08)


def _draw_sweep(
    shown: Sequence[SweepLine],
    none: ArmCell | None,
    score: Metric,
    styles: Styles,
    first: Shared,
    axes: Axes,
) -> dict[str, Any]:
    """Draw the lines of one classifier in one score."""
    axes.sharey(first.setdefault(score.key, axes))
    _name_score(axes, score.name)
    entries: dict[str, Any] = {}
    if level := percentages(none, score.key):
        mean, std = level
        axes.axhspan(mean - std, mean + std, color="0.93", zorder=0)
        entries["none"] = axes.axhline(mean, color="black", linestyle=":", linewidth=1.2)
    for line in shown:
        style = styles[line.key]
        if line.values:
            entries[style["label"]] = _draw_line(axes, line.dots(score.key), style)
        elif level := percentages(line.points[0][1], score.key):
            entries[style["label"]] = axes.axhline(
                level[0], color=style["color"], linestyle=style["linestyle"], linewidth=1.2
            )
    return entries


def _draw_line(axes: Axes, dots: Sequence[tuple[float, ...]], style: dict[str, Any]) -> Any:
    """The points with a line through them; returns the entry of the legend."""
    where, means, stds = ([dot[i] for dot in dots] for i in range(3))
    drawn = axes.errorbar(
        where, means, stds, linewidth=1.4, capsize=2, elinewidth=0.8, markersize=4, **style
    )
    for bar in (*drawn.lines[1], *drawn.lines[2]):
        bar.set_alpha(0.45)
    return drawn


def label_figure(curves: Sequence[LabelCurve], columns: int = 2) -> Figure:
    """Panels of each curve, one for each score in percent.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.
    """
    blocks = []
    for table in dict.fromkeys(curve.table for curve in curves):
        first = Shared()
        panels = [
            Panel(
                (
                    table.labels[curve.classifier],
                    f"n = {curve.means[score.key][0].n} ({seeds_text(curve.seeds)})",
                ),
                partial(_draw_labels, curve, score, first),
            )
            for curve in curves
            if curve.table is table
            for score in curve.scores
            if score.key in curve.means
        ]
        blocks.append(
            ChartBlock(table.heading, panels, 2.0, narrowest=1.5, along="added labels per class")
        )
    return draw_blocks(blocks, columns, OF_LABELS)


def _draw_labels(curve: LabelCurve, score: Metric, first: Shared, axes: Axes) -> dict[str, Any]:
    """One panel. Labels are on a scale of log(1 + k): most curves bend early."""
    import numpy as np

    axes.sharey(first.setdefault(score.key, axes))
    means, stds = (100 * np.array([p[i] or 0.0 for p in curve.means[score.key]]) for i in (0, 1))
    axes.fill_between(curve.labels, means - stds, means + stds, color="0.9", zorder=0)
    (line,) = axes.plot(curve.labels, means, color="black", marker="o", markersize=3, linewidth=1.3)
    entries: dict[str, Any] = {"none": line}
    for place, arm in enumerate(curve.arms):
        if score.key in arm.worth:
            style = series_style(place) | ({"color": "0.5"} if arm.cell.is_control else {})
            other = (
                ""
                if arm.seeds == curve.seeds
                else f" (n = {len(arm.seeds)}, k* against these draws)"
            )
            name = curve.table.arm_label(arm.cell.arm) + other
            entries[name] = _draw_arm(axes, curve, score.key, place, style)
    axes.set_xscale("function", functions=(np.log1p, np.expm1))
    axes.set_xticks(curve.labels, [f"{k}" for k in curve.labels])
    _name_score(axes, score.name)
    return entries


def _draw_arm(axes: Axes, curve: LabelCurve, score: str, place: int, style: dict[str, Any]) -> Any:
    """The level of an arm, and where the curve reaches it; what lies outside the curve stands at
    its end.
    """
    import numpy as np

    worth, arm = curve.arms[place].worth[score], curve.arms[place]
    level, most = 100 * arm.means[score].mean, curve.labels[-1]
    colour, dashes = style["color"], LEVELS[place % len(LEVELS)]
    entry = axes.axhline(level, color=colour, linestyle=dashes, linewidth=1.0, alpha=0.8)
    ends = [v for v in (worth.low, worth.high) if v is not None]
    at, *ends = np.clip([worth.value, *ends], 0, most)
    marker = "<" if worth.value < 0 else ">" if worth.value > most else style["marker"]
    axes.plot([at], [level], marker=marker, color=colour, markersize=5, linestyle="none")
    if ends:
        axes.plot(
            ends, [level, level], color=colour, linewidth=2.5, alpha=0.6, solid_capstyle="butt"
        )
    return entry
