"""Probes: classifiers of centre spectra that learn from real training spectra only, and judge labels by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.distances import shrunk_covariance
from hsiaug.metrics.spectra import Spectra, fit_space

__all__ = ["PROBES", "Probe", "fit_lda", "fit_nearest_class", "fit_svm"]

Probe = Callable[[NDArray[np.float64]], NDArray[np.int64]]
"""Spectra (n, B) in scene units → (n,) class ids."""

EASE = 1e-6


@dataclass(frozen=True, eq=False)
class _Centred:
    """The spectra of each class about its mean. z: (n, d); means: (C, d); ids: (C,)."""

    z: NDArray[np.float64]
    rows: NDArray[np.int64]
    means: NDArray[np.float64]
    ids: NDArray[np.int64]


def _centre(z: NDArray[np.float64], y: NDArray[np.int64]) -> _Centred:
    ids, rows = np.unique(y, return_inverse=True)
    means = np.stack([z[rows == i].mean(axis=0) for i in range(len(ids))])
    return _Centred(z - means[rows], rows, means, ids)


def fit_lda(train: Spectra) -> Probe:
    """Linear discriminant analysis: Ledoit–Wolf covariance pooled over classes, equal priors (Friedman 1989)."""
    space = fit_space(train.x)
    parts = _centre(space.z(train.x), train.y)
    pooled = shrunk_covariance(parts.z) + EASE * np.eye(parts.z.shape[1])
    weight = np.linalg.solve(pooled, parts.means.T)
    offset = (parts.means.T * weight).sum(axis=0) / 2
    return lambda x: parts.ids[(space.z(x) @ weight - offset).argmax(axis=1)]


def fit_svm(train: Spectra) -> Probe:
    """RBF-SVM on z-scored spectra, C = 100, γ = 1/B, classes weighted to count alike (Cortes and Vapnik 1995)."""
    from sklearn.svm import SVC

    space = fit_space(train.x)
    model = SVC(C=100.0, gamma=1.0 / train.x.shape[1], class_weight="balanced").fit(space.z(train.x), train.y)
    return lambda x: np.asarray(model.predict(space.z(x)), dtype=np.int64)


def fit_nearest_class(train: Spectra) -> Probe:
    """The class of least Mahalanobis distance on the principal axes, by each class's own covariance.

    With n_c samples on d axes, a class's covariance S_c is drawn to the pooled S as (n_c·S_c + d·S) / (n_c + d),
    for classes may have three samples (regularised discriminant analysis, Friedman 1989), and scaled to the
    pooled determinant, or the class of widest spread would win everywhere.
    """
    space = fit_space(train.x)
    parts = _centre(space.project(train.x), train.y)
    d = parts.z.shape[1]
    pooled = shrunk_covariance(parts.z) + EASE * np.eye(d)
    inverses = []
    for i in range(len(parts.ids)):
        own = parts.z[parts.rows == i]
        blend = (own.T @ own + d * pooled) / (len(own) + d)
        level = (np.linalg.slogdet(pooled)[1] - np.linalg.slogdet(blend)[1]) / d
        inverses.append(np.linalg.inv(blend * np.exp(level)))

    def nearest(x: NDArray[np.float64]) -> NDArray[np.int64]:
        gap = space.project(x)[:, None] - parts.means[None]
        squares = np.einsum("ncd,cde,nce->nc", gap, np.stack(inverses), gap, optimize=True)
        guess: NDArray[np.int64] = parts.ids[squares.argmin(axis=1)]
        return guess

    return nearest


PROBES: dict[str, Callable[[Spectra], Probe]] = {"lda": fit_lda, "svm": fit_svm}
"""The probes of R1."""
