"""Pictures over several scenes: each scene's gain, their mean, and what a new scene may expect."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from hsiaug.base.text import plotted
from hsiaug.report.across import ScenePool, known_pools
from hsiaug.report.figures.files import WIDTHS, legend_columns, name_table, new_figure, series_style
from hsiaug.report.tables import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

LINE, AROUND = 0.26, 1.15
"""Inches of an arm, and of heading, axis and legend of a panel."""
LETTERS = {1: 16, 2: 34}
"""Letters of a line of an arm's name, by the columns that a figure fills."""
HOW_TO_READ = (
    "markers: gain on one scene; tick and thick bar: mean over scenes, 95 % interval of Hartung and Knapp; thin bar: "
    "95 % prediction interval of a new scene"
)


def scenes_figure(report: Report, columns: int = 2) -> Figure:
    """A forest plot per run and protocol with three scenes or more: gains over ``none`` in points, a row per arm.

    columns: of a page with two, which the figure fills. Raises InputError where fewer scenes were run.
    """
    pools = known_pools(report)
    heights = [LINE * len(pool.arms) + AROUND for pool in pools]
    figure = new_figure(WIDTHS[columns], sum(heights))
    places = figure.subfigures(len(pools), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, pool in zip(places, pools, strict=True):
        name_table(place, ", ".join(pool.heading.split(", ")[:2]), WIDTHS[columns], alone=len(pools) == 1)
        _draw(place, pool, columns)
    figure.set_label(HOW_TO_READ)
    return figure


def _draw(place: SubFigure, pool: ScenePool, columns: int) -> None:
    width = WIDTHS[columns]
    panel = place.subplots()
    panel.axvline(0, color="0.4", linewidth=0.8)
    for y, arm in enumerate(pool.arms):
        mean, interval, new, _ = arm.pooled
        panel.plot([100 * x for x in new], [y, y], color="0.45", linewidth=0.9)
        panel.plot([100 * x for x in interval], [y, y], color="0.15", linewidth=2.6)
        panel.plot(100 * mean, y, "|", color="0.15", ms=10, mew=1.6)
        for i, gain in enumerate(arm.gains):
            if gain is not None and (over := gain.against["none"]) is not None:
                panel.plot(100 * over.main.mean, y - 0.25, linestyle="none", ms=4, **series_style(i))
    names = [plotted(table.condition.scene) for table in pool.tables]
    for i, name in enumerate(names):
        panel.plot([], [], linestyle="none", ms=4, label=name, **series_style(i))
    labels = ["\n".join(textwrap.wrap(plotted(arm.label), LETTERS[columns])) for arm in pool.arms]
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.5, -0.6)
    panel.set_xlabel("gain over none (points)", fontsize=7)
    panel.tick_params(labelsize=7)
    panel.grid(axis="x", alpha=0.25)
    place.legend(fontsize=7, frameon=False, loc="outside lower center", ncols=legend_columns(width, names))
