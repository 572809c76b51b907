"""Statistics of masks: class shares, segments, adjacency of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import IGNORE

Masks = NDArray[np.int64]
Array = NDArray[np.float64]


def segments(masks: Masks) -> NDArray[np.int64]:
    """(n, H, W) ids 1, 2, … of the 4-connected regions of one class, 0 where there is no label; no id spans tiles."""
    from scipy.ndimage import label

    cross = np.zeros((3, 3, 3), dtype=int)
    cross[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    ids = np.zeros(masks.shape, dtype=np.int64)
    for c in np.unique(masks[masks != IGNORE]):
        regions = label(masks == c, structure=cross)[0]
        ids += np.where(regions > 0, regions + ids.max(), 0)
    return ids


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
