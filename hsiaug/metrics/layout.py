"""Layout of patches and tiles: how neighbouring pixels belong together, how many edges there are,
and what they part.

Maps are (n, k, H, W): n patches or tiles, k principal components. Every function reads pairs of
pixels of one patch only. A pair is two pixels of a row, or of a column, that lie ``lag`` pixels
apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.samples import Indexable
from hsiaug.metrics.spectra import Space, spectral_angle

Array = NDArray[np.float64]
Floats = NDArray[np.floating]

SHOWN = 3
"""Leading principal components that edges and correlations are taken of."""
EDGES = 0.9
"""Quantile of the gradients of real pixels above which a gradient is an edge."""
BATCH = 256
"""Patches that are put on principal components at once."""


@dataclass(frozen=True, eq=False)
class LayoutMaps(Indexable):
    """What layout is measured on.

    Attributes
    ----------
    scores : (n, k, H, W) float32
        Principal components.
    residual : (n, H, W) float32
        The length of what they leave out.
    across : (n, H − 1, W − 1) float32
        The spectral angle in degrees between a pixel and its right or lower neighbour, the
        larger of the two.
    """

    scores: NDArray[np.float32]
    residual: NDArray[np.float32]
    across: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)


def layout_maps(x: Floats, space: Space) -> LayoutMaps:
    """Put patches on principal components.

    Parameters
    ----------
    x : (n, B, H, W) floats
        Patches in scene units.
    space : Space
        z-score and principal axes, fitted on real spectra.

    Returns
    -------
    LayoutMaps
        Of the same n patches.
    """
    n, _, high, wide = x.shape
    scores = np.empty((n, space.axes.shape[1], high, wide), dtype=np.float32)
    residual = np.empty((n, high, wide), dtype=np.float32)
    across = np.empty((n, max(high - 1, 0), max(wide - 1, 0)), dtype=np.float32)
    for start in range(0, n, BATCH):
        rows = slice(start, start + BATCH)
        spectra = np.moveaxis(x[rows], 1, -1).astype(np.float64)
        z = space.z(spectra)
        projected = z @ space.axes
        scores[rows] = np.moveaxis(projected, -1, 1)
        residual[rows] = np.sqrt(np.maximum((z**2).sum(axis=-1) - (projected**2).sum(axis=-1), 0))
        corner = spectra[:, :-1, :-1]
        right = spectral_angle(corner, spectra[:, :-1, 1:])
        lower = spectral_angle(corner, spectra[:, 1:, :-1])
        across[rows] = np.maximum(right, lower)
    return LayoutMaps(scores, residual, across)


def _pairs(maps: Floats, lag: int) -> tuple[Array, Array]:
    """Two (k, pairs) float64: the pixels of all pairs ``lag`` apart in maps (n, k, H, W), first and
    second ones.
    """
    by_component = np.moveaxis(maps, 1, 0).astype(np.float64)
    k = len(by_component)
    firsts = [by_component[..., :-lag].reshape(k, -1), by_component[..., :-lag, :].reshape(k, -1)]
    seconds = [by_component[..., lag:].reshape(k, -1), by_component[..., lag:, :].reshape(k, -1)]
    return np.concatenate(firsts, axis=1), np.concatenate(seconds, axis=1)


def neighbour_correlation(maps: Floats, *, within: bool = False) -> Array:
    """Pearson correlation of neighbouring pixels, over all pairs of all patches.

    Parameters
    ----------
    maps : (n, k, H, W) floats
        Components of patches; H and W above 1.
    within : bool
        Take each patch's mean out first. Otherwise differences between patches count too, which in
        scenes of fields are most of the variance: shuffled pixels then keep much of their
        correlation.

    Returns
    -------
    (k,) float64
        Of each component; NaN where a component does not vary.
    """
    if within:
        maps = maps - maps.mean(axis=(2, 3), keepdims=True)
    first, second = _pairs(maps, 1)
    first = first - first.mean(axis=1, keepdims=True)
    second = second - second.mean(axis=1, keepdims=True)
    length = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    correlation: Array = np.where(length > 0, products / np.where(length > 0, length, 1), np.nan)
    return correlation


def variogram(maps: Floats, lags: Sequence[int]) -> Array:
    """Half the mean squared difference of pixels some way apart (Matheron 1963).

    Parameters
    ----------
    maps : (n, k, H, W) float
        Components of patches.
    lags : sequence of int
        Distances in pixels.

    Returns
    -------
    (lags, k) float64
    """
    rows = []
    for lag in lags:
        first, second = _pairs(maps, lag)
        rows.append(((second - first) ** 2).mean(axis=1) / 2)
    return np.stack(rows)


def gradients(maps: Floats) -> Array:
    """(n, H − 1, W − 1) length of the gradient of maps (n, k, H, W), by differences to the right
    and lower neighbour.
    """
    corner = maps[..., :-1, :-1].astype(np.float64)
    right = maps[..., :-1, 1:] - corner
    lower = maps[..., 1:, :-1] - corner
    length: Array = np.sqrt((right**2 + lower**2).sum(axis=1))
    return length


def edge_threshold(real: Floats) -> float:
    """The gradient of the first components that one real pixel in ten exceeds.

    Parameters
    ----------
    real : (n, k, H, W) float
        Components of real patches.

    Returns
    -------
    float
    """
    return float(np.quantile(gradients(real[:, :SHOWN]), EDGES))


def edge_share(maps: Floats, threshold: float) -> float:
    """Share of pixels that lie on an edge.

    Parameters
    ----------
    maps : (n, k, H, W) float
        Components of patches.
    threshold : float
        Gradient of the first components above which a pixel lies on an edge.

    Returns
    -------
    float
        0..1.
    """
    return float((gradients(maps[:, :SHOWN]) > threshold).mean())


def layout_features(maps: LayoutMaps) -> Array:
    """What a forest reads of patches.

    Parameters
    ----------
    maps : LayoutMaps
        Of patches of more than one pixel.

    Returns
    -------
    (n, F) float64
        For each component, and for the length of the residual: mean, means over a grid of 3×3
        blocks, logarithm of the variance; for each lag that fits, row-wise and column-wise, the
        logarithm of the variogram as a part of the variance; correlation of neighbours; the largest
        gradient in deviations; kurtosis of pixels and of gradients.
    """
    x = np.concatenate([maps.scores, maps.residual[:, None]], axis=1).astype(np.float64)
    side = min(x.shape[2:])
    tiny = 1e-9
    mean = x.mean(axis=(2, 3))
    centred = x - mean[:, :, None, None]
    variance = (centred**2).mean(axis=(2, 3)) + tiny
    features = [mean, np.log(variance), *_grid_means(x)]
    for lag in (lag for lag in (1, 2, 3, 4, 8, 16) if lag < side):
        for ends in (
            (np.s_[..., lag:], np.s_[..., :-lag]),
            (np.s_[..., lag:, :], np.s_[..., :-lag, :]),
        ):
            step = x[ends[0]] - x[ends[1]]
            energy = (step**2).mean(axis=(2, 3)) + tiny
            products = (centred[ends[0]] * centred[ends[1]]).mean(axis=(2, 3))
            features += [np.log(energy / variance), products / variance]
            if lag == 1:
                features.append(np.abs(step).max(axis=(2, 3)) / np.sqrt(variance))
                features.append((step**4).mean(axis=(2, 3)) / energy**2)
    features.append((centred**4).mean(axis=(2, 3)) / variance**2)
    return np.concatenate(features, axis=1).astype(np.float32)


def _grid_means(x: Array) -> list[Array]:
    """Means (n, k) over the 3×3 blocks of x (n, k, H, W); none of a patch that is smaller than
    these.
    """
    if min(x.shape[2:]) < 3:
        return []
    rows = np.array_split(np.arange(x.shape[2]), 3)
    columns = np.array_split(np.arange(x.shape[3]), 3)
    return [
        x[:, :, r[0] : r[-1] + 1, c[0] : c[-1] + 1].mean(axis=(2, 3)) for r in rows for c in columns
    ]
