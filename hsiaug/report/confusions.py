"""Confusion matrices of a table, summed over draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.report.cells import ArmCell
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import NONE
from hsiaug.trial.store import Store

MOST_CLASSES = 40
"""Classes of a confusion matrix at most: a larger one is not read."""


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix, summed over draws.

    Parameters
    ----------
    name : str
        The arm with its classifier.
    rows : tuple
        For each true class its name, its test pixels, and for each predicted class the share of
        these in percent.
    """

    name: str
    rows: tuple[tuple[str, int, tuple[int, ...]], ...]


def confusions(table: ReportTable, store: Store) -> Iterator[Confusion]:
    """Those of the arm that gains most, and of its classifier without samples.

    Parameters
    ----------
    store : Store
        Where the records lie, which hold the matrices.
    """
    if not 2 <= len(table.class_names) <= MOST_CLASSES:
        return
    best = table.leading
    cells = list(table.cells.values())[:1]
    if best is not None:
        over_none = best[NONE]
        cells = [over_none.cell, *([over_none.control_cell] if over_none.control_cell else [])]
    for cell in cells:
        counts = _summed(cell, store, len(table.class_names))
        if counts is not None:
            yield Confusion(table.cell_label(cell), tuple(_rows(counts, table.class_names)))


def _summed(cell: ArmCell, store: Store, classes: int) -> NDArray[np.int64] | None:
    """(C, C) test pixels by true and predicted class, over the draws of an arm."""
    total = np.zeros((classes, classes), dtype=np.int64)
    for trial in cell.ok:
        record = store.sound(trial.hash) or {}
        matrix = np.asarray((record.get("metrics") or {}).get("confusion") or ())
        if matrix.shape == total.shape:
            total += matrix.astype(np.int64)
    return total if total.any() else None


def _rows(
    counts: NDArray[np.int64], class_names: tuple[str, ...]
) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    for name, row in zip(class_names, counts, strict=True):
        tested = int(row.sum())
        shares = row / max(tested, 1)
        yield name, tested, tuple(round(100 * float(share)) for share in shares)
