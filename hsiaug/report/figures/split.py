"""Pictures: the map of a split, of a scene or of every place of a set of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import HELD_OUT, LEFT_OUT, NO_DATA, TRAIN, class_colours, class_names_shown
from hsiaug.base.text import plotted
from hsiaug.report.figures.class_labels import label_classes
from hsiaug.report.figures.files import LEGEND, WIDTHS, legend_columns, name_table, new_figure, wrapped
from hsiaug.report.labels import left_out
from hsiaug.report.scenes.ground_truth import ROLES, split_roles
from hsiaug.tasks.task import TaskData, TaskSplit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TINTS = (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)
"""Colours of ROLES."""
ACROSS = 6
"""Places side by side, of a set of many."""
HIGHEST = 7.0
"""Inches of a map: a scene may be a long strip."""


def split_figure(data: TaskData, split: TaskSplit) -> Figure:
    """Two maps of the scene, or of each place: the classes, and who is train, test, left out or unlabelled."""
    from matplotlib.patches import Patch

    masks = [labels for labels, _, _ in split.sides]
    names = [name for name, *_ in split.tiles_by_place] or [""]
    roles, width = split_roles(split), WIDTHS[2]
    colours = [
        f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in class_colours(len(data.class_names)).tolist()
    ]
    classes = list(zip(map(plotted, class_names_shown(data.class_names)), colours[1:], strict=True))
    entries = [*classes, *_counted(split, roles)]
    ncols = legend_columns(width, [name for name, _ in entries])

    beside = len(masks) == 1
    wide = 2 if beside else min(ACROSS, len(masks))
    deep = 1 if beside else 2 * math.ceil(len(masks) / wide)
    side = min(width / wide, 3.5) - 0.1
    shape = max(mask.shape[0] / mask.shape[1] for mask in masks)
    height = deep * (min(HIGHEST, side * shape) + 0.3)
    figure = new_figure(width, height + 0.17 * math.ceil(len(entries) / ncols) + 0.35)
    name_table(
        figure, "LEAKY: " * split.audit.leaky + f"{split.audit.protocol}, draw {split.seed}", width, alone=True
    )
    panels = np.reshape(figure.subplots(deep, wide), (deep, wide))
    for panel in panels.flat:
        panel.set_axis_off()
    for i, (mask, role, name) in enumerate(zip(masks, roles, names, strict=True)):
        places = ((0, 0), (0, 1)) if beside else [(2 * (i // wide) + which, i % wide) for which in (0, 1)]
        _show(panels[places[0]], mask, colours)
        label_classes(panels[places[0]], mask, len(classes))
        _show(panels[places[1]], role, TINTS)
        panels[places[0]].set_title(wrapped(plotted(name), side, 7), fontsize=7)
    handles = [Patch(facecolor=colour, label=name) for name, colour in entries]
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, **LEGEND)
    return figure


def _counted(split: TaskSplit, roles: Sequence[NDArray[np.uint8]]) -> list[tuple[str, str]]:
    """``train: 200`` and its colour, for every role."""
    neither = left_out(split.audit.protocol, split.audit.buffer)
    counts = np.bincount(np.concatenate([one.ravel() for one in roles]), minlength=len(ROLES))
    return [
        (f"{neither if role == 'left out' else role}: {n:,}", tint)
        for role, n, tint in zip(ROLES, counts, TINTS, strict=True)
    ]


def _show(axes: Axes, ids: NDArray[np.integer], colours: Sequence[str]) -> None:
    """(H, W) numbers as their colours."""
    from matplotlib.colors import ListedColormap

    axes.imshow(
        ids, cmap=ListedColormap(list(colours)), vmin=-0.5, vmax=len(colours) - 0.5, interpolation="nearest"
    )
