"""Blocks of places, half of them for training and half for test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Areas, PairSet, SplitError, SplitProtocol, dilate, fits, train_tiles

SHOWN = 10
"""Pixels with which a class counts as shown on a side of a cut."""

DRAWS = 60
"""Random assignments of blocks, of which the best is taken."""

Side = Sequence[NDArray[np.bool_]]
"""A mask of pixels for each place."""


def best_halves(
    pairs: PairSet,
    size: int,
    area: Side,
    protocol: SplitProtocol,
    patch: int,
    rng: np.random.Generator,
    cuts: int = 1,
) -> Areas:
    """The pixels of ``area`` in blocks of about ``size`` pixels, half of which, at random, are for
    test.

    The cuts are moved by up to a quarter of a block at random, for a small scene could else be cut
    in few ways. Of 60 such halves the one is taken with most classes of ten pixels or more on both
    sides, and then with most training tiles. The protocol's buffer keeps training tiles off test
    blocks: a quarter of a tile (``centre``), half (``patch``) or ``none``.

    Parameters
    ----------
    cuts : int
        How often the blocks are cut anew.
    """
    guard = {"none": 0, "centre": math.ceil(patch / 4), "patch": math.ceil(patch / 2)}[
        protocol.buffer
    ]
    grids: list[NDArray[np.int64]] = []
    best: tuple[tuple[bool, int, int], Areas] | None = None
    for turn in range(DRAWS):
        if turn % (DRAWS // cuts) == 0:
            grids = [_grid(place.mask.shape, size, rng) for place in pairs.places]
        test = _half(grids, area, rng)
        train = tuple(
            ~dilate(mask, guard) & inside for mask, inside in zip(test, area, strict=True)
        )
        large_classes = sum(n >= SHOWN for side in (train, test) for n in _counts(pairs, side))
        tiles = len(train_tiles(train, patch)[1])
        # In a small area a cut may leave a side without a tile; of whole places that is an error of
        # the blocks' size.
        whole = cuts == 1 or (tiles > 0 and any(fits(mask, patch) for mask in test))
        score = (whole, large_classes, tiles)
        if best is None or score > best[0]:
            best = (score, Areas(train, test))
    if best is None:
        raise SplitError(
            f"protocol {protocol.label} finds no blocks", hint="Choose smaller blocks."
        )
    return best[1]


def _counts(pairs: PairSet, side: Side) -> list[int]:
    """Pixels of each class, 1 to C, on a side."""
    ids = np.concatenate([place.mask[mask] for place, mask in zip(pairs.places, side, strict=True)])
    counts: list[int] = np.bincount(ids, minlength=len(pairs.class_names) + 1)[1:].tolist()
    return counts


def _half(
    grids: Sequence[NDArray[np.int64]], area: Side, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], ...]:
    """The pixels of ``area`` in half of the blocks that meet it, place by place."""
    firsts = np.cumsum([0, *(int(grid.max()) + 1 for grid in grids)])
    numbers = [first + grid for first, grid in zip(firsts, grids, strict=False)]
    blocks = np.unique(
        np.concatenate([block_ids[inside] for block_ids, inside in zip(numbers, area, strict=True)])
    )
    chosen = np.zeros(firsts[-1], dtype=bool)
    chosen[blocks[rng.permutation(len(blocks))[: max(1, len(blocks) // 2)]]] = True
    return tuple(
        chosen[block_ids] & inside for block_ids, inside in zip(numbers, area, strict=True)
    )


def _grid(shape: tuple[int, ...], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(H, W) number of the block of each pixel: blocks of about ``size`` pixels, at least two
    across.
    """
    (rows, _), (columns, across) = (_bands(side, size, rng) for side in shape)
    grid: NDArray[np.int64] = rows[:, None] * across + columns[None]
    return grid


def _bands(side: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """(side,) number of the block of each row or column, and how many there are. Inner cuts move
    together.
    """
    count = max(2, round(side / size))
    most = side // count // 4
    moved = np.arange(side) + rng.integers(-most, most + 1)
    return np.clip(moved * count // side, 0, count - 1), count
