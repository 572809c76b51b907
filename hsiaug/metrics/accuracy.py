"""Accuracy of a classification: OA, AA, κ, macro-F1, recall, F1 and IoU by class. Background pixels
never count.

What is said of one class is NaN where the matrix has no pixel of it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float64, Int64

Ids = NDArray[np.integer]


def confusion(true: Ids, predicted: Ids, classes: int) -> Int64:
    """(C, C) int64 counts over class ids 1..C: rows true, columns predicted."""
    (counts,) = grouped_confusion(np.zeros(len(true), dtype=np.int64), 1, true, predicted, classes)
    return np.asarray(counts)


def grouped_confusion(group: Int64, groups: int, true: Ids, predicted: Ids, classes: int) -> Int64:
    """(groups, C, C) int64 counts, as :func:`confusion`, of each group 0..groups-1 of pixels
    (n,).
    """
    flat = (group * classes + true.astype(np.int64) - 1) * classes + predicted.astype(np.int64) - 1
    counts: Int64 = np.bincount(flat, minlength=groups * classes**2).reshape(
        groups, classes, classes
    )
    return counts


def cohen_kappa(matrices: Int64) -> Float64:
    """(...) κ of confusion matrices (..., C, C); NaN where chance agreement is 1, or nothing was
    counted.
    """
    counts = matrices.astype(np.float64)
    rows = counts.sum(axis=-1)
    columns = counts.sum(axis=-2)
    total = rows.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = (rows * columns).sum(axis=-1) / total**2
        agreement = np.trace(counts, axis1=-2, axis2=-1) / total
        return np.where(chance < 1, (agreement - chance) / (1 - chance), np.nan)


def recall(matrices: Int64) -> Float64:
    """(..., C) of confusion matrices (..., C, C)."""
    return _where_seen(matrices, _right(matrices), matrices.sum(axis=-1))


def f1(matrices: Int64) -> Float64:
    """(..., C) of confusion matrices (..., C, C)."""
    return _where_seen(
        matrices, 2 * _right(matrices), matrices.sum(axis=-1) + matrices.sum(axis=-2)
    )


def iou(matrices: Int64) -> Float64:
    """(..., C) of confusion matrices (..., C, C)."""
    right = _right(matrices)
    return _where_seen(matrices, right, matrices.sum(axis=-1) + matrices.sum(axis=-2) - right)


def precision(matrices: Int64) -> Float64:
    """(..., C) of confusion matrices (..., C, C); NaN where nothing was called so."""
    called = matrices.sum(axis=-2)
    return np.where(called > 0, _right(matrices) / np.maximum(called, 1), np.nan)


def _right(matrices: Int64) -> Int64:
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _where_seen(matrices: Int64, counts: Int64, whole: Int64) -> Float64:
    return np.where(matrices.sum(axis=-1) > 0, counts / np.maximum(whole, 1), np.nan)


def score(
    matrix: Int64,
    subsets: Mapping[str, tuple[int, ...]],
    of_new_fields: Int64 | None = None,
    hidden: Int64 | None = None,
) -> dict[str, Any]:
    """The metrics of a confusion matrix (C, C), as they stand in a record.

    AA, macro-F1 and the worst recall are over the classes that have test pixels; a class without
    any has recall None and is never counted as 0. ``subsets`` names groups of class ids to average
    over beside. κ is None where chance agreement is 1.

    Parameters
    ----------
    of_new_fields : (C, C) int64 or None
        Of the test pixels in fields that hold no training pixel; with it there is also
        ``fields``, the scores in seen and in new fields.
    hidden : (C, C) int64 or None
        Of the test pixels that no plugin saw; with it there is ``visibility``, the scores of
        these and of the others.
    """
    n_test = matrix.sum(axis=1)
    tested = np.flatnonzero(n_test)
    recalls = recall(matrix)
    kappa = float(cohen_kappa(matrix))
    worst = int(np.nanargmin(recalls))
    metrics: dict[str, Any] = {
        "oa": float(_right(matrix).sum() / int(n_test.sum())),
        "aa": float(recalls[tested].mean()),
        "kappa": None if np.isnan(kappa) else kappa,
        "macro_f1": float(f1(matrix)[tested].mean()),
        "worst_recall": float(recalls[worst]),
        "worst_class": worst + 1,
        "recall": _listed(recalls),
        "n_test": n_test.tolist(),
        "confusion": matrix.tolist(),
        "subsets": {name: _subset(matrix, ids) for name, ids in subsets.items()},
    }
    if of_new_fields is not None:
        metrics["fields"] = _scores_of_parts(matrix, of_new_fields, "seen", "new")
    if hidden is not None:
        metrics["visibility"] = _scores_of_parts(matrix, hidden, "shown", "hidden")
    return metrics


def _scores_of_parts(
    matrix: Int64, counts_of_new: Int64, name_of_others: str, name_of_new: str
) -> dict[str, Any]:
    """OA, AA and recall of two parts of the test pixels, with the number of classes that each mean
    is over.

    ``counts_of_new`` (C, C) are of the part ``name_of_new``; they are kept, as all of it follows
    from them. None where no class has a test pixel in a part.
    """
    everything = tuple(range(1, len(matrix) + 1))
    parts = {name_of_others: matrix - counts_of_new, name_of_new: counts_of_new}
    answer: dict[str, Any] = {f"{name_of_new}_confusion": counts_of_new.tolist()}
    for name, counts in parts.items():
        scores = _subset(counts, everything)
        means = {key: scores[key] for key in ("oa", "aa", "n_classes")}
        answer[name] = {
            **means,
            "recall": _listed(recall(counts)),
            "n_test": counts.sum(axis=1).tolist(),
        }
    return answer


def dense_score(matrix: Int64, *, change: bool) -> dict[str, Any]:
    """The metrics of a dense task: those of :func:`score`, and IoU and F1 of each class with their
    means.

    Means are over the classes that have test pixels.

    Parameters
    ----------
    change : bool
        Also F1, IoU, precision and recall of class 2, "changed"; precision is None where
        nothing was called changed.
    """
    by_class = iou(matrix)
    metrics = score(matrix, {})
    metrics |= {
        "miou": float(np.nanmean(by_class)),
        "iou": _listed(by_class),
        "f1": _listed(f1(matrix)),
    }
    if change:
        metrics |= {
            "f1_change": metrics["f1"][1],
            "iou_change": metrics["iou"][1],
            "recall_change": metrics["recall"][1],
            "precision_change": _listed(precision(matrix))[1],
        }
    return metrics


def _listed(values: Float64) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]


def _subset(matrix: Int64, ids: tuple[int, ...]) -> dict[str, Any]:
    """OA and AA over the test pixels of some classes only (predictions may still be any class)."""
    counts = matrix.sum(axis=1)
    rows = [c - 1 for c in ids if counts[c - 1] > 0]
    n = counts[rows]
    right = matrix[rows, rows]
    return {
        "classes": list(ids),
        "n_classes": len(rows),
        "oa": float(right.sum() / n.sum()) if rows else None,
        "aa": float((right / n).mean()) if rows else None,
    }
