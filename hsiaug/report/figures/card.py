"""The verdict as a card: one sentence, and for every arm a sign and an interval on every scene."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hsiaug.base.colours import TONES
from hsiaug.base.errors import InputError
from hsiaug.report.compare import Gain
from hsiaug.report.figures.charts import Block, Panel, draw_blocks
from hsiaug.report.findings import FINDINGS, headline, over, signs_note
from hsiaug.report.labels import p_said, signed
from hsiaug.report.matrix import Matrix, closing, matrices
from hsiaug.report.tables import Report
from hsiaug.report.views import MOST_ROWS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, AXIS = 0.48, 0.5
"""Inches of an arm, and of an axis with its title."""
HOW_TO_READ = "mark: mean gain over the control that decides; bar: its interval"


def card_figure(report: Report, columns: int = 2) -> Figure:
    """A card per matrix, one below the other. columns: of a page with two, which the card fills.

    Raises InputError where nothing but controls was run.
    """
    blocks = [block for matrix in matrices(report) if (block := _card(matrix)).rows]
    if not blocks:
        raise InputError(
            "a card needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with `generators` smote, for example.",
        )
    return draw_blocks(blocks, columns, HOW_TO_READ)


def _card(matrix: Matrix) -> Block:
    tables = matrix.tables
    rows = [row for row in matrix.rows if any(gain and gain.verdict for gain in row.gains)][:MOST_ROWS]
    names = [table.condition.scene for table in tables] if len(tables) > 1 else [""]
    return Block(
        "LEAKY: " * any(table.leaky for table in tables) + matrix.title,
        [Panel((name,), partial(_draw, [row.gains[i] for row in rows])) for i, name in enumerate(names)],
        ROW * len(rows) + AXIS,
        narrowest=1.3,
        around=1.4,
        rows=[(row.label, y) for y, row in enumerate(rows)],
        along=matrix.heading,
        headline=headline(tables[0]) if len(tables) == 1 else closing(matrix)[0],
        note=signs_note(tables),
    )


def _draw(gains: Sequence[Gain | None], axes: Axes) -> dict[str, Any]:
    axes.axvline(0, color="0.4", linewidth=0.8)
    for y, gain in enumerate(gains):
        if gain is None or gain.verdict is None:
            _write(axes, y, "not run", TONES[""])
            continue
        words = FINDINGS[gain.verdict.finding]
        colour = TONES[words.tone]
        if gain.hardest is None:
            _write(axes, y, f"{words.sign} {gain.verdict.finding}", colour)
            continue
        test = gain.hardest[1].main
        ends = [100 * end for end in test.interval or (test.mean, test.mean)]
        axes.plot(ends, [y, y], color=colour, linewidth=2.5, alpha=0.55, solid_capstyle="butt")
        axes.plot([100 * test.mean], [y], "o", color=colour, markersize=4)
        _write(axes, y, f"{words.sign} {signed(test.mean)} {over(gain)}", colour)
        _write(axes, y, p_said(test.p_corrected), colour, below=True)
    axes.set_ylim(len(gains) - 0.5, -0.8)
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
