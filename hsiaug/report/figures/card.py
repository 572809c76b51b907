"""The verdict as a card: one sentence, and for every generator and classifier a sign and an interval."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from hsiaug.base.colours import TONES
from hsiaug.base.errors import InputError
from hsiaug.report.figures.charts import Block, Panel, draw_blocks
from hsiaug.report.findings import FINDINGS, SIGNS, Shown, generators_of, headline, over, shown_arms, signs_note
from hsiaug.report.labels import p_said, signed
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, AXIS = 0.48, 0.5
"""Inches of a generator, and of an axis with its title."""
LUCK = " Of several λ and ω the best is shown, partly by luck, and the signs of all."
HOW_TO_READ = "mark: mean gain over the control that decides; bar: its interval"


def card_figure(report: Report, columns: int = 2) -> Figure:
    """A card per table, one below the other. columns: of a page with two, which the card fills.

    Raises InputError where nothing but controls was run.
    """
    shown = [(table, cells) for table in report.tables if (cells := shown_arms(table))]
    if not shown:
        raise InputError(
            "a card needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with `generators` smote, for example.",
        )
    return draw_blocks([_card(table, cells) for table, cells in shown], columns, HOW_TO_READ)


def _card(table: Table, cells: Mapping[tuple[Method, Method], Shown]) -> Block:
    generators = generators_of(cells)
    panels = []
    for classifier in table.classifiers:
        shown = [cells.get((generator, classifier)) for generator in generators]
        panels.append(Panel((table.labels[classifier],), partial(_draw, shown)))
    note = signs_note((table,)) + (LUCK if any(one.tally for one in cells.values()) else "")
    return Block(
        table.heading,
        panels,
        ROW * len(generators) + AXIS,
        narrowest=1.3,
        around=1.4,
        rows=[(table.labels[generator], y) for y, generator in enumerate(generators)],
        along=f"Δ{table.scores.main.name} (points)",
        headline=headline(table),
        note=note,
    )


def _draw(rows: list[Shown | None], axes: Axes) -> dict[str, Any]:
    axes.axvline(0, color="0.4", linewidth=0.8)
    for y, shown in enumerate(rows):
        if shown is None or shown.gain.verdict is None:
            _write(axes, y, "not run", TONES[""])
            continue
        finding = shown.gain.verdict.finding
        colour, tally = TONES[FINDINGS[finding].tone], f" ({shown.tally})" if shown.tally else ""
        if shown.gain.hardest is None:
            _write(axes, y, f"{SIGNS[finding]} {finding}{tally}", colour)
            continue
        test = shown.gain.hardest[1].main
        ends = [100 * end for end in test.interval or (test.mean, test.mean)]
        axes.plot(ends, [y, y], color=colour, linewidth=2.5, alpha=0.55, solid_capstyle="butt")
        axes.plot([100 * test.mean], [y], "o", color=colour, markersize=4)
        _write(axes, y, f"{SIGNS[finding]} {signed(test.mean)} {over(shown.gain)}", colour)
        _write(axes, y, f"{p_said(test.p_holm)}{tally}", colour, below=True)
    axes.set_ylim(len(rows) - 0.5, -0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return {}


def _write(axes: Axes, y: float, text: str, colour: str, *, below: bool = False) -> None:
    """A text at the left end of a row, where it covers no name, above or below the line of its interval."""
    axes.annotate(
        text,
        (0, y),
        (0, -4 if below else 4),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=7,
        va="top" if below else "bottom",
        color=colour,
    )
