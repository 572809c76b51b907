"""Metrics of many confusion matrices at once, as ``score`` and ``dense_score`` of :mod:`hsiaug.metrics.accuracy` do.

The matrices are resamples of one: a class that a resample misses keeps the value that it has in the whole, so that
every resample averages the same classes. Otherwise the mean would jump with which rare class was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, did_you_mean
from hsiaug.metrics.accuracy import cohen_kappa

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
        return lambda matrices, whole: _mean(_recall(matrices, whole)[:, rows])
    if key not in KNOWN:
        raise InputError("the metric has to be known", value=repr(key), hint=did_you_mean(key, KNOWN))
    return KNOWN[key]


def _right(matrices: Counts) -> Counts:
    return np.diagonal(matrices, axis1=1, axis2=2)


def _recall(matrices: Counts, whole: Counts) -> Array:
    """(R, C), NaN where the whole has no pixel of a class."""
    return _or_whole(matrices, whole, lambda m: _right(m) / np.maximum(m.sum(axis=2), 1))


def _f1(matrices: Counts, whole: Counts) -> Array:
    """(R, C), as :func:`_recall`."""
    return _or_whole(matrices, whole, lambda m: 2 * _right(m) / np.maximum(m.sum(axis=2) + m.sum(axis=1), 1))


def _iou(matrices: Counts, whole: Counts) -> Array:
    """(R, C), as :func:`_recall`."""

    def values(m: Counts) -> Array:
        union = m.sum(axis=2) + m.sum(axis=1) - _right(m)
        return np.asarray(_right(m) / np.maximum(union, 1), dtype=np.float64)

    return _or_whole(matrices, whole, values)


def _precision(matrices: Counts, whole: Counts) -> Array:
    """(R, C), NaN where nothing was called so."""
    called = matrices.sum(axis=1)
    precision: Array = np.where(called > 0, _right(matrices) / np.maximum(called, 1), np.nan)
    return precision


def _or_whole(matrices: Counts, whole: Counts, values: Callable[[Counts], Array]) -> Array:
    """Values per class, those of the whole where a matrix has no pixel of the class."""
    usual = np.where(whole.sum(axis=1) > 0, values(whole[None])[0], np.nan)
    return np.where(matrices.sum(axis=2) > 0, values(matrices), usual)


def _mean(values: Array) -> Array:
    """Mean over the last axis of what is not NaN; NaN where nothing is left."""
    some = ~np.isnan(values)
    count = some.sum(axis=-1)
    total = np.where(some, values, 0).sum(axis=-1)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _oa(matrices: Counts, whole: Counts) -> Array:
    accuracy: Array = _right(matrices).sum(axis=1) / matrices.sum(axis=(1, 2))
    return accuracy


def _worst(matrices: Counts, whole: Counts) -> Array:
    worst: Array = np.nan_to_num(_recall(matrices, whole), nan=np.inf).min(axis=1)
    return worst


CHANGED = 1
"""Row of class 2, "changed"."""

KNOWN: dict[str, ManyScores] = {
    "oa": _oa,
    "aa": lambda matrices, whole: _mean(_recall(matrices, whole)),
    "kappa": lambda matrices, whole: cohen_kappa(matrices),
    "macro_f1": lambda matrices, whole: _mean(_f1(matrices, whole)),
    "worst_recall": _worst,
    "miou": lambda matrices, whole: _mean(_iou(matrices, whole)),
    "f1_change": lambda matrices, whole: _f1(matrices, whole)[:, CHANGED],
    "iou_change": lambda matrices, whole: _iou(matrices, whole)[:, CHANGED],
    "precision_change": lambda matrices, whole: _precision(matrices, whole)[:, CHANGED],
    "recall_change": lambda matrices, whole: _recall(matrices, whole)[:, CHANGED],
}
