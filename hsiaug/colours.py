"""Colour composites: three bands of a cube as people see them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["rgb_bands", "stretched", "true_colours"]

RED, GREEN, BLUE = 660.0, 560.0, 490.0
"""nm."""


def rgb_bands(wavelengths: NDArray[np.float64] | None, bands: int) -> tuple[int, int, int]:
    """The bands nearest to red, green and blue; thirds of the range where wavelengths are not known."""
    if wavelengths is None:
        return (3 * bands // 4, bands // 2, bands // 4)
    red, green, blue = (int(np.abs(wavelengths - centre).argmin()) for centre in (RED, GREEN, BLUE))
    return red, green, blue


def stretched(
    rgb: NDArray[np.float32], low: NDArray[np.floating[Any]], high: NDArray[np.floating[Any]]
) -> NDArray[np.uint8]:
    """(..., 3) uint8 of three bands (..., 3), each from ``low`` to ``high`` (3,)."""
    share = (rgb - low) / np.maximum(high - low, 1e-12)
    colours: NDArray[np.uint8] = np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return colours


def true_colours(cube: Any, wavelengths: NDArray[np.float64] | None, step: int) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 of every step-th row and column of a cube (H, W, B): the bands nearest to red, green and blue, each
    from its 2nd to its 98th percentile of the pixels that have data.
    """
    rgb = cube[::step, ::step, list(rgb_bands(wavelengths, cube.shape[2]))]
    seen = rgb[rgb.any(axis=2)]
    low, high = (np.percentile(seen, q, axis=0) for q in (2, 98)) if len(seen) else (np.zeros(3), np.ones(3))
    return stretched(rgb, low, high)
