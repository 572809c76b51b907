"""Accuracy of a classification: OA, AA, κ, macro-F1, per-class recall. Background pixels never count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cohen_kappa", "confusion", "dense_score", "score"]


def confusion(true: NDArray[Any], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """(C, C) int64 counts over class ids 1..C: rows true, columns predicted."""
    flat = (true.astype(np.int64) - 1) * classes + (predicted.astype(np.int64) - 1)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def cohen_kappa(matrices: NDArray[Any]) -> NDArray[np.float64]:
    """(...) κ of confusion matrices (..., C, C); NaN where chance agreement is 1, or nothing was counted."""
    counts = matrices.astype(np.float64)
    rows, columns = counts.sum(axis=-1), counts.sum(axis=-2)
    total = rows.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = (rows * columns).sum(axis=-1) / total**2
        seen = np.trace(counts, axis1=-2, axis2=-1) / total
        return np.where(chance < 1, (seen - chance) / (1 - chance), np.nan)


def score(matrix: NDArray[np.int64], subsets: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The metrics of a confusion matrix (C, C), as they stand in a record.

    AA, macro-F1 and the worst recall are over the classes that have test pixels; a class without any has recall
    None and is never counted as 0. ``subsets`` names groups of class ids to average over beside. κ is None where
    chance agreement is 1.
    """
    n = matrix.sum(axis=1)
    right = np.diag(matrix)
    seen = np.flatnonzero(n)
    recall = np.full(len(n), np.nan)
    recall[seen] = right[seen] / n[seen]
    f1 = 2 * right[seen] / (n[seen] + matrix.sum(axis=0)[seen])
    total = int(n.sum())
    kappa = float(cohen_kappa(matrix))
    worst = int(seen[np.argmin(recall[seen])])
    return {
        "oa": float(right.sum() / total),
        "aa": float(recall[seen].mean()),
        "kappa": None if np.isnan(kappa) else kappa,
        "macro_f1": float(f1.mean()),
        "worst_recall": float(recall[worst]),
        "worst_class": worst + 1,
        "recall": [None if np.isnan(r) else float(r) for r in recall],
        "n_test": n.tolist(),
        "confusion": matrix.tolist(),
        "subsets": {name: _subset(matrix, ids) for name, ids in subsets.items()},
    }


def dense_score(matrix: NDArray[np.int64], *, change: bool) -> dict[str, Any]:
    """The metrics of a dense task: those of :func:`score`, and IoU and F1 of each class with their means.

    Means are over the classes that have test pixels. change: also F1, IoU, precision and recall of class 2, "changed";
    precision is None where nothing was called changed.
    """
    true, called, right = matrix.sum(axis=1), matrix.sum(axis=0), np.diag(matrix)
    seen = true > 0
    iou = np.where(seen, right / np.maximum(true + called - right, 1), np.nan)
    f1 = np.where(seen, 2 * right / np.maximum(true + called, 1), np.nan)
    metrics = score(matrix, {})
    metrics |= {
        "miou": float(np.nanmean(iou)),
        "iou": [None if np.isnan(v) else float(v) for v in iou],
        "f1": [None if np.isnan(v) else float(v) for v in f1],
    }
    if change:
        metrics |= {
            "f1_change": metrics["f1"][1],
            "iou_change": metrics["iou"][1],
            "recall_change": metrics["recall"][1],
            "precision_change": float(right[1] / called[1]) if called[1] else None,
        }
    return metrics


def _subset(matrix: NDArray[np.int64], ids: tuple[int, ...]) -> dict[str, Any]:
    """OA and AA over the test pixels of some classes only (predictions may still be any class)."""
    rows = [c - 1 for c in ids if matrix[c - 1].sum() > 0]
    n = matrix[rows].sum(axis=1)
    right = matrix[rows, rows]
    return {
        "classes": list(ids),
        "n_classes": len(rows),
        "oa": float(right.sum() / n.sum()) if rows else None,
        "aa": float((right / n).mean()) if rows else None,
    }
