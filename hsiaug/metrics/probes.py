"""Probes: classifiers of centre spectra that learn from real training spectra only, and judge labels by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.distances import shrunk_covariance
from hsiaug.metrics.spectra import Spectra, fit_space

Probe = Callable[[NDArray[np.float64]], NDArray[np.int64]]
"""Spectra (n, B) in scene units → (n,) class ids."""

EASE = 1e-6


def fit_lda(train: Spectra) -> Probe:
    """Linear discriminant analysis: Ledoit–Wolf covariance pooled over classes, equal priors (Friedman 1989)."""
    space = fit_space(train.x)
    z = space.z(train.x)
    ids, rows = np.unique(train.y, return_inverse=True)
    means = np.stack([z[rows == i].mean(axis=0) for i in range(len(ids))])
    pooled = shrunk_covariance(z - means[rows]) + EASE * np.eye(z.shape[1])
    weight = np.linalg.solve(pooled, means.T)
    offset = (means.T * weight).sum(axis=0) / 2
    return lambda x: ids[(space.z(x) @ weight - offset).argmax(axis=1)]


def fit_svm(train: Spectra) -> Probe:
    """RBF-SVM on z-scored spectra, C = 100, γ = 1/B, classes weighted to count alike (Cortes and Vapnik 1995)."""
    from sklearn.svm import SVC

    space = fit_space(train.x)
    model = SVC(C=100.0, gamma=1.0 / train.x.shape[1], class_weight="balanced").fit(space.z(train.x), train.y)
    return lambda x: np.asarray(model.predict(space.z(x)), dtype=np.int64)


PROBES: tuple[Callable[[Spectra], Probe], ...] = (fit_lda, fit_svm)
"""The probes of R1."""
