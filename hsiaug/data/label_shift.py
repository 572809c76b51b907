"""Labels that lie a pixel beside their scene: moved by one row or column, they fit the spectra better."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray

MOST, FEWEST = 10**6, 2000
"""Pixels of a scene, and neighbours of one class, between which the question can be answered in time and at all."""
BANDS = 20
"""Bands that are looked at."""
BETTER = 0.99
"""Share of the spread within classes that is left at the better place.

Of Indian Pines, Jasper Ridge and Samson with labels moved by a pixel in each direction, 23 of 24 are told; as they are,
none. A crop of Houston 2018 is said to be a row off as it is.
"""


def better_shift(
    cube: AnyArray, labels: NDArray[np.int64], empty: NDArray[np.bool_], bands: Sequence[int]
) -> tuple[int, int] | None:
    """Rows and columns by which labels (H, W), 0 = none, would have to move to fit a cube (H, W, B); None = they fit.

    Two measures must agree: the spread of spectra within classes, and how much more spectra differ across the borders of
    labels than within them. empty: (H, W) pixels without data. bands: those that are sound.
    """
    height, width = labels.shape
    if min(height, width) < 3 or not bands or labels.size > MOST:
        return None
    chosen = np.unique(np.linspace(0, len(bands) - 1, BANDS).astype(int))
    x = np.stack([cube[:, :, bands[i]] for i in chosen], axis=2).astype(np.float32)
    x[empty] = x[~empty].mean(axis=0)
    x = ((x - x.mean(axis=(0, 1))) / (x.std(axis=(0, 1)) + 1e-12))[1:-1, 1:-1]
    down, right = (np.sqrt((np.diff(x, axis=axis) ** 2).mean(axis=2)) for axis in (0, 1))
    classes = np.unique(labels[labels != 0])
    ids = np.where(labels == 0, 0, np.searchsorted(classes, labels) + 1)
    spread: dict[tuple[int, int], float] = {}
    contrast: dict[tuple[int, int], float] = {}
    for move in product((-1, 0, 1), (-1, 0, 1)):
        y = ids[1 - move[0] : height - 1 - move[0], 1 - move[1] : width - 1 - move[1]]
        pairs = ((down, y[1:], y[:-1]), (right, y[:, 1:], y[:, :-1]))
        within = np.concatenate([step[(one == two) & (one > 0)] for step, one, two in pairs])
        across = np.concatenate([step[one != two] for step, one, two in pairs])
        if len(within) < FEWEST or not len(across):
            return None
        contrast[move] = float(across.mean() / within.mean())
        spread[move] = _spread(x[y > 0], y[y > 0])
    best = min(spread, key=spread.__getitem__)
    agree = best == max(contrast, key=contrast.__getitem__)
    return best if agree and spread[best] < BETTER * spread[0, 0] else None


def _spread(spectra: NDArray[np.float32], ids: NDArray[np.int64]) -> float:
    """Mean square distance of spectra (n, B) to the mean of their class."""
    counts = np.maximum(np.bincount(ids), 1)
    sums = np.stack([np.bincount(ids, band) for band in spectra.T])
    return float(((spectra**2).sum() - (sums**2 / counts).sum()) / len(ids))
