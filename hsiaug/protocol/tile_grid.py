"""Tiles on a place: where one fits, what it shows, and blocks of places for training and for test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SplitError
from hsiaug.core.pairs import PairSet, Place
from hsiaug.protocol.compact import dilate
from hsiaug.protocol.protocols import Areas, SplitProtocol
from hsiaug.protocol.split import class_counts

ENOUGH = 100
"""Training tiles below which the stride is halved, down to an eighth of the tile."""

SHOWN = 10
"""Pixels with which a class counts as shown on a side of a cut."""

DRAWS = 60
"""Random assignments of blocks, of which the best is taken."""

Tile = tuple[int, int, int]
"""Number of the place, first row, first column."""

Side = Sequence[NDArray[np.bool_]]
"""A mask of pixels for each place."""


def counts(pairs: PairSet, side: Side) -> tuple[int, ...]:
    """Pixels of each class, 1 to C, on a side."""
    labels = [place.mask[mask] for place, mask in zip(pairs.places, side, strict=True)]
    return class_counts(np.concatenate(labels), len(pairs.class_names))


def train_tiles(side: Side, patch: int) -> tuple[int, list[Tile]]:
    """Stride, and the tiles wholly inside ``side`` on a grid of that stride."""
    found: list[Tile] = []
    stride = max(1, patch // 2)
    for part in (2, 4, 8):
        stride = max(1, patch // part)
        found = [tile for where, mask in enumerate(side) for tile in _inside(where, mask, patch, stride)]
        if len(found) >= ENOUGH:
            break
    return stride, found


def fits(mask: NDArray[np.bool_], patch: int) -> bool:
    """Whether a tile lies wholly inside ``mask`` (H, W)."""
    return bool(_inside(0, mask, patch, 1))


def _inside(where: int, mask: NDArray[np.bool_], patch: int, stride: int) -> list[Tile]:
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = np.arange(0, mask.shape[0] - patch + 1, stride)[:, None]
    columns = np.arange(0, mask.shape[1] - patch + 1, stride)[None]
    far = (rows + patch, columns + patch)
    area = sums[far] - sums[rows, far[1]] - sums[far[0], columns] + sums[rows, columns]
    return [(where, int(r * stride), int(c * stride)) for r, c in np.argwhere(area == patch * patch)]


def cover(where: int, mask: NDArray[np.bool_], patch: int) -> list[Tile]:
    """Tiles inside ``mask`` that together cover every pixel of it that a tile can cover, with little overlap."""
    corners = [(row, column) for _, row, column in _inside(where, mask, patch, 1)]
    left = mask.copy()
    tiles: list[Tile] = []
    # Row by row, each tile whose first pixel is new; the rims that are left, from their own corners.
    for down in (0, patch - 1):
        for right in (0, patch - 1):
            # From that corner's own side, or every step would bring one new pixel only.
            for row, column in sorted(corners, key=lambda c: (-c[0] if down else c[0], -c[1] if right else c[1])):
                if left[row + down, column + right]:
                    tiles.append((where, row, column))
                    left[row : row + patch, column : column + patch] = False
    return sorted(tiles)


def best_halves(
    pairs: PairSet,
    size: int,
    area: Side,
    protocol: SplitProtocol,
    patch: int,
    rng: np.random.Generator,
    cuts: int = 1,
) -> Areas:
    """The pixels of ``area`` in blocks of about ``size`` pixels, half of which, at random, are for test.

    The cuts are moved by up to a quarter of a block at random, for a small scene could else be cut in few ways. Of 60
    such halves the one is taken with most classes of ten pixels or more on both sides, and then with most training
    tiles. The protocol's buffer keeps training tiles off test blocks: a quarter of a tile (``centre``), half
    (``patch``) or ``none``. cuts: how often the blocks are cut anew.
    """
    guard = {"none": 0, "centre": math.ceil(patch / 4), "patch": math.ceil(patch / 2)}[protocol.buffer]
    grids: list[NDArray[np.int64]] = []
    best: tuple[tuple[bool, int, int], Areas] | None = None
    for turn in range(DRAWS):
        if turn % (DRAWS // cuts) == 0:
            grids = [_grid(place, size, rng) for place in pairs.places]
        test = _half(grids, area, rng)
        train = tuple(~dilate(mask, guard) & inside for mask, inside in zip(test, area, strict=True))
        shown = sum(n >= SHOWN for n in (*counts(pairs, train), *counts(pairs, test)))
        tiles = len(train_tiles(train, patch)[1])
        # In a small area a cut may leave a side without a tile; of whole places that is an error of the blocks' size.
        whole = cuts == 1 or (tiles > 0 and any(fits(mask, patch) for mask in test))
        score = (whole, shown, tiles)
        if best is None or score > best[0]:
            best = (score, Areas(train, test))
    if best is None:
        raise SplitError(f"protocol {protocol.label} finds no blocks", hint="Choose smaller blocks.")
    return best[1]


def _half(
    grids: Sequence[NDArray[np.int64]], area: Side, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], ...]:
    """The pixels of ``area`` in half of the blocks that meet it, place by place."""
    firsts = np.cumsum([0, *(int(grid.max()) + 1 for grid in grids)])
    numbers = [first + grid for first, grid in zip(firsts, grids, strict=False)]
    blocks = np.unique(np.concatenate([mine[inside] for mine, inside in zip(numbers, area, strict=True)]))
    chosen = np.zeros(firsts[-1], dtype=bool)
    chosen[blocks[rng.permutation(len(blocks))[: max(1, len(blocks) // 2)]]] = True
    return tuple(chosen[mine] & inside for mine, inside in zip(numbers, area, strict=True))


def _grid(place: Place, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(H, W) number of the block of each pixel: blocks of about ``size`` pixels, at least two across."""
    (rows, _), (columns, across) = (_bands(side, size, rng) for side in place.mask.shape)
    grid: NDArray[np.int64] = rows[:, None] * across + columns[None]
    return grid


def _bands(side: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """(side,) number of the block of each row or column, and how many there are. Inner cuts move together."""
    count = max(2, round(side / size))
    most = side // count // 4
    moved = np.arange(side) + rng.integers(-most, most + 1)
    return np.clip(moved * count // side, 0, count - 1), count
