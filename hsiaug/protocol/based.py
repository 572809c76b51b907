"""Protocols that change the draw of another one, whose text ends theirs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.scene import Scene
from hsiaug.protocol.compact import dilate
from hsiaug.protocol.protocols import Buffer, Draw, SplitProtocol, draw_train, parse_protocol
from hsiaug.protocol.within import not_nested

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Based(SplitProtocol):
    """A protocol whose argument is ``HEAD:PROTOCOL``; it has the buffer of the other protocol.

    base: the other protocol; the argument says it.
    """

    base: SplitProtocol | None = field(default=None, compare=False)

    @classmethod
    def of(cls, head: str, base: str, buffer: Buffer, folder: Path) -> Self:
        """The protocol of a head and the text of another. Raises InputError where that cannot be its base."""
        parsed = replace(not_nested(cls, base, folder), buffer=buffer)
        return cls(f"{head}:{parsed.canonical}", buffer, parsed)

    @property
    def head(self) -> str:
        """What stands before the text of the base."""
        return self.argument.partition(":")[0]

    @property
    def inner(self) -> SplitProtocol:
        """The base protocol."""
        return self.base or parse_protocol(self.argument.partition(":")[2], self.buffer)

    @property
    def text(self) -> str:
        return f"{self.name}:{self.head}:{self.inner.text}"

    @property
    def short(self) -> str:
        return f"{self.name}:{self.head}:{self.inner.short}"

    @property
    def reads_fields(self) -> bool:
        return self.inner.reads_fields

    @property
    def of_base(self) -> tuple[str, str, str]:
        """Identity of the base in the seeds of random numbers."""
        return self.inner.name, self.inner.argument, self.inner.buffer

    def base_draw(self, scene: Scene, seed: int, patch: int) -> tuple[Draw, Mask, Mask]:
        """The base draw; and (H, W) bool, the labelled pixels that it does not train on, and those that it tests."""
        first = draw_train(scene, self.inner, patch, seed)
        rest = (scene.labels > 0) & ~first.train
        return first, rest, rest & ~first.dropped & ~dilate(first.train, self.inner.buffer_radius(patch))
