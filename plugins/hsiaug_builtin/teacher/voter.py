"""Two learners of few samples that vote together: a shrinkage discriminant and an RBF support vector machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from hsiaug_builtin.teacher.discriminant import Discriminant, fit_discriminant

__all__ = ["TEMPERATURE", "Machine", "Voter", "fit_machine", "fit_voter"]

BLOCK = 2048
"""Rows whose kernel is computed at a time."""
TEMPERATURE = 4.0
"""Divides the discriminant's scores: with few samples it is far surer than right."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A support vector machine that may know one class only. model: a fitted sklearn SVC, or None for a lone class.

    columns: (m,) int64, the features that it reads. classes: (k,) int64 ids of its scores, ascending. learnt: (n, m)
    float64, what it was fitted on, for the kernel; gamma: its γ.
    """

    model: Any
    columns: NDArray[np.int64]
    classes: NDArray[np.int64]
    learnt: NDArray[np.float64]
    gamma: float

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) of features (n, d), largest at the class that is predicted."""
        if self.model is None or not len(features):
            return np.zeros((len(features), len(self.classes)))
        parts = []
        for start in range(0, len(features), BLOCK):
            kernel = rbf(features[start : start + BLOCK, self.columns], self.learnt, self.gamma)
            parts.append(self.model.decision_function(kernel))
        found = np.concatenate(parts)
        return np.asarray(np.stack([-found, found], axis=1) if found.ndim == 1 else found)


def fit_machine(
    features: NDArray[np.float32],
    y: NDArray[np.int64],
    weight: NDArray[np.float32],
    columns: NDArray[np.int64],
    *,
    cost: float,
    reach: float,
) -> Machine:
    """features (n, d), y (n,) class ids, weight (n,) > 0. cost: C; reach: γ times the number of ``columns``."""
    from sklearn.svm import SVC

    classes, gamma = np.unique(y), reach / len(columns)
    learnt = features[:, columns].astype(np.float64)
    if len(classes) == 1:
        return Machine(None, columns, classes, learnt, gamma)
    # A kernel from matrix products: libsvm's own, value by value, took most of a teacher's time.
    model = SVC(C=cost, kernel="precomputed", random_state=0)
    return Machine(model.fit(rbf(learnt, learnt, gamma), y, sample_weight=weight), columns, classes, learnt, gamma)


def rbf(a: NDArray[Any], b: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """(n, m) exp(−γ·|a − b|²) of rows of a (n, d) and b (m, d)."""
    from sklearn.metrics.pairwise import rbf_kernel

    return np.asarray(rbf_kernel(a.astype(np.float64), b, gamma))


@dataclass(frozen=True, eq=False)
class Voter:
    """Both learners of the same samples; their votes count alike."""

    discriminant: Discriminant
    machine: Machine

    @property
    def classes(self) -> NDArray[np.int64]:
        """(k,) ids in the order of the votes, ascending."""
        return self.discriminant.classes

    def shares(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) votes of features (n, d); rows sum to 1."""
        linear = self.discriminant.shares(features, TEMPERATURE)
        return np.asarray((linear + softmax(self.machine.scores(features), axis=1)) / 2)


def fit_voter(
    features: NDArray[np.float32],
    y: NDArray[np.int64],
    weight: NDArray[np.float32],
    columns: NDArray[np.int64],
    **machine: float,
) -> Voter:
    """The discriminant reads all features; ``columns`` and ``machine``: as in :func:`fit_machine`."""
    own = fit_machine(features, y, weight, columns, **machine)
    return Voter(fit_discriminant(features, y, weight), own)
