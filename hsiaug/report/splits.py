"""A split of train and test: its tables (pixels by class, tiles by place, what the audit says of
them), and its map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from hsiaug.base.arrays import class_counts
from hsiaug.base.colours import class_colours
from hsiaug.base.text import plotted
from hsiaug.protocol.audit import MIN_TEST_PIXELS, Audit
from hsiaug.report.figures.charts import name_table
from hsiaug.report.figures.files import WIDTHS, class_legend, legend_columns, new_figure, wrapped
from hsiaug.report.formatting import tagged
from hsiaug.report.ground_truth import ROLES, TINTS, split_roles
from hsiaug.report.output_files import TableFiles
from hsiaug.report.section import Frame, Section
from hsiaug.tasks.types import TaskData, TaskSplit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 6
"""Places side by side, of a set of many."""
HIGHEST = 7.0
"""Inches of a map: a scene may be a long strip."""


def split_tables(data: TaskData, drawn: TaskSplit) -> TableFiles:
    """The tables of a split; rows: one per class, in counts of pixels; value: the audit."""
    audit = drawn.audit
    names = dict(enumerate(data.class_names, start=1))
    labels = np.concatenate([mask.ravel() for mask, _, _ in drawn.sides])
    labelled = class_counts(labels, len(names))
    keys = ("class", "name", "labelled", "train", "test", "in_new_fields")
    counts = zip(
        names,
        names.values(),
        labelled,
        audit.train_counts,
        audit.test_counts,
        audit.new_counts or (),
        strict=True,
    )
    rows = [dict(zip(keys, row, strict=True)) for row in counts]
    by_class = DataFrame(rows).rename(columns=lambda key: key.replace("_", " ")).astype(str)
    frames = [Frame("Labelled pixels by class", by_class.set_index(["class", "name"]))]
    if drawn.tiles_by_place:
        header = ["place", "part", "training tiles", "test tiles"]
        by_place = DataFrame(drawn.tiles_by_place, columns=header).astype(str)
        frames.append(Frame("Tiles by place", by_place.set_index(header[:2])))
    title = f"{data.name}, {audit.protocol}, split {drawn.seed}"
    notes = (tagged(drawn.overlap, audit.leaky), *_remarks(audit, names))
    return TableFiles(
        "split", [Section(title, frames=tuple(frames), closing=notes)], rows, audit.as_json()
    )


def split_masks(drawn: TaskSplit) -> dict[str, NDArray[np.int16]]:
    """``train`` and ``test`` (H, W), of several places ``train_1``, …: class ids of either side, 0
    elsewhere.
    """
    masks: dict[str, NDArray[np.int16]] = {}
    for i, (labels, test, train) in enumerate(drawn.sides, start=1):
        place = "" if len(drawn.sides) == 1 else f"_{i}"
        for name, side in (("train", train), ("test", test)):
            masks[f"{name}{place}"] = np.where(side, labels, 0).astype(np.int16)
    return masks


def _remarks(audit: Audit, names: dict[int, str]) -> list[str]:
    """Pixels of either side, those in fields with training pixels, and classes that lack some."""
    seen = sum(audit.seen_counts or ())
    where = (
        "places with training tiles" if audit.fields == "places" else "fields with training pixels"
    )
    few = [f"{names[c]} ({audit.test_counts[c - 1]})" for c in audit.thin_classes]
    lacking = {
        "no test pixel": [names[c] for c in audit.lost_classes],
        f"fewer than {MIN_TEST_PIXELS} test pixels": few,
        "no training pixel": [names[c] for c in audit.untrained_classes],
    }
    return [
        f"{audit.n_train} training, {audit.n_test} test pixels, {audit.n_buffered} left out"
        f" (buffer {audit.buffer})",
        f"{100 * seen / max(1, audit.n_test):.1f} % of test pixels are in {where}",
        *(f"{what}: {', '.join(classes)}" for what, classes in lacking.items() if classes),
        *audit.notes,
    ]


def split_figure(data: TaskData, split: TaskSplit) -> Figure:
    """Two maps of the scene, or of each place: the classes, and who is train, test, left out or
    unlabelled.
    """
    masks = [labels for labels, _, _ in split.sides]
    places = [name for name, *_ in split.tiles_by_place] or [""]
    roles, width = split_roles(split), WIDTHS[2]
    colours = class_colours(len(data.class_names))
    tints = np.array(TINTS, dtype=np.uint8)
    names = [*map(plotted, data.class_names), *_counted(split, roles)]
    ncols = legend_columns(width, names)
    beside = len(masks) == 1
    wide = 2 if beside else min(ACROSS, len(masks))
    deep = 1 if beside else 2 * math.ceil(len(masks) / wide)
    side = min(width / wide, 3.5) - 0.1
    shape = max(mask.shape[0] / mask.shape[1] for mask in masks)
    height = deep * (min(HIGHEST, side * shape) + 0.3)
    figure = new_figure(width, height + 0.17 * math.ceil(len(names) / ncols) + 0.35)
    heading = tagged(f"{split.audit.protocol}, split {split.seed}", split.audit.leaky)
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
