"""The base class of protocols: their text, what they draw, and their identity in records."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.registry.card import Card

Buffer = Literal["none", "centre", "patch"]
"""Which labelled pixels round the training pixels are left out; see :class:`SplitProtocol`."""

MOST_DIGITS = 9
"""More than any scene has pixels, and no more than an array can be counted with."""


@dataclass(frozen=True)
class Draw:
    """A split of single pixels, as a protocol makes it.

    Attributes
    ----------
    train : (H, W) bool
        Training pixels.
    dropped : (H, W) bool
        Labelled pixels to leave out. All other labelled pixels are for testing, except the buffer.
    notes : tuple of str
        Sentences for the audit.
    hidden : (H, W) bool or None
        Pixels that no plugin gets before it predicts them; None = none.
    asked : (H, W) bool or None
        Training pixels that a strategy selected one by one; None = none.
    labels : (H, W) int16 or None
        Class ids that replace those of the scene, if the protocol has its own.

    See Also
    --------
    SplitProtocol.draw : returns an object of this class.
    Areas : the same for tiles with masks.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import Draw
    >>> train = np.zeros((4, 4), dtype=bool)
    >>> train[0, 0] = True
    >>> int(Draw(train, np.zeros_like(train)).train.sum())
    1
    """

    train: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    notes: tuple[str, ...] = field(default=())
    hidden: NDArray[np.bool_] | None = None
    labels: NDArray[np.int16] | None = None
    asked: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Areas:
    """A split of images with masks: the areas of training tiles and of test tiles.

    Attributes
    ----------
    train, test : tuple of (H, W) bool
        For each place, the pixels that tiles of that side may contain.
    tiles : int or None
        Number of training tiles to choose at random; None = all that fit.
    overlap : float or None
        Fraction of its side that a training tile shares with the next, below 1; None = a half, or
        more if there are few tiles.

    See Also
    --------
    Draw : the same for single pixels.
    SplitProtocol.draw_tiles : returns an object of this class.
    """

    train: tuple[NDArray[np.bool_], ...]
    test: tuple[NDArray[np.bool_], ...]
    tiles: int | None = None
    overlap: float | None = None


@dataclass(frozen=True)
class SplitProtocol:
    """Base class of protocols, which make splits.

    A subclass has a ``card`` (name, version, summary, paper and tasks are read) and :meth:`draw` if
    the card names the task "pixels", :meth:`draw_tiles` if it names "segmentation" or "change". A
    split may depend on the labels, the seed, the patch and the attributes below only, and on the
    spectra if it :attr:`reads_spectra`.

    Attributes
    ----------
    argument : str
        Canonical text after the colon; a checksum after a ``#`` is not printed in tables.
    buffer : Buffer
        Labelled pixels around training pixels that are left out, for patches of side p = 2r+1:
        ``centre`` keeps test pixels out of training patches (Chebyshev distance > r), ``patch``
        also keeps test patches apart from training patches (> 2r), ``none`` leaves nothing out.
    takes : {"nothing", "number", "ratio"}
        What follows the colon: nothing, a whole number from 1 on, or a ratio between 0 and 1.
    usual_argument : str or None
        The default argument; None = an argument is required.
    usage : str
        How it is typed, for error messages.
    example : str
        An argument for the conformance kit.
    usual_buffer : Buffer
        The default buffer.
    leaky : bool
        Whether training and test pixels are neighbours by construction.
    nests_in : tuple of str or None
        Names of the only protocols that may be built on this one; None = all but itself.

    See Also
    --------
    Draw, Areas : what splits consist of.
    Based : base class of protocols that are built on another one.
    parse_protocol : makes a protocol from its text.
    """

    card: ClassVar[Card]
    takes: ClassVar[Literal["nothing", "number", "ratio"]] = "nothing"
    usual_argument: ClassVar[str | None] = None
    usage: ClassVar[str] = ""
    example: ClassVar[str] = ""
    usual_buffer: ClassVar[Buffer] = "centre"
    leaky: ClassVar[bool] = False
    nests_in: ClassVar[tuple[str, ...] | None] = None

    argument: str
    buffer: Buffer

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        """The protocol that a user names.

        Override it if the protocol ``takes`` another text.

        Parameters
        ----------
        argument : str
            The text after the colon, "" without one.
        buffer : {"none", "centre", "patch"}
            Labelled pixels that are left out, see :class:`SplitProtocol`.
        folder : Path
            Paths in the text are relative to it.

        Returns
        -------
        SplitProtocol
            An object of this class.

        Raises
        ------
        InputError
            If the text is not valid.
        """
        if not argument and cls.usual_argument is not None:
            return cls(cls.usual_argument, buffer)
        if cls.takes != "nothing":
            return cls(cls.number(argument, whole=cls.takes == "number"), buffer)
        if argument:
            raise InputError(
                f"protocol {cls.card.name} takes nothing after its name",
                value=repr(argument),
                hint=f"Write {cls.card.name}.",
            )
        return cls(argument, buffer)

    @classmethod
    def number(cls, argument: str, *, whole: bool = True) -> str:
        """Canonical text of an argument that is a number.

        Parameters
        ----------
        argument : str
            What was typed after the colon.
        whole : bool
            Whether it must be a whole number from 1 on; else a ratio between 0 and 1.

        Returns
        -------
        str
            The number without superfluous zeros.

        Raises
        ------
        InputError
            If the argument is not such a number.
        """
        number = _positive_number(argument, whole=whole)
        if number is None:
            allowed = "a ratio between 0 and 1"
            if whole:
                allowed = f"a whole number from 1 on, of {MOST_DIGITS} digits at most"
            raise InputError(
                f"protocol {cls.card.name} needs {allowed}",
                value=repr(argument),
                hint=f"Write {cls.usage or cls.card.name}.",
            )
        return repr(number)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        """Choose the training pixels of a scene.

        Parameters
        ----------
        scene : Scene
            The scene whose labels are divided.
        seed : int
            Number of the split.
        patch : int
            Odd side of the patches in pixels.

        Returns
        -------
        Draw
            The training pixels, and those to leave out.

        Raises
        ------
        SplitError
            If the scene does not allow such a split.
        InputError
            If this is a protocol of masks.
        """
        rule = f"`protocol` {self.name} is one of masks, not of single pixels"
        hint = (
            "Add `task` segmentation or `task` change, or use issd, kshot:K, blocks:B or"
            " random:RATIO."
        )
        raise InputError(rule, value=repr(self.text), hint=hint)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        """Choose the areas of training and test tiles of a set of pairs.

        Parameters
        ----------
        pairs : PairSet
            The pairs whose places are divided.
        seed : int
            Number of the split.
        patch : int
            Side of the tiles in pixels.

        Returns
        -------
        Areas
            The areas for training tiles and for test tiles.

        Raises
        ------
        SplitError
            If the pairs do not allow such a split.
        InputError
            If this is a protocol of single pixels.
        """
        hint = "Use blocks:48, for example, or leave it out."
        raise InputError(
            "`protocol` of a dense task is places, places:N or blocks:B",
            value=repr(self.text),
            hint=hint,
        )

    @property
    def name(self) -> str:
        """Name as users type it before the colon."""
        return self.card.name

    @property
    def canonical(self) -> str:
        """Name and argument, as they are written in the argument of a protocol built on this
        one.
        """
        return f"{self.name}:{self.argument}".removesuffix(":")

    @property
    def text(self) -> str:
        """Text as typed on the command line, so that it parses again."""
        return self.canonical

    @property
    def short(self) -> str:
        """Text as printed in tables, without the buffer."""
        return f"{self.name}:{self.argument.split('#')[0]}".removesuffix(":")

    @property
    def label(self) -> str:
        """Text as printed in tables, with the buffer unless it is the default."""
        return (
            self.short
            if self.buffer == self.usual_buffer
            else f"{self.short} (buffer {self.buffer})"
        )

    @property
    def outer(self) -> "tuple[SplitProtocol | None, int]":
        """The protocol whose training pixels are divided (None: all labelled pixels), and the
        number of its split.
        """
        return None, 0

    @property
    def reads_spectra(self) -> bool:
        """Whether splits depend on the spectra of a scene, and not on its labels only."""
        return False

    def buffer_radius(self, patch: int) -> int:
        """Chebyshev distance in pixels from training pixels within which no pixel is tested, for
        patches of side ``patch``.
        """
        return {"none": 0, "centre": patch // 2, "patch": 2 * (patch // 2)}[self.buffer]

    def rng(self, data: Scene | PairSet, seed: int) -> np.random.Generator:
        """The random generator of a split.

        It depends on the labels and the protocol, never on the name of the data.

        Parameters
        ----------
        data : Scene or PairSet
            What is divided.
        seed : int
            Number of the split.

        Returns
        -------
        numpy.random.Generator
            The same for the same arguments.
        """
        return self._seeded(data.seed_word, data.drawn_as, seed)

    def _seeded(self, room: str, drawn: str, seed: int) -> np.random.Generator:
        return np.random.default_rng(
            derive_seed(room, drawn, self.name, self.argument, self.buffer, seed)
        )

    def as_json(self) -> dict[str, str]:
        """The identity, which is part of the hash of a trial. A protocol's first version is left
        out.
        """
        identity = {"name": self.name, "argument": self.argument, "buffer": self.buffer}
        return identity if self.card.version == "1" else {**identity, "version": self.card.version}


def _positive_number(text: str, *, whole: bool) -> int | float | None:
    """A whole number from 1 on, or else a ratio between 0 and 1; None where the text is neither."""
    if not text.isascii():
        return None
    try:
        if whole:
            number: int | float = int(text[: MOST_DIGITS + 1])
            return number if number > 0 and len(text) <= MOST_DIGITS else None
        number = float(text)
        return number if 0 < number < 1 else None
    except ValueError:
        return None
