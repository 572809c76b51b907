"""Classes in place of plugins of other packages, in a process that does not import them: cards,
hyper-parameters, and protocols, whose own process parses and draws.
"""

import copyreg
from dataclasses import asdict, dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.data.paths import is_file, user_path
from hsiaug.registry.card import Card, param
from hsiaug.registry.hookspecs import Entry
from hsiaug.registry.isolation import package_process
from hsiaug.registry.isolation.messages import (
    AreaMasks,
    DrawMasks,
    Message,
    PluginMetadata,
    ProtocolTexts,
    Radius,
)
from hsiaug.registry.isolation.package import DRAWS_WITHIN, Find, Package
from hsiaug.registry.protocol_base import Areas, Buffer, Draw, SplitProtocol


class StandIn:
    """A generator or classifier of another package: its card."""

    card: ClassVar[Card]


def stand_in(package: Package, entry: Entry) -> type:
    """The class in place of a plugin, with its card, whose hyper-parameters the package checks.

    Raises PluginError where the package cannot import the plugin, or its card is not valid.
    """
    with package.lock:
        if entry not in package.stand_ins:
            metadata = package.call(PluginMetadata, package_process.describe, entry)
            package.stand_ins[entry] = _make(package, entry, metadata)
        return package.stand_ins[entry]


def _make(package: Package, entry: Entry, metadata: PluginMetadata) -> type:
    card = Card(**dict(metadata.card), params=_params(package, entry, metadata))
    members: dict[str, Any] = {"card": card, "__doc__": card.summary}
    base: type = StandIn
    if entry.kind == "protocol" and metadata.protocol is not None:
        base = IsolatedProtocol
        members |= {"package": package, "entry": entry, **dict(metadata.protocol)}
    return type(entry.target.partition(":")[2], (base,), members)


def _params(package: Package, entry: Entry, metadata: PluginMetadata) -> type:
    """The class of the hyper-parameters, which is pickled by the plugin's name."""

    def check(params: Any) -> None:
        values = asdict(params)
        if any(values[item.name] != item.default for item in metadata.params):
            package.call(Message, package_process.check_params, entry, values)

    fields = [
        (item.name, type(item.default), param(**item.model_dump(exclude={"name"}, round_trip=True)))
        for item in metadata.params
    ]
    params = make_dataclass("Params", fields, frozen=True, namespace={"__post_init__": check})
    copyreg.pickle(params, lambda one: (restore_params, (package.find, entry, asdict(one))))
    return params


def restore_params(find: Find, entry: Entry, values: dict[str, object]) -> Any:
    """Hyper-parameters as the process that unpickles them has their class."""
    return find(entry.kind, entry.name).card.params(**values)


def restore_protocol(find: Find, name: str, argument: str, buffer: Buffer) -> Any:
    """A protocol as the process that unpickles it has its class."""
    return find("protocol", name).parse(argument, buffer)


def _stated(name: str) -> Any:
    """A property of a protocol that its own process has stated."""
    return property(lambda protocol: getattr(protocol.stated, name))


@dataclass(frozen=True)
class IsolatedProtocol(SplitProtocol):
    """A protocol of another package.

    Attributes
    ----------
    stated : ProtocolTexts
        What it says of itself.
    """

    package: ClassVar[Package]
    entry: ClassVar[Entry]

    stated: ProtocolTexts = field(compare=False, repr=False)

    canonical = _stated("canonical")
    text = _stated("text")
    short = _stated("short")
    reads_spectra = _stated("reads_spectra")

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        # A file that the protocol reads is named in its argument.
        named = (folder / user_path(word) for word in argument.split(":") if word)
        cls.package.allow(path for path in named if is_file(path))
        arguments = cls.entry, argument, buffer, folder
        stated = cls.package.call(
            ProtocolTexts, package_process.parse, *arguments, within=DRAWS_WITHIN
        )
        texts = (stated.canonical, stated.text, stated.short)
        names = {stated.identity.get("name"), *(text.partition(":")[0] for text in texts)}
        if names != {cls.card.name}:
            # Else its trials would have the hashes, and stand in the rows, of another protocol.
            raise PluginError(
                f"protocol {cls.card.name} must state its own name, in its texts and its identity",
                value=f"{names!r:.200}",
                hint="Leave name, canonical, text, short and as_json.",
            )
        return cls(stated.argument, stated.buffer, stated)

    @property
    def _identity(self) -> tuple[Entry, str, Buffer]:
        return self.entry, self.argument, self.buffer

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        masks = self.package.call_of(
            scene, DrawMasks, package_process.draw, *self._identity, seed, patch
        )
        return Draw(**dict(masks))

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        masks = self.package.call_of(
            pairs, AreaMasks, package_process.draw_tiles, *self._identity, seed, patch
        )
        return Areas(**dict(masks))

    def buffer_radius(self, patch: int) -> int:
        arguments = *self._identity, patch
        return self.package.call(Radius, package_process.buffer_radius, *arguments).pixels

    def as_json(self) -> dict[str, str]:
        return dict(self.stated.identity)

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it is read again, it may be the class itself.
        return restore_protocol, (self.package.find, self.name, self.argument, self.buffer)
