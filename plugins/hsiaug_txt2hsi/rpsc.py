"""RPSC, random polygon spatial clipping: simulates "varying degrees of mixing of training data" (the paper's words).

The paper's algorithm is not public. Three readings are offered: ``mix`` pastes a polygon of another patch with weight
α (α = 1 is a polygon CutMix), ``keep`` clips to a polygon round the centre, ``erase`` blanks a polygon.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mode", "clip", "polygon"]

Mode = Literal["mix", "keep", "erase", "off"]

LEAST, MOST, TRIES = 0.05, 0.5, 20


def clip(
    x: NDArray[np.float32], donors: NDArray[np.float32], mode: Mode, share: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Patches x (n, B, p, p), z-scored, with a polygon changed in about ``share`` of them; the rest as they are.

    donors: (n, B, p, p), the other patch of each. The labelled centre and its neighbours always stay.
    """
    out = x.copy()
    if mode == "off":
        return out
    for i in np.flatnonzero(rng.random(len(x)) < share):
        mask = polygon(x.shape[2], mode, rng)
        if mode == "mix":
            alpha = np.float32(rng.uniform(0.5, 1.0))
            out[i] = x[i] * (1 - alpha * mask) + donors[i] * (alpha * mask)
        elif mode == "keep":
            out[i] = x[i] * mask
        else:
            out[i] = x[i] * (1 - mask)
    return out


def polygon(side: int, mode: Mode, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side) mask of a random star polygon, 1 inside, by the even-odd rule at pixel centres.

    For mix and erase: away from the centre's 3×3 and over 5 to 50 % of the patch, or empty after 20 draws. For keep:
    round the centre, which is always inside.
    """
    middle = side // 2
    for _ in range(TRIES):
        vertices = int(rng.integers(3, 9))
        area = rng.uniform(0.4, 0.9) if mode == "keep" else rng.uniform(0.1, 0.5)
        centre = np.full(2, middle + 0.5) if mode == "keep" else rng.uniform(0, side, size=2)
        radius = side * np.sqrt(area / np.pi) * rng.uniform(0.8, 1.6, size=vertices)
        angle = 2 * np.pi * (np.arange(vertices) + rng.uniform(0, 0.8, size=vertices)) / vertices
        mask = _inside(centre + radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1), side)
        core = slice(max(0, middle - 1), middle + 2)
        mask[core, core] = 1.0 if mode == "keep" else 0.0
        if mode == "keep" or LEAST <= mask.mean() <= MOST:
            return mask
    return np.zeros((side, side), dtype=np.float32)


def _inside(corners: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """Even-odd rule for pixel centres against a closed polygon of (row, column) corners."""
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    odd = np.zeros((side, side), dtype=bool)
    for (r0, c0), (r1, c1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (r0 > rows) != (r1 > rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = c0 + (rows - r0) / (r1 - r0) * (c1 - c0)
        odd ^= crosses & (columns < at)
    return odd.astype(np.float32)
