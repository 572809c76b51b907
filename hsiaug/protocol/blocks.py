"""Protocol ``blocks``: every block of the scene is for training or for test, never for both."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import SplitError
from hsiaug.pairs import PairSet, Place
from hsiaug.plugins.card import Card
from hsiaug.protocol.compact import dilate
from hsiaug.protocol.protocols import Areas, Draw, Protocol
from hsiaug.protocol.sampled import DEFAULT_RATIO, by_ratio, training_sizes
from hsiaug.protocol.split import THIN
from hsiaug.protocol.tile_grid import counts, train_tiles
from hsiaug.scene import Scene

__all__ = ["Blocks"]

DRAWS = 60
"""Random assignments of blocks, of which the best is taken."""


class Blocks(Protocol):
    """Of single pixels: B×B blocks, with the training pixels of ``issd``.

    Of masks: each place is cut into blocks of about B pixels, the cuts moved by up to a quarter of a block at random,
    for a small scene could else be cut in few ways; half of the blocks, at random, are for test. Of 60 such halves the
    one is taken with most classes of ten pixels or more on both sides, and then with most training tiles. The buffer
    keeps training tiles off test blocks: a quarter of a tile (``centre``), half (``patch``) or ``none``.
    """

    card = Card(
        "blocks",
        "1",
        "Blocks of B×B pixels, each for training or for test",
        tasks=("pixels", "segmentation", "change"),
    )
    usage = "blocks:B, the side of a block in pixels, as blocks:16"
    takes = "number"
    example = "16"
    left_out = "left over in blocks"

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        sizes, notes = training_sizes(scene, by_ratio(DEFAULT_RATIO))
        train, dropped = _block_draw(scene.labels, sizes, int(self.argument), self.rng(scene, seed))
        return Draw(train, dropped, notes)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        size, rng = int(self.argument), self.rng(pairs, seed)
        guard = {"none": 0, "centre": math.ceil(patch / 4), "patch": math.ceil(patch / 2)}[self.buffer]
        grids = [_grid(place, size, rng) for place in pairs.places]
        total = sum(int(grid.max()) + 1 for grid in grids)
        best: tuple[tuple[int, int], Areas] | None = None
        for _ in range(DRAWS):
            test = _half(grids, total, rng)
            train = tuple(~dilate(mask, guard) for mask in test)
            shown = sum(n >= THIN for n in (*counts(pairs, train), *counts(pairs, test)))
            score = (shown, len(train_tiles(train, patch)[1]))
            if best is None or score > best[0]:
                best = (score, Areas(train, test))
        if best is None:
            raise SplitError(f"protocol {self.label} finds no blocks", hint="Choose smaller blocks.")
        return best[1]


def _block_draw(
    labels: NDArray[np.int16], sizes: Mapping[int, int], side: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Train and dropped pixels: blocks are taken, class by class from the smallest on, until each has its pixels.

    A block is for training or for test, never for both: its other labelled pixels are dropped.
    """
    height, width = labels.shape
    down, right = rng.integers(side, size=2)
    across = (width + side - 1) // side + 1
    rows = (np.arange(height) + down) // side
    columns = (np.arange(width) + right) // side
    block = rows[:, None] * across + columns[None, :]
    order = rng.permutation(int(block.max()) + 1)
    chosen = np.zeros(len(order), dtype=bool)
    train = np.zeros(labels.shape, dtype=bool)
    for c in sorted(sizes, key=lambda c: ((labels == c).sum(), c)):
        pixels = np.flatnonzero(labels == c)
        home = block.flat[pixels]
        # Blocks already taken first, then in random order; stable, so a block's pixels stay together.
        queue = pixels[np.lexsort((order[home], ~chosen[home]))][: sizes[c]]
        train.flat[queue] = True
        chosen[block.flat[queue]] = True
    return train, chosen[block] & (labels > 0) & ~train


def _half(grids: list[NDArray[np.int64]], total: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], ...]:
    """The pixels of half of the blocks, place by place."""
    chosen = np.zeros(total, dtype=bool)
    chosen[rng.permutation(total)[: max(1, total // 2)]] = True
    half, first = [], 0
    for grid in grids:
        half.append(chosen[first + grid])
        first += int(grid.max()) + 1
    return tuple(half)


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
