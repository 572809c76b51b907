"""What tiles show, without labels: kinds of ground, and connected regions of one kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["kinds_of_ground", "sized"]

KINDS = 12
"""Clusters."""
AXES = 6
"""Principal components that are clustered."""
PIXELS = 5000
"""Of all tiles, from which the clusters are found."""
SMOOTH = 0.7
"""Standard deviation in pixels of the filter that keeps single pixels from being regions."""
SIZES = (0.25, 0.95)
"""Quantiles of the sizes of real changes between which those of regions lie."""


def kinds_of_ground(images: NDArray[np.float32], seed: int) -> NDArray[np.int64]:
    """(n, T, H, W) kind of each pixel, from 1: k-means over the principal components of the smoothed images."""
    from scipy.ndimage import gaussian_filter
    from sklearn.cluster import KMeans

    n, dates, bands, height, width = images.shape
    smooth = gaussian_filter(images, (0, 0, 0, SMOOTH, SMOOTH))
    pixels = smooth.transpose(0, 1, 3, 4, 2).reshape(-1, bands)
    spread = pixels.std(axis=0)
    pixels = (pixels - pixels.mean(axis=0)) / np.where(spread > 0, spread, 1)
    some = pixels[np.random.default_rng(seed).permutation(len(pixels))[:PIXELS]]
    axes = np.linalg.svd(some.T @ some / len(some))[0][:, :AXES]
    few = min(KINDS, len(np.unique(some @ axes, axis=0)))
    found = KMeans(few, n_init=1, random_state=seed).fit(some @ axes).predict(pixels @ axes)
    return np.asarray(1 + found.reshape(n, dates, height, width), dtype=np.int64)


def sized(sizes: NDArray[np.int64], real: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of the ``sizes`` (m,) that lie where most of the ``real`` ones lie; all of them where none does."""
    low, high = np.quantile(real, SIZES)
    found = np.flatnonzero((sizes >= low) & (sizes <= high))
    return found if len(found) else np.arange(len(sizes))
