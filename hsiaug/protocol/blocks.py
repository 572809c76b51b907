"""Protocol ``blocks``: every block of the scene is for training or for test, never for both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.protocol.halves import best_halves
from hsiaug.protocol.protocols import Areas, Draw, SplitProtocol
from hsiaug.protocol.sampled import DEFAULT_RATIO, by_ratio, training_sizes
from hsiaug.registry.card import Card

__all__ = ["Blocks"]


class Blocks(SplitProtocol):
    """Of single pixels: B×B blocks, with the training pixels of ``issd``.

    Of masks: half of the blocks of each place, of about B pixels, are for test (:func:`best_halves`).
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
        everywhere = tuple(np.ones(place.mask.shape, dtype=bool) for place in pairs.places)
        return best_halves(pairs, int(self.argument), everywhere, self, patch, self.rng(pairs, seed))


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
