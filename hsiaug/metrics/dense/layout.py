"""Statistics of masks: class shares, adjacency of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import IGNORE

Masks = NDArray[np.int64]
Array = NDArray[np.float64]


def class_shares(masks: Masks, classes: int) -> Array:
    """(C,) share of each class of the labelled pixels; zeros where none is labelled."""
    counts = np.bincount(masks.ravel(), minlength=classes + 1)[1 : classes + 1]
    shares: Array = counts / max(1, counts.sum())
    return shares


def adjacency(masks: Masks, classes: int) -> Array:
    """(C, C) symmetric shares of the pairs of 4-neighbours that show two different classes; zeros where none do."""
    counts = np.zeros((classes + 1, classes + 1))
    for a, b in ((masks[:, :, 1:], masks[:, :, :-1]), (masks[:, 1:], masks[:, :-1])):
        apart = (a != b) & (a != IGNORE) & (b != IGNORE)
        np.add.at(counts, (a[apart], b[apart]), 1)
    counts = (counts + counts.T)[1:, 1:]
    shares: Array = counts / max(1.0, counts.sum())
    return shares


def total_variation(p: Array, q: Array) -> float:
    """Half the L1 distance of two sets of shares: 0 = alike, 1 = disjoint."""
    return float(np.abs(p - q).sum() / 2)
