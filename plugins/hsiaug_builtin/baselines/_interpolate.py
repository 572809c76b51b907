"""SMOTE, Borderline-SMOTE and ADASYN of imbalanced-learn, on samples of any size.

imbalanced-learn sees each real sample as a row of the identity matrix and takes neighbours from ranks that were
worked out once. What it returns are then convex weights over the real samples, exact and small, whether a
sample is a spectrum or a patch of 16,200 numbers; and drawing repeats no neighbour search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from numpy.typing import NDArray
from scipy import sparse
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

__all__ = ["convex_weights", "rank_neighbours"]


def rank_neighbours(features: NDArray[np.float32]) -> NDArray[np.int32]:
    """(n, n) int32: row i lists all rows of ``features`` (n, d) by growing Euclidean distance, i itself first."""
    distances = pairwise_distances(features)
    np.fill_diagonal(distances, -1)
    return np.argsort(distances, axis=1, kind="stable").astype(np.int32)


class Ranked(NearestNeighbors):  # type: ignore[misc]
    """A neighbour search over rows of the identity matrix, answered from ranks.

    ranks: what :func:`rank_neighbours` returned. n_neighbors: including the sample itself, as imbalanced-learn
    counts them.
    """

    def __init__(self, ranks: NDArray[np.int32], n_neighbors: int) -> None:
        self.ranks = ranks
        self.n_neighbors = n_neighbors

    def __sklearn_clone__(self) -> Ranked:
        return Ranked(self.ranks, self.n_neighbors)

    def fit(self, X: sparse.csr_matrix, y: None = None) -> Ranked:
        """Search among these rows of the identity."""
        self.members = X.indices
        return self

    def kneighbors(
        self, X: sparse.csr_matrix, n_neighbors: int | None = None, return_distance: bool = False
    ) -> NDArray[np.int64]:
        """(n, n_neighbors) int64 positions among the fitted rows, nearest first."""
        position = np.full(X.shape[1], -1)
        position[self.members] = np.arange(len(self.members))
        ranked = position[self.ranks[X.indices]]
        return ranked[ranked >= 0].reshape(X.shape[0], -1)[:, : self.n_neighbors]


def convex_weights(
    variant: str,
    y: NDArray[np.int64],
    ranks: NDArray[np.int32],
    wanted: tuple[int, int],
    neighbours: int,
    surroundings: int,
    seed: int,
) -> sparse.csr_matrix:
    """(count, n) float32 weights, two per row at most and summing to 1, of synthetic samples over real ones.

    variant: "smote", "borderline-smote" or "adasyn". y: (n,) class ids. wanted: (class id, count).
    """
    c, count = wanted
    size = int((y == c).sum())
    # ADASYN rounds per real sample and so loses up to a half each: ask for more and drop some.
    drawn = count + size // 2 + 1 if variant == "adasyn" else count
    k = Ranked(ranks, neighbours + 1)
    given: dict[str, Any] = {"sampling_strategy": {c: size + drawn}, "random_state": seed}
    sampler: Any
    if variant == "adasyn":
        sampler = ADASYN(n_neighbors=k, **given)
    elif variant == "borderline-smote":
        sampler = BorderlineSMOTE(k_neighbors=k, m_neighbors=Ranked(ranks, surroundings + 1), **given)
    else:
        sampler = SMOTE(k_neighbors=k, **given)
    n = len(y)
    # imbalanced-learn refuses a single class: row n is a bystander of class 0, and nobody's neighbour.
    identity = sparse.csr_matrix(sparse.identity(n + 1, format="csr"))
    weights, _ = sampler.fit_resample(identity, np.append(y, 0))
    made = weights[n + 1 :, :n].astype(np.float32)
    # ADASYN goes through the real samples in order; shuffled, any first part of a pool is fair.
    return sparse.csr_matrix(made[np.random.default_rng(seed).permutation(made.shape[0])[:count]])
