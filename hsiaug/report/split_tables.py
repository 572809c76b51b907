"""A draw of train and test as tables: pixels by class, tiles by place, and what the audit says of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.large_classes import FEWEST
from hsiaug.protocol.split import Audit, class_counts
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.output_files import TableFiles
from hsiaug.report.text_templates import sentences
from hsiaug.tasks.task import TaskData, TaskSplit


def split_tables(data: TaskData, drawn: TaskSplit) -> TableFiles:
    """The tables of a draw; rows: one per class, in counts of pixels; value: the audit."""
    audit = drawn.audit
    names = dict(enumerate(data.class_names, start=1))
    labels = np.concatenate([mask.ravel() for mask, _, _ in drawn.sides])
    labelled = class_counts(labels, len(names))
    keys = ("class", "name", "labelled", "train", "test", "in_new_fields")
    counts = zip(
        names, names.values(), labelled, audit.train_counts, audit.test_counts, audit.new_counts, strict=True
    )
    rows = [dict(zip(keys, row, strict=True)) for row in counts]
    header = tuple(key.replace("_", " ") for key in keys)
    grids = [text_grid("Labelled pixels by class", header, [tuple(map(str, row.values())) for row in rows], 2)]
    if drawn.tiles_by_place:
        places = [tuple(map(str, row)) for row in drawn.tiles_by_place]
        grids.append(text_grid("Tiles by place", ("place", "part", "training tiles", "test tiles"), places, 2))
    title = f"{data.name}, {audit.protocol}, draw {drawn.seed}"
    notes = (f"{'LEAKY: ' if audit.leaky else ''}{drawn.overlap}", *_remarks(audit, names))
    return TableFiles("split", [ReportPage(title, grids=tuple(grids), notes=notes)], rows, audit.as_json())


def split_masks(drawn: TaskSplit) -> dict[str, NDArray[np.int16]]:
    """``train`` and ``test`` (H, W), of several places ``train_1``, …: class ids of either side, 0 elsewhere."""
    masks: dict[str, NDArray[np.int16]] = {}
    for i, (labels, test, train) in enumerate(drawn.sides, start=1):
        place = "" if len(drawn.sides) == 1 else f"_{i}"
        for name, side in (("train", train), ("test", test)):
            masks[f"{name}{place}"] = np.where(side, labels, 0).astype(np.int16)
    return masks


def _remarks(audit: Audit, names: dict[int, str]) -> list[str]:
    seen = sum(audit.seen_counts)
    parted = seen and sum(audit.new_counts)
    lacking = {"new": audit.no_new_classes, "seen": audit.no_seen_classes} if parted else {}
    return sentences(
        "split.txt",
        audit=audit,
        names=names,
        seen=seen,
        share=f"{100 * seen / audit.n_test:.1f}",
        fewest=FEWEST,
        lacking={kind: [names[c] for c in missing] for kind, missing in lacking.items()},
    )
