"""Pictures of cost against gain: seconds of a trial, and what an arm gains over none for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsiaug.base.colours import SERIES
from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.report.costs import NAMED, CostedArm, costed_arms, named_arms
from hsiaug.report.figures.files import WIDTHS, new_figure, wrapped
from hsiaug.report.labels import duration
from hsiaug.report.positions import apart, shortened
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["cost_figure"]

HEIGHT, LINE, AROUND = 2.6, 0.17, 1.2
"""Inches of a panel at least, of a name, and above and below the names of a panel."""
LETTERS = 24
"""Letters of a name that leave room for the marks."""
HOW_TO_READ = "fit, sampling and training, median; bar: 95 % t interval; hollow: controls"


def cost_figure(report: Report, columns: int = 2) -> Figure:
    """Panels of each table, one per classifier, on the scales of the page: an arm's name stands beside its mark.

    columns: of a page with two, which the figure fills; a panel fills one. Raises InputError where nothing is compared
    with ``none``.
    """
    shown = [
        (table, {c: arms for c in table.classifiers if (arms := costed_arms(table, c))}) for table in report.tables
    ]
    shown = [(table, panels) for table, panels in shown if panels]
    if not shown:
        raise InputError(
            "a picture by cost needs a generator beside none",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with --generator smote, for example.",
        )
    wide = min(columns, max(len(panels) for _, panels in shown))
    rows = [max(HEIGHT, AROUND + LINE * min(NAMED, max(map(len, panels.values())))) for _, panels in shown]
    heights = [row * math.ceil(len(panels) / wide) + 0.5 for row, (_, panels) in zip(rows, shown, strict=True)]
    figure = new_figure(WIDTHS[columns], sum(heights))
    places = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (table, panels), row in zip(places, shown, rows, strict=True):
        place.suptitle(f"{wrapped(plotted(table.heading), WIDTHS[columns])}\n{HOW_TO_READ}", fontsize=8)
        _draw_table(place, table, panels, wide, LINE / (row - AROUND))
    return figure


def _draw_table(
    place: SubFigure, table: Table, panels: dict[Method, list[CostedArm]], wide: int, line: float
) -> None:
    """wide: panels of a row; line: height of a name, as a share of a panel's."""
    deep = math.ceil(len(panels) / wide)
    every = place.subplots(deep, wide, squeeze=False, sharex=True, sharey=True).ravel()
    for panel in every[len(panels) :]:
        panel.set_axis_off()
    for panel, (classifier, arms) in zip(every, panels.items(), strict=False):
        panel.set_title(plotted(table.labels[classifier]), fontsize=8)
        _draw(panel, table, arms)
    # Last, since names stand where the scale that all panels share leaves the marks.
    for panel, arms in zip(every, panels.values(), strict=False):
        _names(panel, table, named_arms(arms), line)


def _draw(panel: Axes, table: Table, arms: Sequence[CostedArm]) -> None:
    from matplotlib.ticker import LogLocator

    panel.axhline(0, color="0.4", linewidth=0.8)
    panel.set_xscale("log")
    for arm in arms:
        colour, control = ("0.45", True) if arm.cell.arm.control else (SERIES[0], False)
        panel.plot([arm.seconds] * 2, arm.ends, color=colour, linewidth=1.4)
        panel.plot([arm.seconds], [arm.mean], "o", color=colour, ms=5, mfc="white" if control else colour)
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=5))
    # A label has two digits: ticks that need more, as between 3.5 and 4 s, have none.
    panel.xaxis.set_major_formatter(lambda t, _: duration(t) if math.isclose(t, float(f"{t:.2g}")) else "")
    panel.xaxis.set_minor_formatter("")
    panel.tick_params(labelsize=7, labelbottom=True)
    panel.grid(alpha=0.25)
    panel.set_xlabel("time of a trial", fontsize=7)
    panel.set_ylabel(f"Δ{table.scores.main.name} to none (points)", fontsize=7)


def _names(panel: Axes, table: Table, arms: Sequence[CostedArm], line: float) -> None:
    """Names in a column to the right, joined to their marks. line: height of a name, as a share of the panel's."""
    low, high = panel.get_ylim()
    wanted = [(high - arm.mean) / (high - low) for arm in arms]
    for arm, at in zip(arms, apart(wanted, line, 0.0, 1.0), strict=True):
        panel.annotate(
            plotted(shortened(table.arm_label(arm.cell.arm), LETTERS)),
            xy=(arm.seconds, arm.mean),
            xytext=(1.06, 1 - at),
            textcoords="axes fraction",
            fontsize=7,
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": "0.75",
                "linewidth": 0.6,
                "shrinkA": 1,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
