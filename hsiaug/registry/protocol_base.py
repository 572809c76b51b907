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
    """A draw of single pixels.

    Attributes
    ----------
    train : (H, W) bool
        Training pixels.
    dropped : (H, W) bool
        Labelled pixels that may be neither; all other labelled pixels are for test, but for
        those that the buffer leaves out.
    notes : tuple of str
        Sentences for the audit.
    hidden : (H, W) bool or None
        Pixels that no plugin sees before it predicts them; None = none.
    asked : (H, W) bool or None
        Training pixels whose labels were asked for one by one; None = none.
    labels : (H, W) int16 or None
        Class ids in place of the scene's, of a protocol that brings some.
    """

    train: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    notes: tuple[str, ...] = field(default=())
    hidden: NDArray[np.bool_] | None = None
    labels: NDArray[np.int16] | None = None
    asked: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Areas:
    """A draw for masks: where training tiles and test tiles may lie.

    Attributes
    ----------
    train, test : tuple of (H, W) bool
        Of each place the pixels in which tiles of that side may lie.
    tiles : int or None
        Training tiles to take at random; None = all that fit.
    overlap : float or None
        Share of its side that a training tile has in common with the next, below 1; None = a half,
        or more where that gives few tiles.
    """

    train: tuple[NDArray[np.bool_], ...]
    test: tuple[NDArray[np.bool_], ...]
    tiles: int | None = None
    overlap: float | None = None


@dataclass(frozen=True)
class SplitProtocol:
    """How train and test pixels are drawn: the base of every protocol, built in or brought by a
    package.

    A subclass has a ``card`` (name, version, summary, paper and tasks are read), says in ``takes``
    what is typed after the colon, and has :meth:`draw` where the card names the task "pixels",
    :meth:`draw_tiles` where it names "segmentation" or "change". A draw depends on the labels, the
    seed, the patch and the fields here alone, and on the spectra where it :attr:`reads_spectra`.

    Attributes
    ----------
    argument : str
        Canonical text after the colon; what follows a ``#`` in it, a checksum, is not shown in
        tables.
    buffer : Buffer
        Labelled pixels that are left out round the training pixels, so that for patches of side
        p = 2r+1 no test *centre* lies in a training patch (``centre``: Chebyshev distance > r),
        no test *patch* meets a training patch (``patch``: > 2r), or ``none``. The core leaves
        them out.
    takes : {"nothing", "number", "ratio"}
        What follows the colon: nothing, a whole number from 1 on, or a ratio between 0 and 1.
    usual_argument : str or None
        Where nothing is typed; None = something must be.
    usage : str
        How it is typed, for error messages.
    example : str
        An argument that the conformance kit tries.
    usual_buffer : Buffer
        Where the user names none.
    leaky : bool
        Train and test pixels are neighbours by construction.
    nests_in : tuple of str or None
        Names of the only protocols that may be made of this one; None = all but itself.
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

        A protocol that ``takes`` another text has this method itself.

        Parameters
        ----------
        argument : str
            The text after the colon, "" without one.
        buffer : {"none", "centre", "patch"}
            Labelled pixels that are left out, see :class:`SplitProtocol`.
        folder : Path
            What paths in the text are relative to.

        Returns
        -------
        SplitProtocol

        Raises
        ------
        InputError
            Where the text is not valid.
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
            A whole number from 1 on is wanted; else a ratio between 0 and 1.

        Raises
        ------
        InputError
            Where the argument is no such number.
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
        """The training pixels of a scene.

        Parameters
        ----------
        scene : Scene
            The scene whose labels are divided.
        seed : int
            Number of the draw.
        patch : int
            Odd side of the patches in pixels.

        Returns
        -------
        Draw

        Raises
        ------
        SplitError
            Where the scene cannot give such a draw.
        InputError
            Where this is a protocol of masks.
        """
        rule = f"`protocol` {self.name} is one of masks, not of single pixels"
        hint = (
            "Add `task` segmentation or `task` change, or use issd, kshot:K, blocks:B or"
            " random:RATIO."
        )
        raise InputError(rule, value=repr(self.text), hint=hint)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        """Where training tiles and test tiles of a set of pairs may lie.

        Parameters
        ----------
        pairs : PairSet
            The pairs whose places are divided.
        seed : int
            Number of the draw.
        patch : int
            Side of the tiles in pixels.

        Returns
        -------
        Areas

        Raises
        ------
        SplitError
            Where the pairs cannot give such a draw.
        InputError
            Where this is a protocol of single pixels.
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
        """Name and argument, as they stand in the argument of a protocol that is made of this
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
        """Text as printed in tables: what was typed, with the buffer where it is not the usual
        one.
        """
        return (
            self.short
            if self.buffer == self.usual_buffer
            else f"{self.short} (buffer {self.buffer})"
        )

    @property
    def outer(self) -> "tuple[SplitProtocol | None, int]":
        """The protocol whose training pixels are divided (None: all labelled pixels), and the
        number of its draw.
        """
        return None, 0

    @property
    def reads_spectra(self) -> bool:
        """Whether draws depend on the spectra of a scene, and not on its labels alone."""
        return False

    def buffer_radius(self, patch: int) -> int:
        """Chebyshev distance in pixels within which no test pixel may lie, for patches of side
        ``patch``.
        """
        return {"none": 0, "centre": patch // 2, "patch": 2 * (patch // 2)}[self.buffer]

    def rng(self, data: Scene | PairSet, seed: int) -> np.random.Generator:
        """The random generator of a draw.

        Its numbers follow the labels and the protocol, never the name of the data.

        Parameters
        ----------
        data : Scene or PairSet
            What is divided.
        seed : int
            Number of the draw.
        """
        return self._seeded(data.seed_word, data.drawn_as, seed)

    def _seeded(self, room: str, drawn: str, seed: int) -> np.random.Generator:
        return np.random.default_rng(
            derive_seed(room, drawn, self.name, self.argument, self.buffer, seed)
        )

    def as_json(self) -> dict[str, str]:
        """The identity: what enters the hash of a trial. A protocol's first version is left out."""
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
