"""Pictures: the map of a split, of a scene or of every place of a set of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import HELD_OUT, LEFT_OUT, NO_DATA, TRAIN, class_colours, class_names_shown
from hsiaug.base.text import plotted
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.report.figures.class_labels import label_classes
from hsiaug.report.figures.files import LEGEND, WIDTHS, legend_columns, new_figure, wrapped
from hsiaug.report.labels import left_out
from hsiaug.report.scenes.split_roles import ROLES, split_roles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

__all__ = ["split_figure"]

TINTS = (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)
"""Colours of ROLES."""

ACROSS = 3
"""Places side by side in one column of a page, of a set of many."""
HIGHEST = 7.0
"""Inches of a map: a scene may be a long strip."""


def split_figure(data: Scene | PairSet, split: Split | TileSplit, columns: int = 2) -> Figure:
    """Two maps of the scene, or of each place: the classes, and who is train, test, left out or unlabelled.

    columns: of a page with two, which the figure fills.
    """
    names = ["unlabelled", *map(plotted, class_names_shown(data.class_names))]
    classes = list(zip(names, _class_colours(len(data.class_names)), strict=True))
    roles = split_roles(split)
    if isinstance(split, Split):
        return _draw_scene(split, roles, data.name, classes, columns)
    return _draw_places(split, roles, data.name, classes, columns)


def _draw_scene(
    split: Split, roles: Sequence[NDArray[np.uint8]], name: str, classes: Sequence[tuple[str, str]], columns: int
) -> Figure:
    """The two maps, side by side, or one below the other in one column; their legends below."""
    height, width = split.labels.shape
    side = WIDTHS[columns] / columns - 0.1
    names = [left_out(split.audit.protocol, split.audit.buffer) if role == "left out" else role for role in ROLES]
    entries = _counted(names, roles)
    below = 0.17 * math.ceil(len(entries) / _ncols(side, entries)) + 0.4
    ncols = _ncols(WIDTHS[columns], classes)
    maps = (min(HIGHEST, side * height / width) + 0.4) * (1 if columns == 2 else 2)
    figure = new_figure(WIDTHS[columns], maps + below + 0.17 * math.ceil(len(classes) / ncols) + 0.2)
    left, right = figure.subplots(*((1, 2) if columns == 2 else (2, 1)))
    audit = split.audit
    leaky = " (LEAKY)" if audit.leaky else ""
    said = f"{audit.protocol}{leaky}, draw {split.seed}, patch {split.patch}"
    shown: list[tuple[NDArray[np.integer], Sequence[str]]] = [
        (split.labels, [colour for _, colour in classes]),
        (roles[0], TINTS),
    ]
    for panel, (ids, colours), title in zip((left, right), shown, (f"{name}: labels", said), strict=True):
        _show(panel, ids, colours)
        panel.set_title(wrapped(plotted(title), side), fontsize=8)
    label_classes(left, split.labels, len(classes) - 1)
    bottom: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 0.3}
    right.legend(handles=_patches(entries), ncols=_ncols(side, entries), **bottom, **LEGEND)
    overlap = (
        f"{audit.centre_overlap_percent} % of test pixels lie in a training patch; "
        f"{audit.patch_overlap_percent} % have a patch that meets one"
    )
    right.set_xlabel(wrapped(overlap, side, 7), labelpad=66 * (below - 0.3), fontsize=7)
    figure.legend(handles=_patches(classes), loc="outside lower center", ncols=ncols, **LEGEND)
    return figure


def _ncols(inches: float, entries: Sequence[tuple[str, str]]) -> int:
    return legend_columns(inches, [name for name, _ in entries])


def _draw_places(
    split: TileSplit,
    roles: Sequence[NDArray[np.uint8]],
    name: str,
    classes: Sequence[tuple[str, str]],
    columns: int,
) -> Figure:
    """Both maps of each place one below the other, at most ACROSS places side by side; one legend."""
    places, width = split.pairs.places, WIDTHS[columns]
    wide = min(ACROSS * columns, len(places))
    down = math.ceil(len(places) / wide)
    side = min(width / wide, width / 2)
    handles = [*classes, *_counted(ROLES, roles)[1:]]
    ncols = _ncols(width, handles)
    figure = new_figure(width, 2 * (side + 0.1) * down + 0.17 * math.ceil(len(handles) / ncols) + 0.6)
    panels = np.reshape(figure.subplots(2 * down, wide), (2 * down, wide))
    for axes in panels.flat:
        axes.set_axis_off()
    for i, place in enumerate(places):
        row, column = 2 * (i // wide), i % wide
        _show(panels[row, column], place.mask, [colour for _, colour in classes])
        label_classes(panels[row, column], place.mask, len(classes) - 1)
        _show(panels[row + 1, column], roles[i], TINTS)
        panels[row, column].set_title(wrapped(plotted(place.name), side, 7), fontsize=7)
    tiles = f"tiles of {split.patch}×{split.patch}"
    title = wrapped(plotted(f"{name}: {split.audit.protocol}, draw {split.seed}, {tiles}"), width)
    figure.suptitle(title, fontsize=8)
    figure.legend(handles=_patches(handles), loc="outside lower center", ncols=ncols, **LEGEND)
    return figure


def _show(axes: Axes, ids: NDArray[np.integer], colours: Sequence[str]) -> None:
    """(H, W) numbers as their colours."""
    from matplotlib.colors import ListedColormap

    axes.imshow(
        ids, cmap=ListedColormap(list(colours)), vmin=-0.5, vmax=len(colours) - 0.5, interpolation="nearest"
    )
    axes.set_xticks([])
    axes.set_yticks([])


def _counted(names: Sequence[str], roles: Sequence[NDArray[np.uint8]]) -> list[tuple[str, str]]:
    """``train: 200`` and its colour, for every role."""
    counts = np.bincount(np.concatenate([one.ravel() for one in roles]), minlength=len(names))
    return [(f"{name}: {n:,}", tint) for name, n, tint in zip(names, counts, TINTS, strict=True)]


def _patches(entries: Sequence[tuple[str, str]]) -> list[Patch]:
    """A legend of names with their colours."""
    from matplotlib.patches import Patch

    return [Patch(facecolor=colour, label=name) for name, colour in entries]


def _class_colours(classes: int) -> list[str]:
    """Of no label, then of every class."""
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in class_colours(classes).tolist()]
