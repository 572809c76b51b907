"""Pictures: the map of a split, of a scene or of every place of a set of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours
from hsiaug.base.text import plotted
from hsiaug.report.figures.charts import name_table
from hsiaug.report.figures.files import WIDTHS, class_legend, legend_columns, new_figure, wrapped
from hsiaug.report.scenes.ground_truth import ROLES, TINTS, split_roles
from hsiaug.tasks.task import TaskData, TaskSplit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 6
"""Places side by side, of a set of many."""
HIGHEST = 7.0
"""Inches of a map: a scene may be a long strip."""


def split_figure(data: TaskData, split: TaskSplit) -> Figure:
    """Two maps of the scene, or of each place: the classes, and who is train, test, left out or unlabelled."""
    masks = [labels for labels, _, _ in split.sides]
    places = [name for name, *_ in split.tiles_by_place] or [""]
    roles, width = split_roles(split), WIDTHS[2]
    colours, tints = class_colours(len(data.class_names)), np.array(TINTS, dtype=np.uint8)
    names = [*map(plotted, data.class_names), *_counted(split, roles)]
    ncols = legend_columns(width, names)
    beside = len(masks) == 1
    wide = 2 if beside else min(ACROSS, len(masks))
    deep = 1 if beside else 2 * math.ceil(len(masks) / wide)
    side = min(width / wide, 3.5) - 0.1
    shape = max(mask.shape[0] / mask.shape[1] for mask in masks)
    height = deep * (min(HIGHEST, side * shape) + 0.3)
    figure = new_figure(width, height + 0.17 * math.ceil(len(names) / ncols) + 0.35)
    heading = "LEAKY: " * split.audit.leaky + f"{split.audit.protocol}, draw {split.seed}"
    name_table(figure, heading, width, alone=True)
    panels = np.reshape(figure.subplots(deep, wide), (deep, wide))
    for panel in panels.flat:
        panel.set_axis_off()
    for i, (mask, role, place) in enumerate(zip(masks, roles, places, strict=True)):
        row, column = 2 * (i // wide), i % wide
        below = (0, 1) if beside else (row + 1, column)
        panels[row, column].imshow(colours[mask], interpolation="nearest")
        panels[below].imshow(tints[role], interpolation="nearest")
        panels[row, column].set_title(wrapped(plotted(place), side, 7), fontsize=7)
    class_legend(figure, [*colours[1:], *tints], names, loc="outside lower center", ncols=ncols)
    return figure


def _counted(split: TaskSplit, roles: Sequence[NDArray[np.uint8]]) -> list[str]:
    """``train: 200`` for every role."""
    counts = np.bincount(np.concatenate([one.ravel() for one in roles]), minlength=len(ROLES))
    return [
        f"{'neither train nor test' if role == 'left out' else role}: {n:,}"
        for role, n in zip(ROLES, counts, strict=True)
    ]
