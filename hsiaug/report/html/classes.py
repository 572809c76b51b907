"""What every arm does to the recall of every class, rarest first, as tables on one diverging scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from hsiaug.metrics.significance import MeanStd, summary_interval
from hsiaug.report.compare import Gain, class_deltas
from hsiaug.report.findings import judged
from hsiaug.report.grid import GridColumn, GridEntry, make_grid
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, diverging_legend, escape, grid_table, round_limit
from hsiaug.report.labels import MISSING, count_range, signed, with_interval
from hsiaug.report.records import class_counts
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["class_gains"]

Deltas = Mapping[int, MeanStd]
"""Class id → difference of recall, as fractions."""


@dataclass(frozen=True)
class _Column:
    """An arm over the control over which it gains least. others: the same over its other controls."""

    gain: Gain
    control: str
    deltas: Deltas
    others: Mapping[str, Deltas]


def class_gains(section: TableSection) -> str:
    """A table per classifier: a row per class, a column per arm; empty where nothing is compared."""
    table = section.table
    columns = {classifier: _columns(table, classifier) for classifier in table.classifiers}
    columns = {classifier: found for classifier, found in columns.items() if found and table.class_names}
    if not columns:
        return ""
    sizes = [abs(d.mean) for found in columns.values() for column in found for d in column.deltas.values()]
    limit = round_limit(sizes)
    tables = [
        (table.labels[classifier], _class_table(section, classifier, found, limit))
        for classifier, found in columns.items()
    ]
    shown = (
        tables[0][1]
        if len(tables) == 1
        else "".join(details(name, html, opened=i == 0) for i, (name, html) in enumerate(tables))
    )
    return (
        f'<p class="note">{escape(HOW_TO_READ)}</p>{diverging_legend(limit, "less recall", "more recall")}{shown}'
    )


HOW_TO_READ = (
    "Mean difference in recall, in points, over the control that decides the verdict; classes with few training "
    "pixels first. Interval and number of draws stand beside each number where the pointer or the keyboard is on it. "
    "Classes are not tested one by one, and recall of a class with few test pixels moves in large steps."
)


def _columns(table: Table, classifier: Method) -> list[_Column]:
    classes = len(table.class_names)
    columns = []
    for gain in judged(table):
        found = gain.hardest if gain.cell.classifier == classifier else None
        if found is not None:
            over = {name: class_deltas(one, classes) for name, one in gain.against.items() if one is not None}
            control = found[0]
            columns.append(_Column(gain, control, over.pop(control), over))
    return columns


def _class_table(section: TableSection, classifier: Method, found: Sequence[_Column], limit: float) -> str:
    table = section.table
    trained = {
        i: class_counts(table.splits.values(), "train_counts", i) for i in range(1, len(table.class_names) + 1)
    }
    ids = sorted(trained, key=lambda i: (fmean(trained[i]) if trained[i] else math.inf, i))
    columns = [
        GridColumn("class", lambda i: table.class_names[i - 1], numeric=False),
        GridColumn("train n", lambda i: count_range(trained[i])),
        *(
            GridColumn(f"{table.arm_label(one.gain.cell.arm)} over {one.control}", partial(_entry, one, limit))
            for one in found
        ),
    ]
    heading = f"Gain in recall per class, {table.labels[classifier]}"
    return grid_table(make_grid(heading, columns, ids, keys=2), section.cell_id, kind="shaded")


def _entry(column: _Column, limit: float, class_id: int) -> GridEntry:
    delta = column.deltas.get(class_id)
    if delta is None:
        return GridEntry(MISSING)
    said = f"{with_interval(delta.mean, summary_interval(delta))}, n = {delta.n}"
    others = "".join(
        f"; {signed(deltas[class_id].mean)} over {name}"
        for name, deltas in column.others.items()
        if class_id in deltas
    )
    return GridEntry(signed(delta.mean), column.gain.cell, shade=delta.mean / limit, tip=said + others)
