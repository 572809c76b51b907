"""An RBF support vector machine that is fast on many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.svm import SVC

BLOCK = 512
"""Rows whose kernel is computed at a time."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A support vector machine that may know one class only.

    Attributes
    ----------
    model : SVC or None
        A fitted sklearn SVC, or None for a lone class.
    classes : (k,) int64
        Ids of its scores, ascending.
    support : (s, d) float64
        Support vectors, by class.
    gamma : float
        Its γ.
    """

    model: SVC | None
    classes: NDArray[np.int64]
    support: NDArray[np.float64]
    gamma: float

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) of features (n, d), largest at the predicted class: those of sklearn but for
        rounding.
        """
        if self.model is None or not len(features):
            # Of a lone class, whose score is the largest all the same.
            return np.zeros((len(features), len(self.classes)))
        parts = (features[start : start + BLOCK] for start in range(0, len(features), BLOCK))
        return np.concatenate([self._scores(self.model, block) for block in parts])

    def _scores(self, model: SVC, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Votes of the pairs of classes, and less than a third by how clear these are; of two
        classes, how clear.
        """
        from sklearn.metrics.pairwise import rbf_kernel

        k = len(self.classes)
        ends = np.cumsum(model.n_support_)[:-1]
        kernel = rbf_kernel(self.support, features.astype(np.float64), self.gamma)
        # What the support vectors of each class say in its pairs, (k − 1, n).
        decisions = [
            a @ b
            for a, b in zip(
                np.split(model.dual_coef_, ends, 1), np.split(kernel, ends), strict=True
            )
        ]
        votes, clear = np.zeros((2, k, len(features)))
        for (i, j), offset in zip(combinations(range(k), 2), model.intercept_, strict=True):
            score = decisions[i][j - 1] + decisions[j][i] + offset
            if k == 2:
                return np.stack([-score, score], axis=1)
            clear[i] += score
            clear[j] -= score
            votes[i] += score >= 0
            votes[j] += score < 0
        return np.ascontiguousarray((votes + clear / (3 * (np.abs(clear) + 1))).T)


def machine_of(model: SVC | None, y: NDArray[np.int64], gamma: float) -> Machine:
    """Of a SVC with an RBF kernel that was fitted to classes y (n,), or of a lone class."""
    support = np.empty((0, 0)) if model is None else model.support_vectors_
    return Machine(model, np.unique(y), np.asarray(support, dtype=np.float64), gamma)


def fit_machine(
    features: NDArray[np.float32],
    y: NDArray[np.int64],
    weight: NDArray[np.float32],
    *,
    cost: float,
    reach: float,
) -> Machine:
    """features (n, d), y (n,) class ids, weight (n,) > 0.

    Parameters
    ----------
    cost : float
        C.
    reach : float
        γ times d.
    """
    from sklearn.metrics.pairwise import rbf_kernel
    from sklearn.svm import SVC

    classes = np.unique(y)
    gamma = reach / features.shape[1]
    learnt = features.astype(np.float64)
    if len(classes) == 1:
        return Machine(None, classes, learnt, gamma)
    # A kernel from matrix products, as libsvm's own is slow; of two arrays, as sklearn rounds that
    # of one otherwise.
    kernel = rbf_kernel(learnt, features.astype(np.float64), gamma)
    model = SVC(C=cost, kernel="precomputed", random_state=0).fit(kernel, y, sample_weight=weight)
    return Machine(model, classes, learnt[model.support_], gamma)
