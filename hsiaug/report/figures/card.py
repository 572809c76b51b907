"""The verdict as a card: the scene, one sentence, and for every generator and classifier a sign and an interval."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hsiaug.base.colours import TONES
from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted, visible
from hsiaug.report.figures.files import WIDTHS, across, new_figure, room_of, wrapped
from hsiaug.report.findings import FINDINGS, SIGNS, Shown, generators_of, headline, over, shown_arms, signs_note
from hsiaug.report.labels import p_said, signed
from hsiaug.report.scenes.ground_truth import thumbnail
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

ROW, LINE, AXIS, NARROWEST = 0.48, 0.12, 0.42, 1.3
"""Inches: of a generator, of a line of its name, of an axis with its title, and of a panel at least."""
LETTERS, PIXELS = 24, 80
"""Letters of a line of a generator's name, and pixels of the scene at most, from side to side."""


SIZES = {1: (1.55, 1.15, 9), 2: (1.25, 0.4, 10.5)}
"""Of a card that fills one or two columns: inches of its head and of the note below, points of the sentence."""
Cells = Mapping[tuple[Method, Method], Shown]


def card_figure(report: Report, columns: int = 2) -> Figure:
    """A card per table, one below the other; the picture of a scene is there where the scene lies on this machine.

    columns: of a page with two, which the card fills. Raises InputError where nothing but controls was run.
    """
    shown = [(table, cells) for table in report.tables if (cells := shown_arms(table))]
    if not shown:
        raise InputError(
            "a card needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with `generators` smote, for example.",
        )
    top, foot, _ = SIZES[columns]
    bodies = [_body(table, cells, columns) for table, cells in shown]
    heights = [top + body + foot for body in bodies]
    figure = new_figure(WIDTHS[columns], sum(heights))
    places = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (table, cells), body in zip(places, shown, bodies, strict=True):
        _card(place, table, cells, columns, body)
    return figure


def _wide(table: Table, cells: Cells, columns: int) -> int:
    """Classifiers side by side."""
    return across(columns, len(table.classifiers), _longest(table, cells), NARROWEST)


def _longest(table: Table, cells: Cells) -> int:
    """Letters of the longest line of a generator's name."""
    return min(LETTERS, max(len(table.labels[generator]) for generator in generators_of(cells)))


def _body(table: Table, cells: Cells, columns: int) -> float:
    """Inches of the panels of a card."""
    deep = math.ceil(len(table.classifiers) / _wide(table, cells, columns))
    return deep * (_row(table, cells) * len(generators_of(cells)) + AXIS)


def _row(table: Table, cells: Cells) -> float:
    """Inches of a generator: more where its name takes several lines."""
    return max(
        ROW, 0.08 + LINE * max(_name(table, generator).count("\n") + 1 for generator in generators_of(cells))
    )


def _name(table: Table, generator: Method) -> str:
    return "\n".join(textwrap.wrap(plotted(table.labels[generator]), LETTERS))


def _card(place: SubFigure, table: Table, cells: Cells, columns: int, inches: float) -> None:
    (top, foot, points), wide = SIZES[columns], _wide(table, cells, columns)
    head, body = place.subfigures(2, 1, height_ratios=[top, inches + foot], squeeze=False)[:, 0]
    left, right = head.subplots(1, 2, width_ratios=[1, 5])
    for panel in (left, right):
        panel.set_axis_off()
    picture = thumbnail(table.trials, {})
    if picture is not None:
        step = math.ceil(max(picture[1].shape) / PIXELS)
        left.imshow(picture[1][::step, ::step], interpolation="none")
    heading = wrapped(plotted(table.heading), WIDTHS[columns] * 5 / 6)
    right.text(0, 0.95, heading, fontsize=8, color="0.35", va="top")
    sentence = wrapped(visible(headline(table)).replace("$", r"\$"), WIDTHS[columns] * 5 / 6, 1.15 * points)
    right.text(0, 0.68, sentence, fontsize=points, fontweight="bold", va="top")
    deep = math.ceil(len(table.classifiers) / wide)
    panels = body.subplots(deep, wide, sharey=True, sharex=True, squeeze=False).ravel()
    for panel in panels[len(table.classifiers) :]:
        panel.set_axis_off()
    for panel, classifier in zip(panels, table.classifiers, strict=False):
        _draw(panel, table, cells, classifier)
        room = room_of(columns, wide, _longest(table, cells))
        panel.set_title(wrapped(plotted(table.labels[classifier]), room - 0.3, 9), fontsize=9)
    for panel in panels[max(0, len(table.classifiers) - wide) : len(table.classifiers)]:
        panel.tick_params(axis="x", labelbottom=True)
    luck = " Of several λ and ω the best is shown, partly by luck, and the signs of all."
    said = signs_note((table,)) + (luck if any(one.tally for one in cells.values()) else "")
    note = wrapped(visible(said).replace("$", r"\$"), WIDTHS[columns], 7)
    body.supxlabel(f"Δ{table.scores.main.name} (points)\n{note}", fontsize=7)


def _draw(panel: Axes, table: Table, cells: Cells, classifier: Method) -> None:
    generators = generators_of(cells)
    panel.axvline(0, color="0.4", linewidth=0.8)
    for y, generator in enumerate(generators):
        shown = cells.get((generator, classifier))
        if shown is None or shown.gain.verdict is None:
            _write(panel, y, "not run", TONES[""])
            continue
        finding = shown.gain.verdict.finding
        colour = TONES[FINDINGS[finding].tone]
        tally = f" ({shown.tally})" if shown.tally else ""
        if shown.gain.hardest is None:
            _write(panel, y, f"{SIGNS[finding]} {finding}{tally}", colour)
            continue
        test = shown.gain.hardest[1].main
        low, high = test.interval or (test.mean, test.mean)
        panel.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=2.5, alpha=0.55, solid_capstyle="butt")
        panel.plot([100 * test.mean], [y], "o", color=colour, markersize=4)
        _write(panel, y, f"{SIGNS[finding]} {signed(test.mean)} {over(shown.gain)}", colour)
        _write(panel, y, f"{p_said(test.p_holm)}{tally}", colour, below=True)
    panel.set_yticks(range(len(generators)), [_name(table, generator) for generator in generators], fontsize=7)
    panel.set_ylim(len(generators) - 0.5, -0.8)
    panel.tick_params(axis="x", labelsize=7)
    panel.grid(axis="x", alpha=0.2)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)


def _write(panel: Axes, y: float, text: str, colour: str, *, below: bool = False) -> None:
    """A text at the left end of a row, where it covers no name, above or below the line of its interval."""
    at, side = ((0, -4), "top") if below else ((0, 4), "bottom")
    panel.annotate(
        text,
        (0, y),
        at,
        xycoords=panel.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=7,
        ha="left",
        va=side,
        color=colour,
    )
