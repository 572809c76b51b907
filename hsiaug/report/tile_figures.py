"""Pictures: the map of a split of the dense tasks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.tiling import TileSplit
from hsiaug.report.figures import ROLES, class_colours, save_png

__all__ = ["save_tile_map"]

ACROSS = 6
"""Places side by side, of a set of many."""


def save_tile_map(split: TileSplit, path: Path) -> None:
    """A PNG of two maps for each place, one below the other: its mask, and who is train, test, left out or unlabelled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    pairs, audit = split.pairs, split.audit
    across = min(ACROSS, len(pairs.places))
    down = math.ceil(len(pairs.places) / across)
    side = 4.5 if across < 3 else 2.2
    figure = Figure(figsize=(max(7.0, side * across), 2 * side * down + 1.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = np.reshape(figure.subplots(2 * down, across), (2 * down, across))
    for axes in panels.flat:
        axes.set_axis_off()
    names = ["unlabelled", *pairs.class_names]
    colours = class_colours(len(pairs.class_names))
    tints = [colour for _, colour in ROLES]
    total = np.zeros(len(ROLES), dtype=np.int64)
    for i, place in enumerate(pairs.places):
        roles = _roles(split, i)
        total += np.bincount(roles.ravel(), minlength=len(ROLES))
        row, column = 2 * (i // across), i % across
        for axes, values, listed in (
            (panels[row, column], place.mask, colours),
            (panels[row + 1, column], roles, tints),
        ):
            axes.imshow(
                values, cmap=ListedColormap(listed), vmin=-0.5, vmax=len(listed) - 0.5, interpolation="nearest"
            )
        panels[row, column].set_title(place.name, fontsize=9)
    figure.suptitle(f"{pairs.name}: {audit.protocol}, draw {split.seed}, tiles of {split.patch}×{split.patch}")
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(names, colours, strict=True)]
    handles += [
        Patch(facecolor=c, label=f"{name.partition(' (')[0]}: {total[i]:,}")
        for i, (name, c) in enumerate(ROLES)
        if i
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    save_png(figure, path)


def _roles(split: TileSplit, place: int) -> NDArray[np.int64]:
    """(H, W) numbers of ROLES: 0 unlabelled, 1 left out, 2 test, 3 train."""
    labelled = split.pairs.places[place].mask > 0
    tested = np.where(labelled & split.tested[place], 2, labelled.astype(np.int64))
    return np.where(labelled & split.trained[place], 3, tested)
