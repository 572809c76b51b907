"""A draw of train and test: its tables (pixels by class, tiles by place, what the audit says of
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
from hsiaug.protocol.audit import Audit
from hsiaug.report.figures.charts import name_table
from hsiaug.report.figures.files import WIDTHS, class_legend, legend_columns, new_figure, wrapped
from hsiaug.report.formatting import tagged
from hsiaug.report.ground_truth import ROLES, TINTS, split_roles
from hsiaug.report.output_files import TableFiles
from hsiaug.report.section import Section, frame_grid
from hsiaug.report.text_templates import sentences
from hsiaug.tasks.types import TaskData, TaskSplit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 6
"""Places side by side, of a set of many."""
HIGHEST = 7.0
"""Inches of a map: a scene may be a long strip."""


def split_tables(data: TaskData, drawn: TaskSplit) -> TableFiles:
    """The tables of a draw; rows: one per class, in counts of pixels; value: the audit."""
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
    grids = [frame_grid("Labelled pixels by class", by_class.set_index(["class", "name"]))]
    if drawn.tiles_by_place:
        header = ["place", "part", "training tiles", "test tiles"]
        by_place = DataFrame(drawn.tiles_by_place, columns=header).astype(str)
        grids.append(frame_grid("Tiles by place", by_place.set_index(header[:2])))
    title = f"{data.name}, {audit.protocol}, draw {drawn.seed}"
    notes = (tagged(drawn.overlap, audit.leaky), *_remarks(audit, names))
    return TableFiles(
        "split", [Section(title, tables=tuple(grids), notes=notes)], rows, audit.as_json()
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
    seen = sum(audit.seen_counts or ())
    parted = seen and sum(audit.new_counts or ())
    lacking = {"new": audit.no_new_classes, "seen": audit.no_seen_classes} if parted else {}
    return sentences(
        "split.txt",
        audit=audit,
        names=names,
        seen=seen,
        share=f"{100 * seen / audit.n_test:.1f}",
        lacking={kind: [names[c] for c in missing] for kind, missing in lacking.items()},
    )


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
    heading = tagged(f"{split.audit.protocol}, draw {split.seed}", split.audit.leaky)
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
