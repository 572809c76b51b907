"""Another protocol's draw on a scene of which some blocks are hidden: ground that no plugin sees in any form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.scene import Scene
from hsiaug.protocol.compact import dilate
from hsiaug.protocol.protocols import Buffer, Draw, SplitProtocol, draw_train, parse_protocol
from hsiaug.protocol.within import not_nested
from hsiaug.registry.card import Card

__all__ = ["Hidden"]

PATCHES = 4
"""Side of a block, in sides of a patch: a window of a patch then reads little of what lies round a block."""

LEAST_ACROSS = 4
"""Blocks across the shorter side of a scene; in small scenes blocks shrink for it, down to two patches."""


@dataclass(frozen=True)
class Hidden(SplitProtocol):
    """The base draw, with a share of its test pixels in blocks that plugins see only when they predict them.

    Blocks are taken in random order while they hold no more than the share. Pixels of training patches stay visible. What
    unlabelled test pixels are worth shows in the difference between test pixels inside and outside the blocks: a
    transductive method may read the latter alone, and on the next flight it can read none.

    base: the protocol whose draw it is; the argument says it.
    """

    card = Card("hidden", "1", "The draw of another protocol, with blocks whose pixels no plugin sees")
    usage = "hidden:SHARE:PROTOCOL, as hidden:0.5:issd"
    example = "0.5:issd"

    base: SplitProtocol | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        share, _, text = argument.partition(":")
        base = replace(not_nested(cls, text, folder), buffer=buffer)
        return cls(f"{cls.number(share, whole=False)}:{base.name}:{base.argument}".removesuffix(":"), buffer, base)

    @property
    def parts(self) -> tuple[float, SplitProtocol]:
        """The share of test pixels that is hidden, and the base protocol."""
        share, _, text = self.argument.partition(":")
        return float(share), self.base or parse_protocol(text, self.buffer)

    @property
    def text(self) -> str:
        share, base = self.parts
        return f"{self.name}:{share:g}:{base.text}"

    @property
    def short(self) -> str:
        share, base = self.parts
        return f"{self.name}:{share:g}:{base.short}"

    @property
    def reads_fields(self) -> bool:
        return self.parts[1].reads_fields

    def buffer_radius(self, patch: int) -> int:
        return self.parts[1].buffer_radius(patch)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        share, base = self.parts
        first = draw_train(scene, base, patch, seed)
        test = (scene.labels > 0) & ~first.train & ~first.dropped & ~dilate(first.train, self.buffer_radius(patch))
        # Without the share, so that a smaller one hides the first blocks of a larger.
        identity = (base.name, base.argument, base.buffer)
        rng = np.random.default_rng(derive_seed("hidden", scene.drawn_as, *identity, seed))
        side = max(2 * patch, min(PATCHES * patch, min(scene.shape) // LEAST_ACROSS))
        hidden = _blocks(test, share, side, rng) & ~dilate(first.train, patch // 2)
        found = (hidden & test).sum() / max(1, test.sum())
        note = f"blocks of {side}×{side} pixels are hidden, {found:.0%} of the test pixels"
        return replace(first, hidden=hidden, notes=(*first.notes, note))


def _blocks(test: NDArray[np.bool_], share: float, side: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(H, W) pixels of the first blocks in random order, as many as hold at most ``share`` of the test pixels, or one."""
    height, width = test.shape
    down, right = rng.integers(side, size=2)
    rows, columns = (np.arange(height) + down) // side, (np.arange(width) + right) // side
    block = rows[:, None] * (columns[-1] + 1) + columns[None, :]
    held = np.bincount(block[test], minlength=int(block.max()) + 1)
    order = rng.permutation(np.flatnonzero(held))
    if len(order) < 2:
        raise InputError(
            "`protocol` hidden needs test pixels in two blocks or more, to hide some of them",
            value=f"{len(order)} of {side}×{side} pixels",
            hint="Use smaller patches, or another protocol.",
        )
    taken = order[: max(1, np.searchsorted(np.cumsum(held[order]), share * held.sum(), side="right"))]
    return np.isin(block, taken)
