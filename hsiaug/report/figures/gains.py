"""Pictures of gains: every draw's difference to a control, their mean and its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError
from hsiaug.metrics.verdict import Evidence
from hsiaug.report.compare import Gain
from hsiaug.report.figures.charts import Block, Panel, draw_blocks
from hsiaug.report.figures.files import series_style
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Arm, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE = 0.15
"""Inches of the line of one control."""
CONTROLS = {"duplicate": 0, "none": 1}
FURTHER = 2
"""Place of each control among the colours of series and markers, as on the page."""
HOW_TO_READ = "ticks: draws; mark: mean; bar: its t interval, of 95 % corrected over arms; panels share their axis"


def gain_figure(report: Report, columns: int = 2) -> Figure:
    """A panel per classifier of each table: differences in points, an arm over each of its controls.

    columns: of a page with two, which the figure fills. Raises InputError where nothing but controls was run.
    """
    shown = [(table, _by_classifier(table)) for table in report.tables]
    blocks = [_gains(table, found) for table, found in shown if found]
    if not blocks:
        raise InputError(
            "a picture of gains needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with `generators` smote, for example.",
        )
    return draw_blocks(blocks, columns, HOW_TO_READ)


def _by_classifier(table: Table) -> dict[Method, list[Gain]]:
    found: dict[Method, list[Gain]] = {}
    for gain in table.judged:
        if any(gain.against.values()):
            found.setdefault(gain.cell.classifier, []).append(gain)
    return found


def _gains(table: Table, found: Mapping[Method, Sequence[Gain]]) -> Block:
    """Each arm has a line for each control."""
    known = {gain.cell.arm for gains in found.values() for gain in gains}
    each = len(table.controls) + 1
    lines = {arm: each * i for i, arm in enumerate(arm for arm in table.arms if arm in known)}
    return Block(
        table.heading,
        [Panel((table.labels[c],), partial(_draw_gains, gains, lines, each)) for c, gains in found.items()],
        LINE * each * len(lines) + 0.55,
        rows=[(table.arm_label(arm), y + (each - 2) / 2) for arm, y in lines.items()],
        along=f"Δ{table.scores.main.name} (points)",
    )


def _draw_gains(gains: Sequence[Gain], lines: Mapping[Arm, int], each: int, axes: Axes) -> dict[str, Any]:
    axes.axvline(0, color="0.4", linewidth=0.8)
    found: dict[str, list[tuple[int, Evidence]]] = {}
    for gain in gains:
        for y, (control, comparison) in enumerate(gain.against.items(), start=lines[gain.cell.arm]):
            if comparison is not None:
                found.setdefault(control, []).append((y, comparison.main))
    entries = {}
    for control, tests in found.items():
        # One outline for all arms: one of each would make a page of twenty arms many times as large.
        style = series_style(CONTROLS.get(control, FURTHER))
        bars = [(x, y) for y, test in tests for x in test.interval or (test.mean, test.mean)]
        _outline(axes, bars, color=style["color"], linewidth=1.6, alpha=0.7)
        ticks = [(d, y + up) for y, test in tests for d in test.differences for up in (-0.3, 0.3)]
        _outline(axes, ticks, color=style["color"], linewidth=0.6, alpha=0.7)
        means, places = [100 * test.mean for _, test in tests], [y for y, _ in tests]
        name = f"over {control}"
        (entries[name],) = axes.plot(means, places, linestyle="none", ms=4, label=name, **style)
    axes.set_ylim(each * len(lines) - 0.5, -0.8)
    return entries


def _outline(axes: Axes, ends: Sequence[tuple[float, float]], **style: Any) -> None:
    """Lines between the first and the second of these places, the third and the fourth, and so on; x: fractions."""
    places = [place for i in range(0, len(ends), 2) for place in (*ends[i : i + 2], (math.nan, math.nan))]
    axes.plot([100 * x for x, _ in places], [y for _, y in places], **style)
