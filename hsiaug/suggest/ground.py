"""Features of a scene's pixels and segments of similar neighbours, without any label.

Everything is worked out in stripes of rows; beside the cube, memory holds ``COMPONENTS`` numbers per pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.scene import UnlabelledScene
from hsiaug.core.segments import find_segments
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import FEWEST, RAW, UNIT
from hsiaug.data.bounds import STRIPE_BYTES

COMPONENTS = 10
"""Principal components of the spectra, in which pixels are compared."""
SIDE = 7
"""Pixels along the side of a segment, about."""
MOST_SEGMENTS = 3000
"""Larger scenes get larger segments, so that every pair of them can be compared."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ground:
    """features: (H, W, k) float32, with a total variance of 1. segments: (H, W) int32, 0, 1, … data: (H, W) bool, pixels
    that are not 0 in every band.
    """

    features: Floats
    segments: NDArray[np.int32]
    data: NDArray[np.bool_]


def ground_of(scene: UnlabelledScene) -> Ground:
    """The ground of a scene: features of its pixels, and its segments."""
    features, data = _features(scene)
    height, width = scene.shape
    side = max(SIDE, int(np.ceil((height * width / MOST_SEGMENTS) ** 0.5)))
    return Ground(features, find_segments(features, side), data)


def _features(scene: UnlabelledScene) -> tuple[Floats, NDArray[np.bool_]]:
    """Principal components of z-scored spectra of unit norm, so that light and shade do not count as ground."""
    spectra = SpectralView(UNIT if scene.bands >= FEWEST else RAW, scene.wavelengths)
    data = np.zeros(scene.shape, dtype=bool)
    total, square, count = np.zeros(scene.bands), np.zeros((scene.bands, scene.bands)), 0
    for rows in _stripes(scene):
        data[rows] = scene.cube[rows].any(axis=2)
        x = spectra(scene.cube[rows][data[rows]], axis=1).astype(np.float64)
        total, square, count = total + x.sum(axis=0), square + x.T @ x, count + len(x)
    mean = total / max(count, 1)
    covariance = square / max(count, 1) - np.outer(mean, mean)
    std = np.sqrt(np.maximum(np.diag(covariance), 0))
    std[std < 1e-12] = 1.0
    values, vectors = np.linalg.eigh(covariance / np.outer(std, std))
    largest = slice(None, -COMPONENTS - 1, -1)
    project = vectors[:, largest] / std[:, None] / np.sqrt(max(float(values[largest].sum()), 1e-12))
    features = np.zeros((*scene.shape, project.shape[1]), dtype=np.float32)
    for rows in _stripes(scene):
        x = spectra(scene.cube[rows][data[rows]], axis=1).astype(np.float64)
        features[rows][data[rows]] = (x - mean) @ project
    return features, data


def _stripes(scene: UnlabelledScene) -> Iterator[slice]:
    height, width = scene.shape
    step = max(1, STRIPE_BYTES // (8 * scene.bands * width))
    return (slice(top, top + step) for top in range(0, height, step))
