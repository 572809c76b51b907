"""What protocols have in common that change the split of another one, whose text ends theirs."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from hsiaug.base.arrays import Bools
from hsiaug.base.seeds import derive_seed
from hsiaug.core.fields import dilate
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import KEPT_FOR_TEST, draw_train, parse_base, parse_protocol
from hsiaug.registry.protocol_base import Buffer, Draw, SplitProtocol


@dataclass(frozen=True)
class Based(SplitProtocol):
    """Base class of protocols that change the split of another protocol.

    Their text is ``NAME:HEAD:BASE``, as ``within:5:issd``: BASE is the text of the other protocol,
    whose buffer they have.

    Attributes
    ----------
    base : SplitProtocol or None
        The other protocol. None until the argument is parsed; :attr:`inner` parses it then.

    See Also
    --------
    SplitProtocol : base class of all protocols.
    parse_base : reads the other protocol.
    """

    base: SplitProtocol | None = field(default=None, compare=False)

    @classmethod
    def of(cls, head: str, base: str, buffer: Buffer, folder: Path) -> Self:
        """The protocol with this head, on the protocol in ``base``. Raises InputError if it cannot
        be a base.
        """
        parsed = replace(parse_base(cls, base, folder), buffer=buffer)
        return cls(f"{head}:{parsed.canonical}", buffer, parsed)

    @property
    def head(self) -> str:
        """The part of the argument before the base."""
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
        """Random numbers that depend on the base and ``parts``, but not on sizes: a smaller split
        is part of a larger one.
        """
        return np.random.default_rng(
            derive_seed(self.name, scene.drawn_as, *parts, *self.of_base, seed)
        )

    def base_draw(self, scene: Scene, seed: int, patch: int) -> tuple[Draw, Bools, Bools]:
        """The split of the base; and (H, W) bool, the labelled pixels that it does not train on,
        and its test pixels.
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


def takeable(tested: Bools) -> Bools:
    """Which pixels of a class a protocol may take for training.

    The last ``KEPT_FOR_TEST`` test pixels stay test pixels, so that the class can be scored.

    Parameters
    ----------
    tested : (n,) bool
        Whether each pixel of the class is a test pixel, in the order in which the protocol takes
        them.

    Returns
    -------
    (n,) bool
        True for pixels that may be taken; False for the last test pixels.

    See Also
    --------
    KEPT_FOR_TEST : how many must remain.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import takeable
    >>> takeable(np.ones(3, dtype=bool)).tolist()[-1]
    False
    """
    takeable_pixels: Bools = ~tested | (np.cumsum(tested) <= tested.sum() - KEPT_FOR_TEST)
    return takeable_pixels
