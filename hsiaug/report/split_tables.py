"""A draw of train and test as tables: pixels by class, tiles by place, and what the audit says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.protocol.split import Audit, Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.labels import left_out
from hsiaug.report.output_files import TableFiles

__all__ = ["split_masks", "split_tables"]


def split_tables(data: Scene | PairSet, drawn: Split | TileSplit) -> TableFiles:
    """The tables of a draw; rows: one per class, in counts of pixels; value: the audit."""
    audit = drawn.audit
    if isinstance(data, Scene) and isinstance(drawn, Split):
        rows, grids, shared = _pixels(data, drawn)
        names = {c: data.class_names[c - 1] for c in data.class_ids}
    else:
        assert isinstance(drawn, TileSplit)
        rows, grids, shared = _tiles(drawn)
        names = dict(enumerate(data.class_names, start=1))
    title = f"{data.name}, {audit.protocol}, draw {drawn.seed}"
    leak = f"{'LEAKY: ' if audit.leaky else ''}{shared}"
    notes = (leak, *_remarks(audit, names))
    made = [text_grid(f"{what} by {by}", header, texts, 2) for what, by, header, texts in grids]
    return TableFiles("split", [ReportPage(title, grids=tuple(made), notes=notes)], rows, audit.as_json())


def split_masks(drawn: Split) -> Mapping[str, NDArray[np.int16]]:
    """``train`` and ``test`` (H, W): the class ids of the pixels of either side, 0 elsewhere."""
    return {
        "train": np.where(drawn.train, drawn.labels, 0).astype(np.int16),
        "test": np.where(drawn.test, drawn.labels, 0).astype(np.int16),
    }


NamedTable = tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]
"""What is counted, by what, header and rows."""
Tables = tuple[list[dict[str, Any]], list[NamedTable], str]
"""Rows of the CSV; the tables; how much train and test share."""


def _pixels(scene: Scene, drawn: Split) -> Tables:
    audit = drawn.audit
    counts = zip(
        scene.class_ids,
        scene.class_names,
        scene.class_counts,
        audit.train_counts,
        audit.test_counts,
        audit.new_counts,
        strict=True,
    )
    keys = ("class", "name", "labelled", "train", "test", "in_new_fields")
    rows = [dict(zip(keys, row, strict=True)) for row in counts]
    header = tuple(key.replace("_", " ") for key in keys)
    texts = [tuple(map(str, row.values())) for row in rows]
    shared = (
        f"{audit.centre_overlap_percent} % of test pixels lie in a training patch, "
        f"{audit.patch_overlap_percent} % have a patch that meets one (patches of {drawn.patch} px)"
    )
    return rows, [("Labelled pixels", "class", header, texts)], shared


def _tiles(drawn: TileSplit) -> Tables:
    """Of a set of pairs: labelled pixels by class, and tiles by place."""
    audit, pairs = drawn.audit, drawn.pairs
    header = ("class", "name", "train", "test")
    counts = zip(pairs.class_names, audit.train_counts, audit.test_counts, strict=True)
    rows: list[dict[str, Any]] = [
        dict(zip(header, (c, *row), strict=True)) for c, row in enumerate(counts, start=1)
    ]
    tiles = [Counter(where for where, _, _ in side) for side in (drawn.train, drawn.test)]
    places: list[tuple[str, ...]] = [
        (p.name, p.part, str(tiles[0][i]), str(tiles[1][i])) for i, p in enumerate(pairs.places)
    ]
    grids: list[NamedTable] = [
        ("Labelled pixels", "class", header, [tuple(map(str, row.values())) for row in rows]),
        ("Tiles", "place", ("place", "part", "training tiles", "test tiles"), places),
    ]
    return rows, grids, f"{drawn.shared} pixels lie in a training and in a test tile"


def _remarks(audit: Audit, names: dict[int, str]) -> Iterator[str]:
    buffer = "" if audit.buffer == "none" else f" ({audit.buffer})"
    why = left_out(audit.protocol, audit.buffer)
    yield f"{audit.n_train} train, {audit.n_test} test, {audit.n_buffered} labelled pixels {why}{buffer}"
    yield _fields(audit)
    yield from (f"no test pixel: {names[c]}" for c in audit.lost_classes)
    yield from (f"fewer than 10 test pixels: {names[c]}" for c in audit.thin_classes)
    yield from (f"no training pixel: {names[c]}" for c in audit.untrained_classes)
    what = "places" if audit.fields == "places" else "fields"
    if sum(audit.seen_counts) and sum(audit.new_counts):
        for where, missing in (("new", audit.no_new_classes), ("seen", audit.no_seen_classes)):
            yield from (
                [f"no test pixel in {where} {what}: {', '.join(names[c] for c in missing)}"] if missing else []
            )
    yield from audit.notes


def _fields(audit: Audit) -> str:
    """How many test pixels lie where training pixels do."""
    seen = sum(audit.seen_counts)
    share = f"{seen} of {audit.n_test} test pixels ({100 * seen / audit.n_test:.1f} %)"
    if audit.fields == "places":
        return f"{share} lie in a place that holds training tiles"
    return f"{share} lie in a field that holds training pixels, the others in new fields ({audit.fields})"
