"""Protocols of other packages, in a process that does not import them: the package's own process parses and draws."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.protocol.split_protocol import Areas, Buffer, Draw, SplitProtocol
from hsiaug.registry.lookup import StandIn, registry
from hsiaug.registry.third_party import DRAWS_WITHIN, read_told


class ToldArray(BaseModel):
    """An array: its dtype, its shape and its bytes in base 64."""

    model_config = ConfigDict(strict=True, extra="forbid")

    dtype: str
    shape: tuple[int, ...]
    content: str

    @classmethod
    def of(cls, array: NDArray[Any]) -> Self:
        """An array as it is told."""
        content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return cls(dtype=array.dtype.str, shape=array.shape, content=content)

    @property
    def array(self) -> NDArray[Any]:
        """The array. Raises PluginError where the bytes are not of that dtype and shape."""
        try:
            found = np.frombuffer(base64.b64decode(self.content), np.dtype(self.dtype))
            return found.reshape(self.shape).copy()
        except (TypeError, ValueError) as error:
            raise PluginError(
                "a protocol must draw masks", value=f"{self.dtype} {self.shape}", hint="Return boolean arrays."
            ) from error


class ToldDraw(BaseModel):
    """As :class:`hsiaug.protocol.split_protocol.Draw`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    masks: dict[str, ToldArray]
    notes: tuple[str, ...]


class ToldAreas(BaseModel):
    """As :class:`hsiaug.protocol.split_protocol.Areas`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    train: tuple[ToldArray, ...]
    test: tuple[ToldArray, ...]
    tiles: int | None


class ToldText(BaseModel):
    """A protocol that was read from its text. radii: of its buffer, by the side of patches."""

    model_config = ConfigDict(strict=True, extra="forbid")

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

    said: ToldText | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        said = read_told(ToldText, cls._ask("parse", argument, buffer, str(folder)), cls.plugin.child.package)
        return cls(said.argument, said.buffer, said)

    @classmethod
    def _ask(cls, question: str, *values: object, within: float = DRAWS_WITHIN) -> Any:
        entry = cls.plugin.entry
        return cls.plugin.child.ask(question, entry.name, entry.target, *values, within=within)

    @property
    def told(self) -> ToldText:
        """What it says of itself."""
        assert self.said is not None
        return self.said

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        self.plugin.child.keep(scene.sha256, scene)
        said = self._ask("draw", self.argument, self.buffer, seed, patch)
        told = read_told(ToldDraw, said, self.plugin.child.package)
        masks: dict[str, Any] = {name: one.array for name, one in told.masks.items()}
        return Draw(**masks, notes=told.notes)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        self.plugin.child.keep(pairs.sha256, pairs)
        said = self._ask("draw_tiles", self.argument, self.buffer, seed, patch)
        told = read_told(ToldAreas, said, self.plugin.child.package)
        train, test = (tuple(one.array for one in side) for side in (told.train, told.test))
        return Areas(train, test, told.tiles)

    @property
    def canonical(self) -> str:
        return self.told.canonical

    @property
    def text(self) -> str:
        return self.told.text

    @property
    def short(self) -> str:
        return self.told.short

    @property
    def reads_spectra(self) -> bool:
        return self.told.reads_spectra

    def buffer_radius(self, patch: int) -> int:
        return self.told.radii.get(str(patch), super().buffer_radius(patch))

    def as_json(self) -> dict[str, str]:
        return dict(self.told.identity)

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it is read again, it may be the class itself.
        return _parsed, (self.name, self.argument, self.buffer)


@cache
def protocol_of(plugin: Any) -> Any:
    """The protocol of a stand-in; any other class, and a stand-in of a class that is no protocol, as it is."""
    if not (isinstance(plugin, type) and issubclass(plugin, StandIn)) or plugin.told is None:
        return plugin
    members = {"card": plugin.card, "plugin": plugin, "__doc__": plugin.card.summary, **plugin.told.model_dump()}
    return type(plugin.__name__, (ThirdParty,), members)


def _parsed(name: str, argument: str, buffer: Buffer) -> Any:
    return protocol_of(registry().find("protocol", name).load()).parse(argument, buffer)
