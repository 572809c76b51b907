"""The map of suggestions: where to go, and what the committee disagrees on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.colours import true_colours
from hsiaug.base.text import plotted
from hsiaug.core.scene import UnlabelledScene
from hsiaug.quality.maps import map_figure, picture_step
from hsiaug.report.figures.files import WIDTHS, wrapped
from hsiaug.suggest.picks import Suggestions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["suggestions_figure"]

LEARNT, WANTED = "#35d0ff", "#ffd400"


def suggestions_figure(found: Suggestions, scene: UnlabelledScene, title: str, columns: int = 2) -> Figure:
    """The scene with numbered picks and the pixels that were learnt from; and the committee's disagreement with the same
    numbers. columns: of a page with two, which the figure fills.
    """
    step = picture_step(scene.shape)
    colours = true_colours(scene.cube, scene.wavelengths, step)
    figure, (left, right) = map_figure(colours.shape[:2], 2, columns, below=0.3)
    side = WIDTHS[columns] / columns - 0.2
    left.imshow(np.where(found.known[::step, ::step, None], _rgb(LEARNT), colours), interpolation="nearest")
    left.set_title(wrapped(plotted(title), side), fontsize=8)
    said = f"blue: {int(found.known.sum()):,} pixels whose labels are known; numbers: label these"
    left.set_xlabel(wrapped(said, side, 7), fontsize=7)
    shown = right.imshow(found.uncertainty[::step, ::step], cmap="magma", vmin=0, vmax=1, interpolation="nearest")
    right.set_title(f"disagreement of {len(found.members)} classifiers", fontsize=8)
    bar = figure.colorbar(shown, ax=right, shrink=0.9, location="bottom", aspect=30, pad=0.02)
    bar.set_label("entropy of their votes", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    for panel in (left, right):
        panel.set_anchor("N")
        _number(panel, found, step)
    return figure


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


def _number(panel: Axes, found: Suggestions, step: int) -> None:
    """A ring round each pick, and its rank beside it."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2, foreground="black")]
    for pick in found.picks:
        x, y = pick.column / step, pick.row / step
        panel.plot(x, y, "o", ms=5, mfc="none", mec=WANTED, mew=1.1, path_effects=halo)
        panel.annotate(
            str(pick.rank), (x, y), xytext=(4, 4), textcoords="offset points", color=WANTED, fontsize=7,
            fontweight="bold", path_effects=halo,
        )  # fmt: skip
