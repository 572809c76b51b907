"""Statistics of real training pixels: the law of each class's spectra, and the bounds of histograms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.distances import shrink_to_pooled, shrunk_covariance
from hsiaug.metrics.spectra import Space, at_most, class_means, fit_space

__all__ = ["References", "fit_references", "spectra_of"]

Float32 = NDArray[np.float32]
Array = NDArray[np.float64]

AXES = 10
MOST = 2000
"""Pixels of a class that its law is fitted on at most."""

CELLS = 64


@dataclass(frozen=True, eq=False)
class References:
    """space: of spectra (both dates stacked). means: (C, k) of the scores of each class; NaN without a training pixel.

    covariances: (C, k, k). inverses: (C, k, k) of covariances scaled to one determinant, for which class is nearest.
    edge_bounds: (63,) and change_bounds: (2, 63) rising bounds of the cells of histograms, quantiles of real pixels.
    """

    space: Space
    means: Array
    covariances: Array
    inverses: Array
    edge_bounds: Array
    change_bounds: Array

    def judge(self, images: Float32) -> tuple[Float32, NDArray[np.uint8]]:
        """Scores (n, H·W, k) and nearest class (n, H, W)."""
        n, high, wide = len(images), *images.shape[3:]
        scores = np.empty((n, high * wide, self.means.shape[1]), dtype=np.float32)
        nearest = np.empty((n, high * wide), dtype=np.uint8)
        for i in range(n):
            own = self.space.project(spectra_of(images[i]))
            best = np.full(high * wide, np.inf)
            scores[i], nearest[i] = own, 0
            for c in np.flatnonzero(~np.isnan(self.means[:, 0])):
                gap = own - self.means[c]
                square = ((gap @ self.inverses[c]) * gap).sum(axis=1)
                nearest[i] = np.where(square < best, c + 1, nearest[i])
                best = np.minimum(best, square)
        return scores, nearest.reshape(n, high, wide)


def spectra_of(image: Float32) -> Array:
    """(H·W, T·B) float64 spectra of a tile (T, B, H, W), one date after the other."""
    stacked = image.reshape(-1, image.shape[2] * image.shape[3])
    return stacked.T.astype(np.float64)


def fit_references(
    train: DenseSamples, classes: int, edges: Array, change: Array | None, rng: np.random.Generator
) -> References:
    """Laws of the classes from labelled training pixels; edges and change: real values to take quantiles of."""
    x = np.concatenate([spectra_of(image) for image in train.images])
    y = train.masks.ravel()
    labelled = np.flatnonzero(y != IGNORE)
    rows = labelled[at_most(y[labelled], MOST, rng)]
    x, y = x[rows], y[rows]
    space = fit_space(x, AXES)
    scores = space.project(x)
    k = scores.shape[1]
    ids, own_means, row = class_means(scores, y)
    centred = scores - own_means[row]
    pooled = shrunk_covariance(centred) + 1e-9 * np.eye(k)
    shape = (classes, k, k)
    means, covariances, inverses = np.full((classes, k), np.nan), np.zeros(shape), np.zeros(shape)
    for i, c in enumerate(ids - 1):
        means[c] = own_means[i]
        covariances[c], scale = shrink_to_pooled(centred[row == i], pooled)
        inverses[c] = np.linalg.inv(covariances[c]) / scale
    share = np.linspace(0, 1, CELLS + 1)[1:-1]
    bounds = np.zeros((2, CELLS - 1)) if change is None else np.quantile(change, share, axis=1).T
    return References(space, means, covariances, inverses, np.quantile(edges, share), bounds)
