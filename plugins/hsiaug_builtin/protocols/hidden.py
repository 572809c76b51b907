"""Protocol ``hidden``: the split of another one, with blocks whose pixels no plugin sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Based, Buffer, Card, Draw, InputError, Scene, dilate

PATCHES = 4
"""Side of a hidden block, in sides of a patch: a window of a patch then reads little of what lies
round a block.
"""

LEAST_ACROSS = 4
"""Hidden blocks across the shorter side of a scene; in small scenes they shrink for it, down to two
patches.
"""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Hidden(Based):
    """The base split, with a share of its test pixels in blocks that plugins see only when they
    predict them.

    Blocks are taken in random order while they hold no more than the share. Pixels of training
    patches stay visible. What unlabelled test pixels are worth shows in the difference between test
    pixels inside and outside the blocks: a transductive method may read the latter alone, and on
    the next flight it can read none.
    """

    card = Card(
        "hidden",
        "1",
        "The split of another protocol, with blocks of pixels hidden from all methods",
    )
    usage = "hidden:SHARE:PROTOCOL, as hidden:0.5:issd"
    example = "0.5:issd"
    nests_in = ()

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        share, _, text = argument.partition(":")
        return cls.of(cls.number(share, whole=False), text, buffer, folder)

    def buffer_radius(self, patch: int) -> int:
        return self.inner.buffer_radius(patch)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        first, _, test = self.base_draw(scene, seed, patch)
        side = max(2 * patch, min(PATCHES * patch, min(scene.shape) // LEAST_ACROSS))
        blocks = _blocks(test, float(self.head), side, self.rng_of(scene, seed))
        hidden = blocks & ~dilate(first.train, patch // 2)
        hidden_share = (hidden & test).sum() / max(1, test.sum())
        note = f"blocks of {side}×{side} pixels are hidden, {hidden_share:.0%} of the test pixels"
        return replace(first, hidden=hidden, notes=(*first.notes, note))


def _blocks(test: Mask, share: float, side: int, rng: np.random.Generator) -> Mask:
    """(H, W) pixels of the first blocks in random order, as many as hold at most ``share`` of the
    test pixels, or one.
    """
    height, width = test.shape
    down, right = rng.integers(side, size=2)
    rows = (np.arange(height) + down) // side
    columns = (np.arange(width) + right) // side
    block = rows[:, None] * (columns[-1] + 1) + columns[None, :]
    test_pixels = np.bincount(block[test], minlength=int(block.max()) + 1)
    order = rng.permutation(np.flatnonzero(test_pixels))
    if len(order) < 2:
        raise InputError(
            "`protocol` hidden needs test pixels in two blocks or more, to hide some of them",
            value=f"{len(order)} of {side}×{side} pixels",
            hint="Use smaller patches, or another protocol.",
        )
    chosen = order[
        : max(
            1,
            np.searchsorted(np.cumsum(test_pixels[order]), share * test_pixels.sum(), side="right"),
        )
    ]
    return np.isin(block, chosen)
