"""The pixel grid as a graph whose edges are weak across spectral borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse


def grid_graph(coords: NDArray[np.int32], guide: NDArray[np.float32]) -> sparse.csr_array:
    """(n, n) symmetric weights exp(−d² / median d²) between those of ``coords`` (n, 2) that are
    4-neighbours.

    The weights are those of Grady, Random Walks for Image Segmentation, IEEE TPAMI 28(11), 2006,
    equation 1.

    Parameters
    ----------
    guide : (n, d) float32
        Spectral features; d² is their mean squared difference.
    """
    from scipy import sparse

    n = len(coords)
    height, width = coords.max(axis=0) + 1
    index = np.full((height, width), -1, dtype=np.int64)
    index[coords[:, 0], coords[:, 1]] = np.arange(n)
    pairs = [(index[:-1], index[1:]), (index[:, :-1], index[:, 1:])]
    a = np.concatenate([first.ravel() for first, _ in pairs])
    b = np.concatenate([second.ravel() for _, second in pairs])
    present = (a >= 0) & (b >= 0)
    a = a[present]
    b = b[present]
    square = ((guide[a] - guide[b]) ** 2).mean(axis=1, dtype=np.float64)
    weight = np.exp(-square / max(float(np.median(square)), 1e-12)) if len(square) else square
    half = sparse.coo_array((weight, (a, b)), shape=(n, n))
    return sparse.csr_array(half + half.T)


def spread(
    votes: NDArray[np.float64], graph: sparse.csr_array, alpha: float, rounds: int
) -> NDArray[np.float64]:
    """Votes (n, k) after ``rounds`` of q ← (1 − α)·votes + α·(weighted mean of the neighbours' q);
    rows sum to 1.

    The iteration of Zhou et al., Learning with Local and Global Consistency, NIPS 2003, with the
    random walk's normalisation, and with soft votes of every pixel in place of a few labels.
    """
    from scipy import sparse

    step = sparse.diags_array(1 / np.maximum(graph.sum(axis=1), 1e-12)) @ graph
    q = votes
    for _ in range(rounds):
        q = (1 - alpha) * votes + alpha * (step @ q)
    return np.asarray(q / np.maximum(q.sum(axis=1, keepdims=True), 1e-12))
