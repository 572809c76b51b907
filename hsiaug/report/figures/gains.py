"""Pictures of gains: every draw's difference to a control, their mean and its interval."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.report.compare import Gain, PairedTest
from hsiaug.report.figures.files import WIDTHS, across, name_table, new_figure, room_of, series_style, wrapped
from hsiaug.report.findings import judged
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Arm, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

LINE, AROUND = 0.15, 0.55
"""Inches of the line of one control, and above and below the lines of a panel."""
LETTERS = {1: 18, 2: 24}
"""Letters of a line of an arm's name, by the columns that a figure fills."""
CONTROLS = {"duplicate": 0, "none": 1}
FURTHER = 2
"""Place of each control among the colours of series and markers, as on the page."""
HOW_TO_READ = "ticks: draws; mark: mean; bar: its t interval, of 95 % corrected over arms; panels share their axis"


def gain_figure(report: Report, columns: int = 2) -> Figure:
    """A panel per classifier of each table: differences in points, an arm over each of its controls.

    columns: of a page with two, which the figure fills. Raises InputError where nothing but controls was run.
    """
    shown = [(table, _by_classifier(table)) for table in report.tables]
    shown = [(table, gains) for table, gains in shown if gains]
    if not shown:
        raise InputError(
            "a picture of gains needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with `generators` smote, for example.",
        )
    made = [_Rows.of(table, found, columns) for table, found in shown]
    figure = new_figure(WIDTHS[columns], sum(one.height for one in made))
    places = figure.subfigures(len(shown), 1, height_ratios=[one.height for one in made], squeeze=False)[:, 0]
    for place, (table, found), rows in zip(places, shown, made, strict=True):
        name_table(place, table.heading, WIDTHS[columns], alone=len(shown) == 1)
        _draw_table(place, table, found, rows, columns)
    figure.set_label(HOW_TO_READ)
    return figure


class _Rows(NamedTuple):
    """The arms of a table from top to bottom, each with the line of its first control; the lines of all.

    wide: panels side by side. height: inches, with the heading and the legend.
    """

    arms: Mapping[Arm, int]
    lines: int
    wide: int
    height: float

    @classmethod
    def of(cls, table: Table, found: Mapping[Method, Sequence[Gain]], columns: int) -> _Rows:
        judged = {gain.cell.arm for gains in found.values() for gain in gains}
        arms = [arm for arm in table.arms if arm in judged]
        each = len(table.controls) + 1
        longest = max(len(table.arm_label(arm)) for arm in arms)
        wide = across(columns, len(found), min(longest, LETTERS[columns]))
        height = math.ceil(len(found) / wide) * (LINE * each * len(arms) + AROUND) + 1.0
        return cls({arm: each * i for i, arm in enumerate(arms)}, each * len(arms), wide, height)


def _draw_table(
    place: SubFigure, table: Table, found: Mapping[Method, Sequence[Gain]], rows: _Rows, columns: int
) -> None:
    letters = LETTERS[columns]
    panels = place.subplots(
        math.ceil(len(found) / rows.wide), rows.wide, squeeze=False, sharex=True, sharey=True
    ).ravel()
    for panel in panels[len(found) :]:
        panel.set_axis_off()
    for panel, (classifier, gains) in zip(panels, found.items(), strict=False):
        _draw(panel, gains, rows)
        room = room_of(columns, rows.wide, letters)
        panel.set_title(wrapped(plotted(table.labels[classifier]), room - 0.3), fontsize=8)
    first = panels[0]
    names = ["\n".join(textwrap.wrap(plotted(table.arm_label(arm)), letters)) for arm in rows.arms]
    first.set_yticks([y + (len(table.controls) - 1) / 2 for y in rows.arms.values()], names)
    first.set_ylim(rows.lines - 0.5, -0.8)
    for panel in panels[max(0, len(found) - rows.wide) : len(found)]:
        panel.tick_params(axis="x", labelbottom=True)
        panel.set_xlabel(f"Δ{table.scores.main.name} (points)", fontsize=7)
    marks = (panel.get_legend_handles_labels() for panel in panels)
    entries = {name: mark for some, names in marks for mark, name in zip(some, names, strict=True)}
    place.legend(entries.values(), entries, fontsize=7, frameon=False, loc="outside lower center", ncols=3)


def _by_classifier(table: Table) -> dict[Method, list[Gain]]:
    found: dict[Method, list[Gain]] = {}
    for gain in judged(table):
        if any(gain.against.values()):
            found.setdefault(gain.cell.classifier, []).append(gain)
    return found


def _draw(panel: Axes, gains: Sequence[Gain], rows: _Rows) -> None:
    panel.axvline(0, color="0.4", linewidth=0.8)
    found: dict[str, list[tuple[int, PairedTest]]] = {}
    for gain in gains:
        for y, (control, comparison) in enumerate(gain.against.items(), start=rows.arms[gain.cell.arm]):
            if comparison is not None:
                found.setdefault(control, []).append((y, comparison.main))
    for control, tests in found.items():
        # One outline for all arms: one of each would make a page of twenty arms many times as large.
        style = series_style(CONTROLS.get(control, FURTHER))
        bars = [(x, y) for y, test in tests for x in test.interval or (test.mean, test.mean)]
        _outline(panel, bars, color=style["color"], linewidth=1.6, alpha=0.7)
        ticks = [(d, y + up) for y, test in tests for d in test.differences for up in (-0.3, 0.3)]
        _outline(panel, ticks, color=style["color"], linewidth=0.6, alpha=0.7)
        means = [100 * test.mean for _, test in tests]
        panel.plot(means, [y for y, _ in tests], linestyle="none", ms=4, label=f"over {control}", **style)
    panel.tick_params(labelsize=7)
    panel.grid(axis="x", alpha=0.25)


def _outline(panel: Axes, ends: Sequence[tuple[float, float]], **style: Any) -> None:
    """Lines between the first and the second of these places, the third and the fourth, and so on; x: fractions."""
    places = [place for i in range(0, len(ends), 2) for place in (*ends[i : i + 2], (math.nan, math.nan))]
    panel.plot([100 * x for x, _ in places], [y for _, y in places], **style)
