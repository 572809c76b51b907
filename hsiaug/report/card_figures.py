"""The verdict as a card: the scene, one sentence, and for every generator and classifier a sign and an interval."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hsiaug.colours import TONES, true_colours
from hsiaug.errors import InputError
from hsiaug.report.figure_files import new_figure
from hsiaug.report.findings import FINDINGS, headline
from hsiaug.report.ground_truth import MOST_VALUES, NoGroundTruthError, local_ground_truth
from hsiaug.report.labels import signed
from hsiaug.report.tables import Report, Table
from hsiaug.report.verdict_grid import SIGNS, Shown, generators_of, grid_note, hardest, shown_arms
from hsiaug.scene import Scene
from hsiaug.text import plotted, visible
from hsiaug.trial.arm import Method

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import NDArray

__all__ = ["card_figure"]

WIDTH, TOP, ROW, FOOT = 7.2, 1.25, 0.3, 0.75
"""Inches: of the card, of its head, of a generator, and of the axis and the note below."""
SIDE = 160
"""Pixels of the longer side of the picture of the scene."""
Cells = Mapping[tuple[Method, Method], Shown]


def card_figure(report: Report) -> Figure:
    """A card per table, one below the other; the picture of a scene is there where the scene lies on this machine.

    Raises InputError where nothing but controls was run.
    """
    shown = [(table, cells) for table in report.tables if (cells := shown_arms(table))]
    if not shown:
        raise InputError(
            "a card needs a generator beside the controls",
            value=f"{len(report.tables)} tables",
            hint="Run a benchmark with --generator smote, for example.",
        )
    heights = [TOP + ROW * len(generators_of(cells)) + FOOT for _, cells in shown]
    figure = new_figure(WIDTH, sum(heights))
    places = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (table, cells) in zip(places, shown, strict=True):
        _card(place, table, cells)
    return figure


def _card(place: SubFigure, table: Table, cells: Cells) -> None:
    rows = ROW * len(generators_of(cells)) + FOOT
    head, body = place.subfigures(2, 1, height_ratios=[TOP, rows], squeeze=False)[:, 0]
    left, right = head.subplots(1, 2, width_ratios=[1, 5])
    for panel in (left, right):
        panel.set_axis_off()
    picture = _scene(table)
    if picture is not None:
        left.imshow(picture)
    right.text(0, 0.95, plotted(table.heading), fontsize=8, color="0.35", va="top", wrap=True)
    right.text(0, 0.68, _wrapped(headline(table), 72), fontsize=10.5, fontweight="bold", va="top")
    panels = body.subplots(1, len(table.classifiers), sharey=True, sharex=True, squeeze=False)[0]
    for panel, classifier in zip(panels, table.classifiers, strict=True):
        _draw(panel, table, cells, classifier)
    body.supxlabel(f"Δ{table.scores.main.name} (points)\n{_wrapped(grid_note(table), 125)}", fontsize=7)


def _wrapped(sentences: str, letters: int) -> str:
    """Sentences of ours, whole, as matplotlib shall draw them: no formula between dollar signs."""
    return "\n".join(textwrap.wrap(visible(sentences).replace("$", r"\$"), letters))


def _draw(panel: Axes, table: Table, cells: Cells, classifier: Method) -> None:
    generators = generators_of(cells)
    panel.axvline(0, color="0.4", linewidth=0.8)
    for y, generator in enumerate(generators):
        shown = cells.get((generator, classifier))
        found = hardest(shown.gain) if shown else None
        if shown is None or shown.gain.verdict is None or found is None:
            panel.text(0, y, "? ", fontsize=10, ha="center", va="center", color=TONES[""])
            continue
        control, comparison = found
        finding, test = shown.gain.verdict.finding, comparison.main
        colour = TONES[FINDINGS[finding].tone]
        low, high = test.interval or (test.mean, test.mean)
        panel.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=2.5, alpha=0.55, solid_capstyle="butt")
        panel.plot([100 * test.mean], [y], "o", color=colour, markersize=4)
        text = f"{SIGNS[finding]} {signed(test.mean)} over {control}"
        panel.annotate(
            text, (100 * test.mean, y), (0, 5), textcoords="offset points", fontsize=7, ha="center", color=colour
        )
    panel.set_yticks(range(len(generators)), [plotted(table.labels[g]) for g in generators], fontsize=8)
    panel.set_ylim(len(generators) - 0.5, -0.8)
    panel.tick_params(axis="x", labelsize=7)
    panel.set_title(plotted(table.labels[classifier]), fontsize=9)
    panel.grid(axis="x", alpha=0.2)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)


def _scene(table: Table) -> NDArray[np.uint8] | None:
    """(h, w, 3) uint8 of the scene; None where it is not here, or shows no colours."""
    try:
        data = local_ground_truth(table.trials, {}, MOST_VALUES).data
    except NoGroundTruthError:
        return None
    if not isinstance(data, Scene):
        return None
    return true_colours(data.cube, data.wavelengths, -(-max(data.shape) // SIDE))
