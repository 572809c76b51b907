"""RPSC, random polygon spatial clipping: simulates "varying degrees of mixing of training data"
(the paper's words).

The paper's algorithm is not public. Read as a polygon CutMix: a polygon of another patch is set
in, with mixed pixels at its edge. The layout of such a patch is known exactly, so that a sentence
can say it, also of neighbours that the scene does not have.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

MIN_CLIPPED_SHARE = 0.05
MAX_CLIPPED_SHARE = 0.5
"""Shares of a patch between which the clipped area lies."""
TRIES = 20
VERTICES = 8


def soft_polygons(n: int, side: int, share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, side, side) weights of another patch in about ``share`` of n patches, 0 in the rest.

    1 inside a polygon and less at its edge, as pixels at the border of two fields hold both. The
    centre and the pixels round it are 0.
    """
    weight = np.zeros((n, side, side), dtype=np.float32)
    chosen = rng.random(n) < share
    masks = polygons(int(chosen.sum()), side, rng)
    softness = rng.uniform(0.0, 1.0, size=(len(masks), 1, 1)).astype(np.float32)
    blurred = uniform_filter(masks, size=(1, 3, 3), mode="nearest")
    blurred[:, side // 2, side // 2] = 0
    weight[chosen] = (1 - softness) * masks + softness * blurred
    return weight


def polygons(n: int, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, side, side) masks of random star polygons, 1 inside, by the even-odd rule at pixel
    centres.

    Away from the centre's 3×3 and over 5 to 50 % of the patch, or empty after 20 tries.
    """
    masks = np.zeros((n, side, side), dtype=np.float32)
    unfilled = np.arange(n)
    core = slice(max(0, side // 2 - 1), side // 2 + 2)
    for _ in range(TRIES):
        drawn = _inside(_stars(len(unfilled), side, rng), side)
        drawn[:, core, core] = 0
        area = drawn.mean(axis=(1, 2))
        fits = (area >= MIN_CLIPPED_SHARE) & (area <= MAX_CLIPPED_SHARE)
        masks[unfilled[fits]] = drawn[fits]
        unfilled = unfilled[~fits]
        if not len(unfilled):
            break
    return masks


def _stars(n: int, side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, 8, 2) corners, rows and columns, of polygons with 3 to 8 vertices; the last vertex fills
    up.
    """
    count = rng.integers(3, VERTICES + 1, size=(n, 1))
    area = rng.uniform(0.1, 0.5, size=(n, 1))
    centre = rng.uniform(0, side, size=(n, 1, 2))
    vertex = np.minimum(np.arange(VERTICES), count - 1)
    radius = np.take_along_axis(rng.uniform(0.8, 1.6, size=(n, VERTICES)), vertex, axis=1)
    radius = radius * side * np.sqrt(area / np.pi)
    turn = np.take_along_axis(rng.uniform(0, 0.8, size=(n, VERTICES)), vertex, axis=1)
    angle = 2 * np.pi * (vertex + turn) / count
    corners: NDArray[np.float64] = centre + radius[:, :, None] * np.stack(
        [np.sin(angle), np.cos(angle)], axis=2
    )
    return corners


def _inside(corners: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """(n, side, side): the even-odd rule for pixel centres against closed polygons with corners (n,
    v, 2).
    """
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    odd = np.zeros((len(corners), side, side), dtype=bool)
    following = np.roll(corners, -1, axis=1)
    for k in range(corners.shape[1]):
        r0, c0 = corners[:, k, :, None, None].transpose(1, 0, 2, 3)
        r1, c1 = following[:, k, :, None, None].transpose(1, 0, 2, 3)
        crosses = (r0 > rows) != (r1 > rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = c0 + (rows - r0) / (r1 - r0) * (c1 - c0)
        odd ^= crosses & (columns < at)
    return odd.astype(np.float32)
