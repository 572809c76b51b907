"""Folds and halves of real patches by spatial blocks, so that no pixel of a test patch is learnt
from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.samples import Indexable

Ints = NDArray[np.int64]

FOLDS = 3
HALVES = 2
BLOCKS = (3, 2, 1)
"""Sides of a block, in windows, of which the largest is taken that gives blocks enough."""
MIN_BLOCKS_PER_CELL = 3
"""Blocks that a cell, which is one half of a fold, has at least where the blocks are larger than a
window.
"""


@dataclass(frozen=True, eq=False)
class Side(Indexable):
    """Where the samples of one side of a two-sample test stand in its cross-validation.

    Attributes
    ----------
    rows : (n,) int64
        Of the samples, among those that it was taken from.
    y, block, fold, half : (n,) int64
        Class; what the bootstrap draws whole; fold and half, from 0.
    """

    rows: Ints
    y: Ints
    block: Ints
    fold: Ints
    half: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def corners(self) -> Ints:
        """(n,) the class, fold and half of each sample as one number."""
        corners: Ints = (self.y * FOLDS + self.fold) * HALVES + self.half
        return corners


def spatial_cells(
    places: NDArray[np.integer], y: NDArray[np.integer], side: int, rng: np.random.Generator
) -> Side | None:
    """Deal real windows to folds and halves, block by block.

    Parameters
    ----------
    places : (n, 3) integers
        The image that a window lies in, and its first row and column.
    y : (n,) integers
        What shall be spread evenly over folds and halves: classes.
    side : int
        Height and width of a window in pixels.
    rng : Generator
        Breaks ties between cells.

    Returns
    -------
    Side or None
        Those that lie whole in one block. Windows of different cells, which are one half of a fold,
        share no pixel. None where there are fewer blocks than cells.
    """
    cells = FOLDS * HALVES
    for size in BLOCKS:
        first = places[:, 1:] // (size * side)
        last = (places[:, 1:] + side - 1) // (size * side)
        rows = np.flatnonzero((first == last).all(axis=1))
        keys = np.column_stack([places[rows, 0], first[rows]])
        block = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
        blocks = block.max(initial=-1) + 1
        if blocks >= cells * (MIN_BLOCKS_PER_CELL if size > BLOCKS[-1] else 1):
            cell = _deal_blocks(block, y[rows], rng)[block]
            classes = y[rows].astype(np.int64)
            return Side(rows, classes, block, cell // HALVES, cell % HALVES)
    return None


def _deal_blocks(block: Ints, y: NDArray[np.integer], rng: np.random.Generator) -> Ints:
    """(blocks,) the cell of each block: large ones first, each to where its classes are fewest."""
    ids, classes = np.unique(y, return_inverse=True)
    counts = np.zeros((block.max() + 1, len(ids)))
    np.add.at(counts, (block, classes), 1)
    shares = counts / counts.sum(axis=0)
    filled = np.zeros((FOLDS * HALVES, len(ids)))
    cell = np.empty(len(counts), dtype=np.int64)
    shuffled = rng.permutation(len(counts))
    for b in shuffled[np.argsort(-shares[shuffled].sum(axis=1), kind="stable")]:
        order = rng.permutation(len(filled))
        crowded = ((filled[order] + shares[b]) ** 2).sum(axis=1) - (filled[order] ** 2).sum(axis=1)
        cell[b] = order[crowded.argmin()]
        filled[cell[b]] += shares[b]
    return cell
