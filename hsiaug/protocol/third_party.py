"""Protocols of other packages, in a process that does not import them: the package's own process
parses and draws.
"""

import base64
import io
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.data.paths import is_file, user_path
from hsiaug.protocol.split_protocol import Areas, Buffer, Draw, SplitProtocol
from hsiaug.registry.lookup import StandIn, registry
from hsiaug.registry.third_party import DRAWS_WITHIN, LARGEST, ToldModel, read_told


class ToldDraw(ToldModel):
    """A draw. arrays: as :func:`packed`, by field, or ``train0``, ``test0``, … of areas."""

    arrays: str
    notes: tuple[str, ...] = ()
    tiles: int | None = None


def packed(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Arrays as text: an .npz in base 64."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return base64.b64encode(file.getvalue()).decode()


def unpacked(
    text: str, needed: Collection[str], others: Collection[str] = ()
) -> dict[str, NDArray[Any]]:
    """Arrays of these names, from :func:`packed`. Raises PluginError."""
    try:
        with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as arrays:
            if sum(one.file_size for one in arrays.zip.infolist()) > LARGEST:
                raise ValueError(f"more than {LARGEST:,} bytes")
            if not {*needed} <= {*arrays} <= {*needed, *others}:
                raise ValueError(f"arrays {', '.join(arrays)}")
            return dict(arrays)
    except (ValueError, OSError, EOFError, KeyError, BadZipFile, zlib.error) as error:
        rule, hint = "a protocol must draw masks", "Return boolean arrays."
        raise PluginError(rule, value=f"{type(error).__name__}: {error}", hint=hint) from error


class ToldText(ToldModel):
    """A protocol that was read from its text. radii: of its buffer, by the side of patches."""

    argument: str
    buffer: Buffer
    canonical: str
    text: str
    short: str
    radii: dict[str, int]
    reads_spectra: bool
    identity: dict[str, str]


RADII = range(1, 100, 2)
"""Sides of patches whose buffers a protocol is asked for."""


@dataclass(frozen=True)
class ThirdParty(SplitProtocol):
    """A protocol of another package. said: what it says of itself."""

    plugin: ClassVar[type[StandIn]]

    said: ToldText = field(compare=False, repr=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        # A file that the protocol reads is named in its argument.
        named = (folder / user_path(word) for word in argument.split(":") if word)
        cls.plugin.child.allow(path for path in named if is_file(path))
        said = read_told(
            ToldText, cls._ask("parse", argument, buffer, str(folder)), cls.plugin.child.package
        )
        names = {
            said.identity.get("name"),
            *(one.partition(":")[0] for one in (said.canonical, said.text, said.short)),
        }
        if names != {cls.card.name}:
            # Else its trials would have the hashes, and stand in the rows, of another protocol.
            rule = (
                f"protocol {cls.card.name} must state its own name, in its texts and its identity"
            )
            raise PluginError(
                rule,
                value=f"{names!r:.200}",
                hint="Leave name, canonical, text, short and as_json.",
            )
        return cls(said.argument, said.buffer, said)

    @classmethod
    def _ask(cls, question: str, *values: object) -> Any:
        entry = cls.plugin.entry
        return cls.plugin.child.ask(
            question, entry.name, entry.target, *values, within=DRAWS_WITHIN
        )

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        told = self._drawn("draw", scene, seed, patch)
        masks: dict[str, Any] = unpacked(
            told.arrays, ("train", "dropped"), ("hidden", "labels", "asked")
        )
        return Draw(**masks, notes=told.notes)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        told = self._drawn("draw_tiles", pairs, seed, patch)
        places = range(len(pairs.places))
        names = [[f"{side}{i}" for i in places] for side in ("train", "test")]
        masks = unpacked(told.arrays, [*names[0], *names[1]])
        train, test = (tuple(map(masks.__getitem__, side)) for side in names)
        return Areas(train, test, told.tiles)

    def _drawn(self, question: str, data: Scene | PairSet, seed: int, patch: int) -> ToldDraw:
        child = self.plugin.child
        with child.lock:
            child.keep(data.sha256, data)
            said = self._ask(question, self.argument, self.buffer, seed, patch)
        return read_told(ToldDraw, said, child.package)

    @property
    def canonical(self) -> str:
        return self.said.canonical

    @property
    def text(self) -> str:
        return self.said.text

    @property
    def short(self) -> str:
        return self.said.short

    @property
    def reads_spectra(self) -> bool:
        return self.said.reads_spectra

    def buffer_radius(self, patch: int) -> int:
        return self.said.radii.get(str(patch), super().buffer_radius(patch))

    def as_json(self) -> dict[str, str]:
        return dict(self.said.identity)

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it is read again, it may be the class itself.
        return _parsed, (self.name, self.argument, self.buffer)


@cache
def protocol_of(plugin: Any) -> Any:
    """The protocol of a stand-in; any other class, and a stand-in of a class that is no protocol,
    as it is.
    """
    if not (isinstance(plugin, type) and issubclass(plugin, StandIn)) or plugin.told is None:
        return plugin
    members = {
        "card": plugin.card,
        "plugin": plugin,
        "__doc__": plugin.card.summary,
        **plugin.told.model_dump(),
    }
    return type(plugin.__name__, (ThirdParty,), members)


def _parsed(name: str, argument: str, buffer: Buffer) -> Any:
    return protocol_of(registry().find("protocol", name).load()).parse(argument, buffer)
