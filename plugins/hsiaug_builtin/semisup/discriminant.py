"""Linear discriminant analysis whose samples have weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Equal priors, one covariance for all k classes.

    Attributes
    ----------
    axes : (d, d) float64
        Features times axes have the identity as covariance within classes.
    centres : (k, d) float64
        Class means in them.
    classes : (k,) int64
        Ids, ascending.
    """

    axes: NDArray[np.float64]
    centres: NDArray[np.float64]
    classes: NDArray[np.int64]

    def shares(
        self, features: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.float64]:
        """(n, k) class probabilities of features (n, d); a higher temperature makes them less
        sure.
        """
        from scipy.special import softmax

        scores = features @ (self.axes @ self.centres.T) - 0.5 * (self.centres**2).sum(axis=1)
        return np.asarray(softmax(scores / temperature, axis=1))

    def coordinates(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, k) features (n, d) in the space that the class means span, where classes are spheres
        of radius 1.
        """
        _, size, directions = np.linalg.svd(
            self.centres - self.centres.mean(axis=0), full_matrices=False
        )
        spanning = directions[size > 1e-9 * max(float(size.max(initial=0)), 1e-9)]
        return np.asarray(
            features @ (self.axes @ (spanning if len(spanning) else directions[:1]).T),
            dtype=np.float32,
        )


def fit_discriminant(
    features: NDArray[np.float32], y: NDArray[np.int64], weight: NDArray[np.float32]
) -> Discriminant:
    """features (n, d), y (n,) class ids, weight (n,) > 0.

    The covariance is shrunk as Ledoit and Wolf do, on features scaled to unit spread within classes
    (scikit-learn's estimator). scikit-learn's own LinearDiscriminantAnalysis does that too but
    takes no weights; here they enter the class means and the covariance.
    """
    from sklearn.covariance import LedoitWolf

    classes, target = np.unique(y, return_inverse=True)
    x = features.astype(np.float64)
    w = weight.astype(np.float64)
    member = (target[:, None] == np.arange(len(classes))) * w[:, None]  # (n, k)
    means = (member / member.sum(axis=0)).T @ x  # (k, d)
    residuals = x - means[target]
    scale = residuals.std(axis=0)
    scale[scale < 1e-9] = 1.0
    covariance = (
        LedoitWolf(assume_centered=True)
        .fit(residuals / scale * np.sqrt(w / w.mean())[:, None])
        .covariance_
    )
    # Classes of one sample each leave no spread at all: then distances in the features' own units
    # decide.
    covariance = (
        covariance + 1e-6 * np.eye(len(scale))
        if np.trace(covariance) > 1e-9
        else np.eye(len(scale))
    )
    values, vectors = np.linalg.eigh(covariance)
    axes = vectors / np.sqrt(values) / scale[:, None]
    return Discriminant(axes, means @ axes, classes)
