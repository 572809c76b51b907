"""Distances between two sets of spectra. All arrays are float64; equal sets have distance 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "band_correlation",
    "frechet",
    "histogram_js",
    "ks_per_band",
    "mmd_rbf",
    "root_trace",
    "shrink_to_pooled",
    "shrunk_covariance",
    "spectral_angle",
    "wasserstein_per_band",
]

Array = NDArray[np.float64]

BINS = 32
MARGIN = 0.1


def spectral_angle(u: Array, v: Array) -> Array:
    """(...,) angle in degrees between spectra u and v (..., B), in scene units (Kruse et al. 1993, SAM).

    As 2·atan2(|û − v̂|, |û + v̂|), which is exact for small angles where arccos is not. A spectrum of zeros has no
    direction: its angle to anything is taken as 90°, and as 0° to another one of zeros.
    """
    u, v = _unit(u), _unit(v)
    near, far = np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1)
    angle: Array = np.degrees(2 * np.arctan2(near, np.where(near + far > 0, far, 1.0)))
    return angle


def _unit(x: Array) -> Array:
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    scaled: Array = x / np.where(length > 0, length, 1.0)
    return scaled


def ks_per_band(a: Array, b: Array) -> Array:
    """(B,) two-sample Kolmogorov–Smirnov statistics in 0..1 between a (n, B) and b (m, B)."""
    values, gap = _distributions(a, b)
    # Between tied values the empirical distributions take no value.
    gap[:-1][values[1:] == values[:-1]] = 0.0
    statistic: Array = np.abs(gap).max(axis=0)
    return statistic


def wasserstein_per_band(a: Array, b: Array) -> Array:
    """(B,) Wasserstein-1 distances ∫|F − G|, in the units of a (n, B) and b (m, B)."""
    values, gap = _distributions(a, b)
    distance: Array = (np.abs(gap[:-1]) * np.diff(values, axis=0)).sum(axis=0)
    return distance


def _distributions(a: Array, b: Array) -> tuple[Array, Array]:
    """Sorted values of both, (n + m, B), and the difference of the empirical distributions after each."""
    both = np.concatenate([a, b])
    order = np.argsort(both, axis=0, kind="stable")
    step = np.concatenate([np.full(len(a), 1 / len(a)), np.full(len(b), -1 / len(b))])
    return np.take_along_axis(both, order, axis=0), np.cumsum(step[order], axis=0)


def band_correlation(a: Array, b: Array) -> float | None:
    """Mean |difference| of the correlations between bands (0..2), over pairs of bands that vary in both sets.

    None where a set has fewer than two spectra, or fewer than two bands vary.
    """
    if min(len(a), len(b)) < 2:
        return None
    vary = (a.std(axis=0) > 1e-12) & (b.std(axis=0) > 1e-12)
    if vary.sum() < 2:
        return None
    gap = np.abs(np.corrcoef(a[:, vary].T) - np.corrcoef(b[:, vary].T))
    return float(gap[np.triu_indices(len(gap), 1)].mean())


def shrunk_covariance(x: Array) -> Array:
    """(d, d) Ledoit–Wolf covariance of x (n, d), n ≥ 2 (Ledoit and Wolf 2004, J. Multivariate Analysis 88)."""
    from sklearn.covariance import ledoit_wolf

    covariance: Array = ledoit_wolf(x)[0]
    return covariance


def shrink_to_pooled(centred: Array, pooled: Array) -> tuple[Array, float]:
    """The covariance S of centred samples (n, d) drawn to a pooled one P, and the scale that gives it P's determinant.

    (n·S + d·P) / (n + d), for classes may have three samples (regularised discriminant analysis, Friedman 1989).
    """
    n, d = centred.shape
    blend = (centred.T @ centred + d * pooled) / (n + d)
    return blend, float(np.exp((np.linalg.slogdet(pooled)[1] - np.linalg.slogdet(blend)[1]) / d))


def root_trace(a: Array, b: Array) -> Array:
    """(...) tr (A^½ B A^½)^½ of covariances (..., d, d)."""
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(values.clip(0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    trace: Array = np.sqrt(np.linalg.eigvalsh(root @ b @ root).clip(0)).sum(axis=-1)
    return trace


def frechet(mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array) -> float:
    """Fréchet distance |μ − μ'|² + tr(S + S' − 2(S^½ S' S^½)^½) of two Gaussians (Dowson and Landau 1982).

    The formula of FID (Heusel et al. 2017, arXiv:1706.08500) without its network: the features are spectra.
    """
    gap = ((mean_a - mean_b) ** 2).sum()
    return max(0.0, float(gap + np.trace(cov_a) + np.trace(cov_b) - 2 * root_trace(cov_a, cov_b)))


def histogram_js(a: Array, b: Array, frame: Array) -> float:
    """Jensen–Shannon divergence in bits (0..1) of the 2-D histograms of a and b (n, 2), 32 × 32 bins.

    The bins span ``frame`` (k, 2), the training scores, and a tenth more on each side; what lies beyond counts in
    the outermost bins.
    """
    low, high = frame.min(axis=0), frame.max(axis=0)
    room = np.maximum(MARGIN * (high - low), 1e-9)
    p, q = (_histogram(x, low - room, high + room) for x in (a, b))
    middle = (p + q) / 2
    return float(np.clip((_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2, 0, 1))


def _histogram(x: Array, low: Array, high: Array) -> Array:
    cell = ((x - low) / (high - low) * BINS).astype(np.int64).clip(0, BINS - 1)
    counts = np.bincount(cell[:, 0] * BINS + cell[:, 1], minlength=BINS * BINS)
    return counts / len(x)


def _relative_entropy(p: Array, q: Array) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())


def mmd_rbf(a: Array, b: Array) -> float:
    """Squared maximum mean discrepancy with a Gaussian kernel, between a (n, d) and b (m, d).

    Gretton et al. 2012, JMLR 13, the biased estimate (their eq. 5), which is never negative and is 0 for equal
    sets; k(u, v) = exp(−|u − v|² / 2σ²), σ the median distance within a.
    """
    from scipy.spatial.distance import cdist, pdist

    width = float(np.median(pdist(a))) if len(a) > 1 else 0.0
    scale = 2 * (width if width > 0 else 1.0) ** 2
    within_a, within_b, across = (
        np.exp(-cdist(u, v, "sqeuclidean") / scale).mean() for u, v in ((a, a), (b, b), (a, b))
    )
    return max(0.0, float(within_a + within_b - 2 * across))
