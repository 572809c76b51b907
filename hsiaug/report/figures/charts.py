"""One grammar for the charts of reports: tables one below the other, each with a heading, panels
and a legend.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.report.figures.files import LETTER, WIDTHS, legend_columns, new_figure, wrapped
from hsiaug.report.formatting import LEAKY, TRANSDUCTIVE, count
from hsiaug.report.gains import ArmGains
from hsiaug.trial.arm import CONTROLS_OF_OLD_RECORDS, NONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase, SubFigure

LETTERS = {1: 18, 2: 24}
"""Letters of a line of a row's name, by the columns of a page that a figure fills."""
AXIS = 0.5
"""Inches of an axis with its title."""
LINE, LEGEND = 0.14, 0.5
"""Inches of a line of a legend, and those of a legend that a block has room for."""
MEASURED = [name for name, control in CONTROLS_OF_OLD_RECORDS.items() if not control.blind]
CONTROLS = dict(zip(MEASURED, (1, 0, 4, 2, 6, 5), strict=True))
"""Place of these among the colours of series and markers, as on the page: the same in every
figure.
"""
FURTHER = (7, 3)
"""Places of the controls that other packages bring."""
NO_ARMS = (
    "a picture of gains needs a generator other than the controls",
    "Run a benchmark with `generators` smote, for example.",
)
"""What such a picture needs, and how to come by it."""
FirstPanels = dict[str, "Axes"]
"""The first panel of each score, whose scale the others take."""


class Panel(NamedTuple):
    """A panel of a chart.

    Attributes
    ----------
    title : tuple of str
        Its lines.
    draw : callable
        Draws into axes, and gives the entries of the legend by their names.
    """

    title: tuple[str, ...]
    draw: Callable[[Axes], Mapping[str, Any]]


@dataclass(frozen=True)
class ChartBlock:
    """The panels of a table.

    Attributes
    ----------
    height, narrowest : float
        Inches of a panel.
    around : float
        Inches of heading, legend and notes.
    rows : sequence of (str, float)
        (name, y) of rows; panels of rows share both axes.
    along, up : str
        Names of the axes.
    pairs : bool
        Panels two by two stay side by side.
    """

    heading: str
    panels: Sequence[Panel]
    height: float
    narrowest: float = 1.6
    around: float = 1.0
    rows: Sequence[tuple[str, float]] = ()
    along: str = ""
    up: str = ""
    pairs: bool = False

    def room(self, columns: int) -> float:
        """Inches beside the names of rows, or the name and numbers of an axis."""
        letters = min(LETTERS[columns], max(len(name) for name, _ in self.rows)) if self.rows else 6
        return WIDTHS[columns] - 7 * LETTER * letters

    def wide(self, columns: int) -> int:
        """Panels side by side."""
        fit = max(1, min(len(self.panels), int(self.room(columns) / self.narrowest)))
        return fit // 2 * 2 if self.pairs else fit

    def inches(self, columns: int) -> float:
        """Height of the whole."""
        return self.height * math.ceil(len(self.panels) / self.wide(columns)) + self.around


def control_places(arms: Iterable[ArmGains]) -> dict[str, int]:
    """The place of every control of these configurations among the colours of series and
    markers.
    """
    names = dict.fromkeys(name for arm in arms for name in arm)
    others = (name for name in names if name not in CONTROLS)
    known = {name: place for name, place in CONTROLS.items() if name in names}
    return known | dict(zip(others, cycle(FURTHER), strict=False))


def row_name(name: str, arm: ArmGains) -> str:
    """What a row of gains is called: a control, as no configuration that is asked about, says
    so.
    """
    return f"{name} (control)" if arm[NONE].cell.is_control else name


def name_score(axes: Axes, score: str) -> None:
    """Write a score in percent beside its axis."""
    axes.set_ylabel(f"{score} (%)", fontsize=7)
    axes.margins(x=0.08)


def draw_blocks(
    blocks: Sequence[ChartBlock], columns: int, how_to_read: str, empty: tuple[str, str] = ("", "")
) -> Figure:
    """The figure of some tables, those of them that have a panel.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which it fills.
    how_to_read : str
        Its label, for a caption.
    empty : (str, str)
        Where no table may have a panel: what a figure needs, and a hint.

    Raises
    ------
    InputError
        Where none has.
    """
    if not any(block.panels for block in blocks):
        rule, hint = empty
        raise InputError(rule, value=f"none in {count(len(blocks), 'table')}", hint=hint)
    blocks = [block for block in blocks if block.panels]
    heights = [block.inches(columns) for block in blocks]
    figure = new_figure(WIDTHS[columns], sum(heights))
    grid = figure.add_gridspec(len(blocks), 1, height_ratios=heights)
    places = [figure.add_subfigure(grid[at, 0]) for at in range(len(blocks))]
    for at, (place, block) in enumerate(zip(places, blocks, strict=True)):
        name_table(place, block.heading, WIDTHS[columns], alone=len(blocks) == 1)
        heights[at] += _draw_block(place, block, columns)
    grid.set_height_ratios(heights)
    figure.set_figheight(sum(heights))
    figure.set_label(how_to_read)
    return figure


def name_table(place: FigureBase, heading: str, inches: float, *, alone: bool) -> None:
    """Write the heading of a table that is leaky, transductive or one of several; of another it is
    for a caption.
    """
    if not alone or heading.startswith((LEAKY, TRANSDUCTIVE)):
        place.suptitle(wrapped(plotted(heading), inches), fontsize=8)


def _draw_block(place: SubFigure, block: ChartBlock, columns: int) -> float:
    """Draw the panels and the legend; inches that the legend needs beyond what a block has round
    its panels.
    """
    width = WIDTHS[columns]
    wide = block.wide(columns)
    n = len(block.panels)
    shared = bool(block.rows)
    shape = math.ceil(n / wide), wide
    panels: list[Axes] = list(
        place.subplots(*shape, squeeze=False, sharex=shared, sharey=shared).ravel()
    )
    entries: dict[str, Any] = {}
    for axes, panel in zip(panels, block.panels, strict=False):
        entries |= panel.draw(axes)
        lines = (
            wrapped(plotted(line), block.room(columns) / wide - 0.4, 7) for line in panel.title
        )
        axes.set_title("\n".join(lines), fontsize=7)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.25, axis="x" if shared else "both")
    for axes in panels[n:]:
        axes.set_axis_off()
    if shared:
        names = [
            "\n".join(textwrap.wrap(plotted(name), LETTERS[columns])) for name, _ in block.rows
        ]
        panels[0].set_yticks([y for _, y in block.rows], names)
        # A mark at the name would touch the texts inside.
        panels[0].tick_params(axis="y", length=0)
    for axes in panels[max(0, n - wide) : n]:
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel(wrapped(block.along, block.room(columns) / wide - 0.4, 7), fontsize=7)
    if block.up:
        place.supylabel(block.up, fontsize=7)
    if entries:
        shown = [wrapped(plotted(name), width / columns - 0.5, 7) for name in entries]
        ncols = legend_columns(width, [line for name in shown for line in name.splitlines()])
        place.legend(
            entries.values(),
            shown,
            loc="outside lower center",
            ncols=ncols,
            fontsize=7,
            frameon=False,
        )
        return max(0.0, LINE * sum(len(name.splitlines()) for name in shown) / ncols - LEGEND)
    return 0.0
