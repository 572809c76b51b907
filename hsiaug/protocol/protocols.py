"""The names of protocols, as users type them and as records keep them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from hsiaug.data.paths import is_file, user_path
from hsiaug.errors import InputError, did_you_mean

__all__ = ["Buffer", "Protocol", "parse_protocol"]

Buffer = Literal["none", "centre", "patch"]

DEFAULT_RATIO = 0.05
DEFAULT_BUFFER: dict[str, Buffer] = {
    "issd": "centre",
    "kshot": "centre",
    "blocks": "centre",
    "random": "none",
    "random-twin": "none",
    "fixed": "none",
    "places": "none",
    "within": "centre",
}
USAGE = {
    "issd": "issd or issd:RATIO, as issd:0.05",
    "kshot": "kshot:K, as kshot:10",
    "blocks": "blocks:B, the side of a block in pixels, as blocks:16",
    "random": "random:RATIO, as random:0.1",
    "random-twin": "random-twin:PROTOCOL, as random-twin:issd",
    "fixed": "fixed:FILE, a .mat, .npz or .npy with a train mask and a test mask, or fixed:TRAIN+TEST, two files",
    "places": "places, the places of training and of test that the data's makers named, or places:N, N tiles of training",
    "within": "within:PROTOCOL, within:PROTOCOL@DRAW or within:all, as within:issd",
}


@dataclass(frozen=True)
class Protocol:
    """How train and test pixels are drawn.

    name: issd | kshot | blocks | random | random-twin | fixed | within, and for dense tasks blocks | places.
    argument: canonical text after the colon. For ``fixed`` it is "file names#checksum", so that moving
        the files does not change what a trial is. For ``within`` it is that of the outer protocol, or "all".
    buffer: labelled pixels that are left out round the training pixels, so that for patches of side p = 2r+1
        no test *centre* lies in a training patch (``centre``: Chebyshev distance > r), no test *patch* meets
        a training patch (``patch``: > 2r), or ``none``.
    paths: where the masks of ``fixed`` lie; not part of the identity.
    """

    name: str
    argument: str
    buffer: Buffer
    paths: tuple[Path, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """As printed in tables: the text that was typed, with the buffer where it is not the usual one."""
        text = f"{self.name}:{self.argument.split('#')[0]}".removesuffix(":")
        if self.name == "issd" and float(self.argument) == DEFAULT_RATIO:
            text = "issd"
        if self.name == "within":
            text = self._nested("label")
        return text if self.buffer == DEFAULT_BUFFER[self.name] else f"{text} (buffer {self.buffer})"

    @property
    def text(self) -> str:
        """As typed on the command line, so that it parses again."""
        if self.name == "within":
            return self._nested("text")
        return f"{self.name}:{'+'.join(map(str, self.paths)) or self.argument}".removesuffix(":")

    @property
    def outer(self) -> tuple[Protocol | None, int]:
        """Of ``within``: the protocol whose training pixels are divided (None: all labelled pixels), and its draw."""
        text, draw = _numbered(self.argument)
        name, _, argument = text.partition(":")
        return None if name == "all" else Protocol(name, argument, DEFAULT_BUFFER[name], self.paths), draw

    def _nested(self, kind: str) -> str:
        """The text or label of ``within``, by that of its outer protocol."""
        outer, draw = self.outer
        return f"within:{getattr(outer, kind) if outer else 'all'}" + (f"@{draw}" if draw else "")

    @property
    def random(self) -> bool:
        """True where train and test pixels are neighbours by construction."""
        return self.name in ("random", "random-twin")

    def buffer_radius(self, patch: int) -> int:
        """Chebyshev distance in pixels within which no test pixel may lie, for patches of side ``patch``.

        0 for ``within``, whose draw keeps what it can of the buffer by itself.
        """
        return 0 if self.name == "within" else self.reach(patch)

    def reach(self, patch: int) -> int:
        """The same as the buffer's name says it, whatever the protocol."""
        return {"none": 0, "centre": patch // 2, "patch": 2 * (patch // 2)}[self.buffer]

    def as_json(self) -> dict[str, str]:
        """The identity: what enters the hash of a trial."""
        return {"name": self.name, "argument": self.argument, "buffer": self.buffer}


def parse_protocol(text: str, buffer: str | None = None) -> Protocol:
    """Protocol from its text, for example ``issd``, ``kshot:10``, ``random:0.05`` or ``fixed:masks.mat``.

    buffer: ``none``, ``centre`` or ``patch`` in place of the protocol's own.
    Raises InputError where the name, the argument or the buffer is not valid.
    """
    name, _, argument = text.strip().partition(":")
    if name not in USAGE:
        raise InputError("--protocol must name a protocol", value=repr(name), hint=did_you_mean(name, USAGE))
    if buffer is not None and buffer not in get_args(Buffer):
        raise InputError(
            "--buffer must be none, centre or patch",
            value=repr(buffer),
            hint=did_you_mean(buffer, get_args(Buffer)),
        )
    paths: tuple[Path, ...] = ()
    if name == "fixed":
        argument, paths = _mask_files(argument)
    elif name == "random-twin":
        argument = _other(name, argument).text
    elif name == "within":
        argument, paths = _outer(argument)
    else:
        argument = _number(name, argument)
    chosen: Buffer = buffer or DEFAULT_BUFFER[name]  # type: ignore[assignment]
    return Protocol(name, argument, chosen, paths)


def _other(name: str, text: str) -> Protocol:
    """The protocol that another one is made of."""
    # Before it is parsed, which would go as deep as the text does.
    if text.strip().partition(":")[0] in {"within", "places", name} - ({"places"} if name == "within" else set()):
        raise InputError(
            f"protocol {name} needs a protocol of single pixels that is not nested",
            value=repr(text),
            hint=f"Write {USAGE[name]}.",
        )
    return parse_protocol(text)


def _outer(argument: str) -> tuple[str, tuple[Path, ...]]:
    """Canonical text of ``within``, and the outer protocol's files."""
    text, draw = _numbered(argument)
    if text == "all":
        return text, ()
    found = _other("within", text)
    canonical = f"{found.name}:{found.argument}".removesuffix(":")
    return canonical + (f"@{draw}" if draw else ""), found.paths


def _numbered(text: str) -> tuple[str, int]:
    """``issd@3`` → issd and 3; without a number draw 0."""
    match = re.fullmatch(r"(.*?)(?:@([0-9]{1,9}))?", text)
    return (match[1], int(match[2] or 0)) if match else (text, 0)


def _number(name: str, argument: str) -> str:
    """The canonical text of a protocol's number."""
    if name == "issd" and not argument:
        return repr(DEFAULT_RATIO)
    if name == "places" and not argument:
        return ""
    whole = name in ("kshot", "blocks", "places")
    try:
        # Nine digits are more than any scene has pixels, and no more than an array can be counted with.
        number = (int(argument[:10]) if whole else float(argument)) if argument.isascii() else -1
    except ValueError:
        number = -1
    if number <= 0 or (whole and len(argument) > 9) or (not whole and not number < 1):
        allowed = "a whole number from 1 on, of 9 digits at most" if whole else "a ratio between 0 and 1"
        raise InputError(f"protocol {name} needs {allowed}", value=repr(argument), hint=f"Write {USAGE[name]}.")
    return repr(number)


def _mask_files(argument: str) -> tuple[str, tuple[Path, ...]]:
    paths = tuple(user_path(part) for part in argument.split("+"))
    for path in paths:
        if not argument or len(paths) > 2 or not is_file(path):
            raise InputError(
                "protocol fixed needs a file of masks, or one of training and one of test pixels",
                value=repr(str(path) if argument else argument),
                hint=f"Write {USAGE['fixed']}.",
            )
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
    return f"{'+'.join(path.name for path in paths)}#{digest}", tuple(path.resolve() for path in paths)
