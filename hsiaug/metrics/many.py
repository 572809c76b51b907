"""Metrics of many confusion matrices at once, as ``score`` and ``dense_score`` of :mod:`hsiaug.metrics.accuracy` do.

The matrices are resamples of one: a class that a resample misses keeps the value that it has in the whole, so that
every resample averages the same classes. Otherwise the mean would jump with which rare class was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, did_you_mean
from hsiaug.metrics.accuracy import cohen_kappa, f1, iou, mean_known, recall

__all__ = ["ManyScores", "many_scores"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
ManyScores = Callable[[Counts, Counts], Array]
"""(R, C, C) counts, rows true, columns predicted, and the (C, C) of the whole, to (R,) values."""


def many_scores(key: str, subsets: Mapping[str, Sequence[int]] | None = None) -> ManyScores:
    """The function that computes one metric of many matrices.

    key: ``oa``, ``aa``, ``kappa``, ``macro_f1``, ``worst_recall``; ``subset:NAME`` for the AA over the class ids
        ``subsets[NAME]``; for masks ``miou``, and ``f1_change``, ``iou_change``, ``precision_change``, ``recall_change``.
        As in a record, means are over the classes that have pixels in the whole; NaN where the metric is not defined.
        Raises InputError for another key.
    """
    name = key.removeprefix("subset:")
    if name != key and name in (subsets or {}):
        rows = [c - 1 for c in (subsets or {})[name]]
        return lambda matrices, whole: mean_known(_recall(matrices, whole)[:, rows])
    if key not in KNOWN:
        raise InputError("the metric has to be known", value=repr(key), hint=did_you_mean(key, KNOWN))
    return KNOWN[key]


def _recall(matrices: Counts, whole: Counts) -> Array:
    """(R, C), as of :func:`_or_whole`."""
    return _or_whole(recall, matrices, whole)


def _or_whole(metric: Callable[[Counts], Array], matrices: Counts, whole: Counts) -> Array:
    """(R, C) of a metric by class: of the whole where a matrix has no pixel of one, NaN where the whole has none."""
    values = metric(matrices)
    return np.where(np.isnan(values), metric(whole), values)


def _precision(matrices: Counts, whole: Counts) -> Array:
    """(R, C), NaN where nothing was called so."""
    called = matrices.sum(axis=1)
    precision: Array = np.where(
        called > 0, np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(called, 1), np.nan
    )
    return precision


def _oa(matrices: Counts, whole: Counts) -> Array:
    accuracy: Array = np.diagonal(matrices, axis1=1, axis2=2).sum(axis=1) / matrices.sum(axis=(1, 2))
    return accuracy


def _worst(matrices: Counts, whole: Counts) -> Array:
    worst: Array = np.nan_to_num(_recall(matrices, whole), nan=np.inf).min(axis=1)
    return worst


CHANGED = 1
"""Row of class 2, "changed"."""

KNOWN: dict[str, ManyScores] = {
    "oa": _oa,
    "aa": lambda matrices, whole: mean_known(_recall(matrices, whole)),
    "kappa": lambda matrices, whole: cohen_kappa(matrices),
    "macro_f1": lambda matrices, whole: mean_known(_or_whole(f1, matrices, whole)),
    "worst_recall": _worst,
    "miou": lambda matrices, whole: mean_known(_or_whole(iou, matrices, whole)),
    "f1_change": lambda matrices, whole: _or_whole(f1, matrices, whole)[:, CHANGED],
    "iou_change": lambda matrices, whole: _or_whole(iou, matrices, whole)[:, CHANGED],
    "precision_change": lambda matrices, whole: _precision(matrices, whole)[:, CHANGED],
    "recall_change": lambda matrices, whole: _recall(matrices, whole)[:, CHANGED],
}
