"""Pictures of gains: every draw's difference to a control, their mean and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsiaug.errors import InputError
from hsiaug.report.compare import Gain
from hsiaug.report.figure_files import new_figure, series_style
from hsiaug.report.findings import judged
from hsiaug.report.tables import Report, Table
from hsiaug.text import plotted
from hsiaug.trial.arm import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["gain_figure"]

WIDTH, LINE = 3.5, 0.16
"""Of a panel, and of the line of one control, in inches: one column of a journal, two panels in two."""
CONTROLS = {"duplicate": 0, "none": 1}
FURTHER = 2
"""Of a control: its place among the colours of series and markers, as on the page."""
HOW_TO_READ = "dots: draws; mark: mean; bar: 95 % t interval of the mean; panels of a table share their axis"


def gain_figure(report: Report) -> Figure:
    """A row of panels per table, one per classifier: differences in points, an arm over each of its controls.

    Raises InputError where nothing but controls was run.
    """
    shown = [(table, _by_classifier(table)) for table in report.tables]
    shown = [(table, gains) for table, gains in shown if gains]
    if not shown:
        raise InputError(
            "a picture of gains needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with --generator smote, for example.",
        )
    heights = [
        1.2 + LINE * max(sum(1 + len(g.against) for g in gains) for gains in found.values()) for _, found in shown
    ]
    columns = max(len(found) for _, found in shown)
    figure = new_figure(WIDTH * columns, sum(heights))
    places = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (table, found) in zip(places, shown, strict=True):
        place.suptitle(f"{plotted(table.heading)}\n{HOW_TO_READ}", fontsize=8, wrap=True)
        panels = place.subplots(1, columns, squeeze=False, sharex=True)[0]
        for panel in panels[len(found) :]:
            panel.set_axis_off()
        for panel, (classifier, gains) in zip(panels, found.items(), strict=False):
            _draw(panel, table, gains)
            panel.set_title(plotted(table.labels[classifier]), fontsize=9)
            panel.set_xlabel(f"Δ{table.scores.main.name} (points)", fontsize=8)
        marks = (panel.get_legend_handles_labels() for panel in panels)
        entries = {name: mark for some, names in marks for mark, name in zip(some, names, strict=True)}
        place.legend(entries.values(), entries, fontsize=7, frameon=False, loc="outside lower center", ncols=3)
    return figure


def _by_classifier(table: Table) -> dict[Method, list[Gain]]:
    found: dict[Method, list[Gain]] = {}
    for gain in judged(table):
        if any(gain.against.values()):
            found.setdefault(gain.cell.classifier, []).append(gain)
    return found


def _draw(panel: Axes, table: Table, gains: Sequence[Gain]) -> None:
    names, places, y = [], [], 0
    panel.axvline(0, color="0.4", linewidth=0.8)
    for gain in gains:
        names.append(plotted(table.arm_label(gain.cell.arm)))
        places.append(y + (len(gain.against) - 1) / 2)
        for control, comparison in gain.against.items():
            if comparison is not None:
                test, style = comparison.main, series_style(CONTROLS.get(control, FURTHER))
                colour = style["color"]
                low, high = test.interval or (test.mean, test.mean)
                panel.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=1.6, alpha=0.7)
                panel.plot(
                    [100 * d for d in test.differences], [y] * len(test.differences), ".", color=colour, ms=2.5
                )
                panel.plot([100 * test.mean], [y], linestyle="none", ms=4, label=f"over {control}", **style)
            y += 1
        y += 1
    panel.set_yticks(places, names, fontsize=8)
    panel.set_ylim(y - 0.5, -0.8)
    panel.tick_params(axis="x", labelsize=8)
    panel.grid(axis="x", alpha=0.25)
