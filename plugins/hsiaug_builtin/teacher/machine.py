"""An RBF support vector machine that is fast on many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.svm import SVC

BLOCK = 2048
"""Rows whose kernel is computed at a time."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A support vector machine that may know one class only. model: a fitted sklearn SVC, or None for a lone class.

    classes: (k,) int64 ids of its scores, ascending. learnt: (n, d) float64, what it was fitted on, for the kernel;
    gamma: its γ.
    """

    model: SVC | None
    classes: NDArray[np.int64]
    learnt: NDArray[np.float64]
    gamma: float

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) of features (n, d), largest at the class that is predicted."""
        if self.model is None or not len(features):
            return np.zeros((len(features), len(self.classes)))
        parts = []
        for start in range(0, len(features), BLOCK):
            kernel = rbf(features[start : start + BLOCK], self.learnt, self.gamma)
            parts.append(self.model.decision_function(kernel))
        found = np.concatenate(parts)
        return np.stack([-found, found], axis=1) if found.ndim == 1 else _by_class(found, len(self.classes))


def fit_machine(
    features: NDArray[np.float32],
    y: NDArray[np.int64],
    weight: NDArray[np.float32],
    *,
    cost: float,
    reach: float,
) -> Machine:
    """features (n, d), y (n,) class ids, weight (n,) > 0. cost: C; reach: γ times d."""
    from sklearn.svm import SVC

    classes, gamma = np.unique(y), reach / features.shape[1]
    learnt = features.astype(np.float64)
    if len(classes) == 1:
        return Machine(None, classes, learnt, gamma)
    # A kernel from matrix products: libsvm's own, value by value, took most of a teacher's time.
    model = SVC(C=cost, kernel="precomputed", decision_function_shape="ovo", random_state=0)
    return Machine(model.fit(rbf(learnt, learnt, gamma), y, sample_weight=weight), classes, learnt, gamma)


def _by_class(pairs: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """(n, k) scores from those of pairs of classes (n, k·(k − 1)/2): votes, and less than a third by how clear these are.

    Bit for bit what sklearn makes of them, in rows that are contiguous: a sixth of the time.
    """
    votes, clear = np.zeros((2, classes, len(pairs)))
    for (i, j), score in zip(combinations(range(classes), 2), np.ascontiguousarray(pairs.T), strict=True):
        clear[i] += score
        clear[j] -= score
        votes[i] += score >= 0
        votes[j] += score < 0
    return np.ascontiguousarray((votes + clear / (3 * (np.abs(clear) + 1))).T)


def rbf(a: NDArray[np.floating], b: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """(n, m) exp(−γ·|a − b|²) of rows of a (n, d) and b (m, d)."""
    from sklearn.metrics.pairwise import rbf_kernel

    return np.asarray(rbf_kernel(a.astype(np.float64), b, gamma))
