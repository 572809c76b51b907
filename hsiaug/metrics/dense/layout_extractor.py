"""layoutfd-1: features of whole tiles that keep layout, for Fréchet distances. A number compares
under one id only.

specfd-2 (:mod:`hsiaug.metrics.dense.extractor`) averages its filters over the tile, and so cannot
tell a tile from one whose blocks are shuffled. These features say how far filter responses reach:
at each scale, up to half of the tile, how neighbouring responses correlate. They are of maps that
are scaled tile by tile, so that light and contrast do not count.
"""

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.dense.extractor import Blocks, filtered, halved

Array = NDArray[np.float64]

LAYOUT_EXTRACTOR = "layoutfd-1"
"""Any change of what follows needs a new id."""

WIDTH = 16
LAGS = (1, 2)
SMALLEST = 4
"""Pixels of a side below which maps are halved no further."""
BATCH = 16
TINY = 1e-6


def layout_blocks(maps: NDArray[np.floating], of: str) -> Blocks:
    """Features of whole tiles, kind by kind.

    Parameters
    ----------
    maps : (n, k, H, W) floats
        Components of one date, or classes of masks as 0 and 1.
    of : str
        What the maps show; the filters are drawn once for each ``of`` and k.

    Returns
    -------
    tuple of (n, F_i) float64
        Of each scale, with maps at half the resolution of the one before: logarithms of the shares
        of energy of 16 random 3×3 filters; correlations of their responses, rectified, between
        neighbours one and two pixels apart.
    """
    rng = np.random.default_rng(derive_seed(LAYOUT_EXTRACTOR, of, maps.shape[1]))
    weights = rng.normal(0, 1 / np.sqrt(9 * maps.shape[1]), (maps.shape[1], 9, WIDTH))
    weights[:, :, : WIDTH // 2] -= weights[:, :, : WIDTH // 2].mean(axis=1, keepdims=True)
    weights = weights.reshape(-1, WIDTH)
    rows = [_of_batch(maps[start : start + BATCH], weights) for start in range(0, len(maps), BATCH)]
    return tuple(np.concatenate(kind) for kind in zip(*rows, strict=True))


def _of_batch(maps: NDArray[np.floating], weights: Array) -> list[Array]:
    x = maps.astype(np.float64)
    x = x - x.mean(axis=(2, 3), keepdims=True)
    x = x / (np.sqrt((x**2).mean(axis=(1, 2, 3), keepdims=True)) + TINY)
    features = []
    while True:
        responses = np.abs(filtered(x, weights))
        energy = (responses**2).mean(axis=(2, 3)) + TINY
        features.append(np.log(energy))
        features.append(np.concatenate([_correlations(responses, lag) for lag in LAGS], axis=1))
        if min(x.shape[2:]) < 2 * SMALLEST:
            return features
        x = halved(x)


def _correlations(x: Array, lag: int) -> Array:
    """(n, 2k) correlations of pixels of maps (n, k, H, W) that lie ``lag`` apart, along rows and
    along columns.
    """
    if lag >= min(x.shape[2:]):
        return np.zeros((len(x), 2 * x.shape[1]))
    centred = x - x.mean(axis=(2, 3), keepdims=True)
    variance = (centred**2).mean(axis=(2, 3)) + TINY
    along = (centred[..., lag:] * centred[..., :-lag]).mean(axis=(2, 3))
    down = (centred[..., lag:, :] * centred[..., :-lag, :]).mean(axis=(2, 3))
    return np.concatenate([along / variance, down / variance], axis=1)
