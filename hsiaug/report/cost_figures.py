"""Pictures of cost against gain: seconds of a trial, and what an arm gains over none for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsiaug.errors import InputError
from hsiaug.report.costs import NAMED, CostedArm, costed_arms, named_arms
from hsiaug.report.figure_files import new_figure
from hsiaug.report.labels import duration
from hsiaug.report.positions import apart, decades, labelled, shortened
from hsiaug.report.tables import Report, Table
from hsiaug.text import plotted
from hsiaug.trial.arm import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["cost_figure"]

WIDTH, HEIGHT, LINE = 3.5, 2.6, 0.17
"""Of a panel and of a name, in inches: one column of a journal, two panels in two."""
LETTERS = 24
"""Letters of a name that leave room for the marks."""
HOW_TO_READ = "fit, sampling and training, median; bar: 95 % t interval; hollow: controls"


def cost_figure(report: Report) -> Figure:
    """A row of panels per table, one per classifier, on the scales of the page: an arm's name stands beside its mark.

    Raises InputError where nothing is compared with ``none``.
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
    heights = [max(HEIGHT, 1.2 + LINE * min(NAMED, max(map(len, panels.values())))) + 0.5 for _, panels in shown]
    columns = max(len(panels) for _, panels in shown)
    figure = new_figure(WIDTH * columns, sum(heights))
    places = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (table, panels), height in zip(places, shown, heights, strict=True):
        _draw_table(place, table, panels, columns, LINE / (height - 1.2))
    return figure


def _draw_table(
    place: SubFigure, table: Table, panels: dict[Method, list[CostedArm]], columns: int, line: float
) -> None:
    """line: height of a name, as a share of a panel's."""
    place.suptitle(f"{plotted(table.heading)}\n{HOW_TO_READ}", fontsize=8, wrap=True)
    row = place.subplots(1, columns, squeeze=False, sharex=True, sharey=True)[0]
    for panel in row[len(panels) :]:
        panel.set_axis_off()
    marks = decades([arm.seconds for arms in panels.values() for arm in arms])
    for panel, (classifier, arms) in zip(row, panels.items(), strict=False):
        panel.set_title(plotted(table.labels[classifier]), fontsize=9)
        _draw(panel, table, arms, labelled(marks, 4))
    # Last, since names stand where the scale that all panels share leaves the marks.
    for panel, arms in zip(row, panels.values(), strict=False):
        _names(panel, table, named_arms(arms), line)


def _draw(panel: Axes, table: Table, arms: Sequence[CostedArm], times: Sequence[float]) -> None:
    panel.axhline(0, color="0.4", linewidth=0.8)
    panel.set_xscale("log")
    for arm in arms:
        colour, control = ("0.45", True) if arm.cell.arm.control else ("tab:blue", False)
        panel.plot([arm.seconds] * 2, arm.ends, color=colour, linewidth=1.4)
        panel.plot([arm.seconds], [arm.mean], "o", color=colour, ms=5, mfc="white" if control else colour)
    panel.set_xticks(times, map(duration, times))
    panel.set_xticks([], minor=True)
    panel.tick_params(labelsize=8)
    panel.grid(alpha=0.25)
    panel.set_xlabel("time of a trial", fontsize=8)
    panel.set_ylabel(f"Δ{table.scores.main.name} to none (points)", fontsize=8)


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
