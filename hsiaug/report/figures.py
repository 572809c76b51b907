"""Pictures: the map of a split, of a scene or of every place of a set of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.colours import HELD_OUT, LEFT_OUT, NO_DATA, TRAIN, class_colours, class_names_shown
from hsiaug.files import write_whole
from hsiaug.pairs import PairSet
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.report.class_labels import label_classes
from hsiaug.report.labels import left_out
from hsiaug.report.split_roles import ROLES, split_roles
from hsiaug.scene import Scene
from hsiaug.text import plotted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

__all__ = ["save_split_map"]

TINTS = (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)
"""Colours of ROLES."""

ACROSS = 6
"""Places side by side, of a set of many."""


def save_split_map(data: Scene | PairSet, split: Split | TileSplit, path: Path) -> None:
    """A PNG of two maps of the scene, or of each place: the classes, and who is train, test, left out or unlabelled.

    Raises InputError where it cannot be written.
    """
    names = ["unlabelled", *map(plotted, class_names_shown(data.class_names))]
    classes = list(zip(names, _class_colours(len(data.class_names)), strict=True))
    roles = split_roles(split)
    if isinstance(split, Split):
        figure = _draw_scene(split, roles, data.name, classes)
    else:
        figure = _draw_places(split, roles, data.name, classes)
    write_whole(path, lambda fresh: figure.savefig(fresh, dpi=120, format="png"))


def _draw_scene(
    split: Split, roles: Sequence[NDArray[np.uint8]], name: str, classes: Sequence[tuple[str, str]]
) -> Figure:
    """The two maps side by side, each with its legend."""
    height, width = split.labels.shape
    figure = _figure(13, max(4.5, 5.5 * height / width))
    left, right = figure.subplots(1, 2)
    _show(left, split.labels, [colour for _, colour in classes])
    label_classes(left, split.labels, len(classes) - 1)
    left.set_title(plotted(f"{name}: labels"))
    beside: dict[str, Any] = {"loc": "center right", "bbox_to_anchor": (-0.02, 0.5)}
    left.legend(handles=_patches(classes), fontsize=8, frameon=False, **beside)
    _show(right, roles[0], TINTS)
    audit = split.audit
    leaky = " (LEAKY)" if audit.leaky else ""
    right.set_title(plotted(f"{audit.protocol}{leaky}, draw {split.seed}, patch {split.patch}"))
    names = [left_out(audit.protocol, audit.buffer) if role == "left out" else role for role in ROLES]
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02)}
    right.legend(
        handles=_patches(_counted(names, roles)), ncols=4, fontsize=7, columnspacing=1, frameon=False, **below
    )
    right.set_xlabel(
        f"{audit.centre_overlap_percent} % of test pixels lie in a training patch;\n"
        f"{audit.patch_overlap_percent} % have a patch that meets one",
        labelpad=24,
        fontsize=9,
    )
    return figure


def _draw_places(
    split: TileSplit, roles: Sequence[NDArray[np.uint8]], name: str, classes: Sequence[tuple[str, str]]
) -> Figure:
    """Both maps of each place one below the other, at most ACROSS places side by side; one legend."""
    places = split.pairs.places
    across = min(ACROSS, len(places))
    down = math.ceil(len(places) / across)
    side = 4.5 if across < 3 else 2.2
    figure = _figure(max(7.0, side * across), 2 * side * down + 1.5)
    panels = np.reshape(figure.subplots(2 * down, across), (2 * down, across))
    for axes in panels.flat:
        axes.set_axis_off()
    for i, place in enumerate(places):
        row, column = 2 * (i // across), i % across
        _show(panels[row, column], place.mask, [colour for _, colour in classes])
        label_classes(panels[row, column], place.mask, len(classes) - 1)
        _show(panels[row + 1, column], roles[i], TINTS)
        panels[row, column].set_title(place.name, fontsize=9)
    tiles = f"tiles of {split.patch}×{split.patch}"
    figure.suptitle(plotted(f"{name}: {split.audit.protocol}, draw {split.seed}, {tiles}"))
    handles = [*_patches(classes), *_patches(_counted(ROLES, roles))[1:]]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, which no window shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
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
