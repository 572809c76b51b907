"""What protocols have in common that change the draw of another one, whose text ends theirs."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.fields import dilate
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import KEPT_FOR_TEST, draw_train, parse_base, parse_protocol
from hsiaug.registry.protocol_base import Buffer, Draw, SplitProtocol

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Based(SplitProtocol):
    """A protocol whose argument is ``HEAD:PROTOCOL``; it has the buffer of the other protocol.

    Attributes
    ----------
    base : SplitProtocol or None
        The other protocol; the argument says it.
    """

    base: SplitProtocol | None = field(default=None, compare=False)

    @classmethod
    def of(cls, head: str, base: str, buffer: Buffer, folder: Path) -> Self:
        """The protocol of a head and the text of another. Raises InputError where that cannot be
        its base.
        """
        parsed = replace(parse_base(cls, base, folder), buffer=buffer)
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
    def of_base(self) -> tuple[str, str, str]:
        """Identity of the base in the seeds of random numbers."""
        return self.inner.name, self.inner.argument, self.inner.buffer

    def rng_of(self, scene: Scene, seed: int, *parts: str) -> np.random.Generator:
        """Random numbers that follow the base and ``parts``, but no size: a smaller draw is the
        first of a larger.
        """
        return np.random.default_rng(
            derive_seed(self.name, scene.drawn_as, *parts, *self.of_base, seed)
        )

    def base_draw(self, scene: Scene, seed: int, patch: int) -> tuple[Draw, Mask, Mask]:
        """The base draw; and (H, W) bool, the labelled pixels that it does not train on, and those
        that it tests.
        """
        first = draw_train(scene, self.inner, patch, seed)
        others = (scene.labels > 0) & ~first.train
        return (
            first,
            others,
            others & ~first.dropped & ~dilate(first.train, self.inner.buffer_radius(patch)),
        )


class AddedLabels(NamedTuple):
    """Parts of an argument: labels added to each class, and the text of the base protocol."""

    number: int
    base: str


def read_added(argument: str) -> AddedLabels | None:
    """``5xscattered:issd`` → 5 and ``issd``; None for a text that has not this form."""
    match = re.fullmatch(
        r"([1-9][0-9]{0,8})xscattered:(.+)", argument.strip(), flags=re.ASCII | re.DOTALL
    )
    return AddedLabels(int(match[1]), match[2]) if match else None


STRATEGIES = ("suggest", "random", "uncertain")
"""Pixels to ask for: those of ``hsiaug label --out``; any; those that its committee disagrees on
most.
"""
MAX_ASKED_PIXELS = 999
"""Pixels that can be asked for."""


class AskedLabels(NamedTuple):
    """Parts of an argument: pixels in all, one of STRATEGIES, and the text of the base protocol."""

    number: int
    strategy: str
    base: str


def read_asked(argument: str) -> AskedLabels | None:
    """``16xsuggest:issd`` → 16, ``suggest`` and ``issd``; ``0:issd`` → none at all; None for
    another form.
    """
    if argument.strip().startswith("0:"):
        return AskedLabels(0, "random", argument.strip()[2:])
    match = re.fullmatch(
        r"([1-9][0-9]{0,2})x([a-z]+):(.+)", argument.strip(), flags=re.ASCII | re.DOTALL
    )
    return AskedLabels(int(match[1]), match[2], match[3]) if match else None


def takeable(tested: Mask) -> Mask:
    """Which labelled pixels a protocol may take for training: enough stay for test.

    Parameters
    ----------
    tested : (n,) bool
        Of pixels in the order in which they are taken, the test pixels.

    Returns
    -------
    (n,) bool
        All but the test pixels that must stay.
    """
    takeable_pixels: Mask = ~tested | (np.cumsum(tested) <= tested.sum() - KEPT_FOR_TEST)
    return takeable_pixels
