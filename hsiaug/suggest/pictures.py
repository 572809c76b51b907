"""The map of suggestions: where to go, and what the committee disagrees on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.colours import true_colours
from hsiaug.files import write_whole
from hsiaug.quality.maps import map_figure, picture_step
from hsiaug.scene import UnlabelledScene
from hsiaug.suggest.picks import Suggestions
from hsiaug.text import plotted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["save_suggestions_map"]

SHRUNK = 0.65
"""Of a map's usual size: numbers have to be read beside a picture that is coarse."""
LEARNT, WANTED = "#35d0ff", "#ffd400"


def save_suggestions_map(path: Path, found: Suggestions, scene: UnlabelledScene, title: str) -> None:
    """A PNG or PDF, by the ending: the scene with numbered picks and the pixels that were learnt from; and the
    committee's disagreement with the same numbers.

    Raises InputError where the file cannot be written.
    """
    step = picture_step(scene.shape)
    colours = true_colours(scene.cube, scene.wavelengths, step)
    figure, (left, right) = map_figure(colours.shape[:2], 2)
    across, down = figure.get_size_inches()
    figure.set_size_inches(SHRUNK * across, SHRUNK * down)
    left.imshow(np.where(found.known[::step, ::step, None], _rgb(LEARNT), colours), interpolation="nearest")
    left.set_title(plotted(title), fontsize=10)
    left.set_xlabel(
        f"blue: {int(found.known.sum()):,} pixels whose labels are known; numbers: label these", fontsize=8
    )
    shown = right.imshow(found.uncertainty[::step, ::step], cmap="magma", vmin=0, vmax=1, interpolation="nearest")
    right.set_title(f"disagreement of {len(found.members)} classifiers", fontsize=10)
    figure.colorbar(shown, ax=right, shrink=0.7, label="entropy of their votes")
    for panel in (left, right):
        _number(panel, found, step)
    kind = path.suffix.lower().removeprefix(".")
    write_whole(path, lambda fresh: figure.savefig(fresh, dpi=110, format=kind))


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


def _number(panel: Axes, found: Suggestions, step: int) -> None:
    """A ring round each pick, and its rank beside it."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2, foreground="black")]
    for pick in found.picks:
        x, y = pick.column / step, pick.row / step
        panel.plot(x, y, "o", ms=7, mfc="none", mec=WANTED, mew=1.4, path_effects=halo)
        panel.annotate(
            str(pick.rank), (x, y), xytext=(4, 4), textcoords="offset points", color=WANTED, fontsize=8,
            fontweight="bold", path_effects=halo,
        )  # fmt: skip
