"""A draw of train and test as tables: pixels by class, tiles by place, and what the audit says of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.large_classes import FEWEST
from hsiaug.protocol.split import Audit, class_counts
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.labels import left_out
from hsiaug.report.output_files import TableFiles
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


def _remarks(audit: Audit, names: dict[int, str]) -> Iterator[str]:
    """Pixels of either side, those in seen fields, and the classes that lack some."""
    buffer = "" if audit.buffer == "none" else f" ({audit.buffer})"
    why = left_out(audit.protocol, audit.buffer)
    yield f"{audit.n_train} train, {audit.n_test} test, {audit.n_buffered} labelled pixels {why}{buffer}"
    seen, places = sum(audit.seen_counts), audit.fields == "places"
    where = (
        "in a place that holds training tiles"
        if places
        else f"in a field that holds training pixels, the others in new fields ({audit.fields})"
    )
    yield f"{seen} of {audit.n_test} test pixels ({100 * seen / audit.n_test:.1f} %) lie {where}"
    thin = ", ".join(f"{names[c]} ({audit.test_counts[c - 1]})" for c in audit.thin_classes)
    yield from (f"no test pixel: {names[c]}" for c in audit.lost_classes)
    yield from [f"fewer than {FEWEST} test pixels: {thin}"] if thin else []
    yield from (f"no training pixel: {names[c]}" for c in audit.untrained_classes)
    if seen and sum(audit.new_counts):
        for kind, missing in (("new", audit.no_new_classes), ("seen", audit.no_seen_classes)):
            if missing:
                listed = ", ".join(names[c] for c in missing)
                yield f"no test pixel in {kind} {'places' if places else 'fields'}: {listed}"
    yield from audit.notes
