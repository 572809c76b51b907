"""Distances between two sets of spectra. All arrays are float64; equal sets have distance 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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


def shrunk_covariance(x: Array) -> Array:
    """(d, d) Ledoit–Wolf covariance of x (n, d), n ≥ 2 (Ledoit and Wolf 2004, J. Multivariate Analysis 88)."""
    from sklearn.covariance import ledoit_wolf

    covariance: Array = ledoit_wolf(x)[0]
    return covariance


def frechet(mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array) -> float:
    """Fréchet distance |μ − μ'|² + tr(S + S' − 2(S^½ S' S^½)^½) of two Gaussians (Dowson and Landau 1982).

    The formula of FID (Heusel et al. 2017, arXiv:1706.08500) without its network: the features are spectra.
    """
    gap = ((mean_a - mean_b) ** 2).sum()
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    trace = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    return max(0.0, float(gap + np.trace(cov_a) + np.trace(cov_b) - 2 * trace))


def frechet_between(sets: Sequence[Array]) -> tuple[float, ...]:
    """Fréchet distances of the first set (n, d) to each of the others, of Ledoit–Wolf covariances; n ≥ 2."""
    laws = [(x.mean(axis=0), np.atleast_2d(shrunk_covariance(x))) for x in sets]
    return tuple(frechet(*laws[0], *law) for law in laws[1:])
