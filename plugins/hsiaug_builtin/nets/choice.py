"""Choice of how much of its neighbourhood a pixel is named by, from training pixels that were left
out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLEAR = 2 / 3
"""Share of the largest gain that a wider neighbourhood must have."""


def mean_logarithms(logarithms: Floats, y: NDArray[np.int64]) -> Floats:
    """(w,) means over classes of the means of ``logarithms`` (w, n) over their samples; NaN where
    none was left out.
    """
    left_out = np.isfinite(logarithms[0])
    classes = np.unique(y[left_out])
    if not len(classes):
        return np.full(len(logarithms), np.nan)
    return np.asarray(
        np.mean([logarithms[:, left_out & (y == c)].mean(axis=1) for c in classes], axis=0)
    )


def strongest(scores: Floats) -> int:
    """Index of the last of the ``scores`` (w,) with CLEAR of the largest gain over the first; 0
    where none gains.

    Ways stand from one that reads no neighbour to one that reads many. Left-out pixels lie in
    fields with labels, where few suffice: hence not the one with the largest gain. Where nothing
    could be left out (NaN) it is the second.
    """
    gains = scores - scores[0]
    if not np.isfinite(gains).all():
        return min(1, len(gains) - 1)
    return int(np.flatnonzero(gains >= CLEAR * gains.max())[-1]) if gains.max() > 0 else 0
