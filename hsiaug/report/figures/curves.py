"""Pictures of sweeps: OA and AA against λ, M or ω."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.report.curves import (
    DRAWN,
    SIGNS,
    Axis,
    Held,
    SweepLine,
    SweepPoint,
    all_lines,
    curve_metrics,
    find_sweeps,
    line_label,
    lines,
    measured_lines,
    measured_names,
    panel_n,
    percentages,
    real_of,
    reference,
)
from hsiaug.report.figures.files import WIDTHS, across, name_table, new_figure, series_style, wrapped
from hsiaug.report.records import MEASURED, ArmCell
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import EVERY_CONTROL, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

DASHES = dict(zip(EVERY_CONTROL[1:], ("--", (0, (5, 1, 1, 1)), "-."), strict=True))
"""Dashes of the grey lines of the controls but ``none``."""
HOW_TO_READ = "mean ± std; what is hollow, or has an n of its own, is over other draws; one scale for each score"
COLUMNS = {1: 2, 2: 4}
"""Columns of the legend, by the columns of a page that a figure fills."""
NARROWEST, HEIGHT, AROUND = 1.5, 1.85, 1.0
"""Inches of a panel, and of the heading and the legend of a table."""


def curve_figure(report: Report, axis: Axis, columns: int = 2) -> Figure:
    """The figure of every table in which some generator has two values of the axis or more.

    Mean over the draws with a bar of one standard deviation, in percent: two panels per classifier, OA and AA, and along
    ω one for each number that generators state of their samples. ``none`` is the dotted line and its band; other controls
    are grey. Lines begin with ``none`` where λ and M are 0, which it is by definition.

    columns: of a page with two, which the figure fills. Raises InputError where nothing varies.
    """
    shown = [table for table in report.tables if find_sweeps(table, axis)]
    if not shown:
        sign = SIGNS[axis]
        raise InputError(
            f"a picture by {axis} needs records of a generator at two {sign} or more",
            value=f"{len(report.tables)} tables without them",
            hint=f"Run 'hsiaug benchmark … --{axis} 0.5:1.5:0.5' first.",
        )
    classifiers = [_varied(table, axis) for table in shown]
    counts = [2 * len(found) + len(_stated(table, axis)) for table, found in zip(shown, classifiers, strict=True)]
    heights = [HEIGHT * math.ceil(count / _wide(count, columns)) + AROUND for count in counts]
    figure = new_figure(WIDTHS[columns], sum(heights))
    places = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, table, found in zip(places, shown, classifiers, strict=True):
        name_table(place, table.heading, WIDTHS[columns], alone=len(shown) == 1)
        _draw_table(place, table, axis, found, columns)
    figure.set_label(HOW_TO_READ)
    return figure


def _varied(table: Table, axis: Axis) -> list[Method]:
    """The classifiers with a line: of the others there is nothing to draw."""
    lined = {line.classifier for line in find_sweeps(table, axis)}
    return [classifier for classifier in table.classifiers if classifier in lined]


def _stated(table: Table, axis: Axis) -> list[str]:
    """What generators state of their samples along ω, a panel each."""
    return measured_names(measured_lines(table))[:DRAWN] if axis == "omega" else []


def _wide(panels: int, columns: int) -> int:
    """Panels of a row: the two scores of a classifier stand side by side."""
    return across(columns, panels, 6, NARROWEST) // 2 * 2


def _draw_table(place: SubFigure, table: Table, axis: Axis, classifiers: Sequence[Method], columns: int) -> None:
    stated = _stated(table, axis)
    count = 2 * len(classifiers) + len(stated)
    width, wide = WIDTHS[columns], _wide(count, columns)
    panels = place.subplots(math.ceil(count / wide), wide, squeeze=False).ravel()
    for panel in panels[count:]:
        panel.set_axis_off()
    styles, scores = _styles(table, axis), curve_metrics(table)
    entries: dict[str, Any] = {}
    for i, (panel, classifier) in enumerate(zip(panels, (c for c in classifiers for _ in scores), strict=False)):
        shown, none, score = _shown(table, classifier, axis), reference(table, classifier), scores[i % 2]
        panel.sharey(panels[i % 2])
        entries |= _draw_curves(panel, shown, none, score.key, styles)
        title = plotted(table.labels[classifier]), panel_n(shown, none)
        panel.set_title("\n".join(wrapped(line, width / wide - 0.45, 7) for line in title), fontsize=7)
        _name_axes(panel, axis, score.name)
    lines = measured_lines(table) if stated else []
    for panel, name in zip(panels[2 * len(classifiers) :], stated, strict=False):
        entries |= _draw_stated(panel, lines, name, styles)
        _name_axes(panel, axis, name.replace("_", " "))
    ncols = COLUMNS[columns]
    names = [wrapped(plotted(name), width / ncols - 0.4, 7) for name in entries]
    place.legend(entries.values(), names, loc="outside lower center", ncols=ncols, fontsize=7, frameon=False)


def _name_axes(panel: Axes, axis: Axis, score: str) -> None:
    panel.set_xlabel(SIGNS[axis], fontsize=8)
    panel.set_ylabel(f"{score} (%)", fontsize=8)
    panel.tick_params(labelsize=7)


def _draw_stated(
    panel: Axes, shown: Sequence[SweepLine], name: str, styles: dict[Any, dict[str, Any]]
) -> dict[str, Any]:
    """Draw what samples are stated to be, and left-out real patches as a level; returns the entries of the legend."""
    entries: dict[str, Any] = {}
    for line in shown:
        style = styles[line.key]
        if dots := line.dots(name, MEASURED):
            entries[style["label"]] = _draw_line(panel, dots, style)
        if real := real_of(line, name):
            level = panel.axhline(100 * real.mean, color=style["color"], linestyle=":", linewidth=1.2)
            entries.setdefault("left-out real patches", level)
    panel.set_title("samples", fontsize=7)
    panel.grid(alpha=0.25)
    panel.margins(x=0.08)
    return entries


def _styles(table: Table, axis: Axis) -> dict[tuple[Method, Held], dict[str, Any]]:
    """Colour, marker and label of every line of a table, the same in all its panels; controls are grey."""
    styles: dict[tuple[Method, Held], dict[str, Any]] = {}
    coloured = 0
    for line in all_lines(table, axis):
        if line.key in styles or line.generator.name == "none":
            continue
        dashes = DASHES.get(line.generator.name)
        style = {"color": "0.5", "linestyle": dashes} if dashes else series_style(coloured)
        styles[line.key] = {**style, "label": line_label(table, line)}
        coloured += not dashes
    return styles


def _draw_curves(
    panel: Axes, shown: Sequence[SweepLine], none: ArmCell | None, metric: str, styles: dict[Any, dict[str, Any]]
) -> dict[str, Any]:
    """Draw the lines of one classifier; returns the entries of the legend."""
    entries: dict[str, Any] = {}
    if level := percentages(none, metric):
        mean, std, _ = level
        panel.axhspan(mean - std, mean + std, color="0.93", zorder=0)
        entries["none"] = panel.axhline(mean, color="black", linestyle=":", linewidth=1.2)
    moving = [line for line in shown if line.values]
    for line in moving:
        style = styles[line.key]
        entries[style["label"]] = _draw_line(panel, line.dots(metric), style)
        start = percentages(line.start, metric) if 0.0 not in line.values else None
        first = next((dot for dot in line.dots(metric) if not dot.apart), None)
        if start and first:
            panel.plot([0, first.value], [start[0], first.mean], color=style["color"], linewidth=0.9, alpha=0.6)
    for line in shown:
        if not line.values and (level := percentages(line.points[0][1], metric)):
            style = styles[line.key]
            entries[style["label"]] = panel.axhline(
                level[0], color=style["color"], linestyle=style["linestyle"], linewidth=1.2
            )
    panel.grid(alpha=0.25)
    panel.margins(x=0.08)
    return entries


def _shown(table: Table, classifier: Method, axis: Axis) -> list[SweepLine]:
    """The lines of a panel: those with a value on the axis, and along ω the controls, levels to compare with.

    Other generators without guidance are left out.
    """
    found = [line for line in lines(table, classifier, axis) if line.generator.name != "none"]
    return [line for line in found if line.values or line.generator.name in DASHES]


def _draw_line(panel: Axes, dots: Sequence[SweepPoint], style: dict[str, Any]) -> Any:
    """The points with a line through those that can be compared; returns the entry of the legend."""
    bars: dict[str, Any] = {"capsize": 2, "elinewidth": 0.8, "markersize": 4}
    shared = [(dot.value, dot.mean, dot.std) for dot in dots if not dot.apart]
    where, means, stds = ([point[i] for point in shared] for i in range(3))
    drawn = panel.errorbar(where, means, stds, linewidth=1.4, **bars, **style)
    hollow = {"marker": "o", **style, "linestyle": "none", "label": None, "markerfacecolor": "white"}
    for dot in dots:
        if dot.apart:
            at = (dot.value, dot.mean)
            panel.errorbar([at[0]], [at[1]], [dot.std], **bars, **hollow)
            panel.annotate(f"n={dot.n}", at, (5, -3), textcoords="offset points", fontsize=7)
    for bar in (*drawn.lines[1], *drawn.lines[2]):
        bar.set_alpha(0.45)
    return drawn
