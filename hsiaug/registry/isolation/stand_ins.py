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
from hsiaug.registry.isolation.metadata import DrawFacts, PluginFacts, ProtocolText, checked
from hsiaug.registry.isolation.package import DRAWS_WITHIN, Find, Package
from hsiaug.registry.isolation.service import Reply
from hsiaug.registry.split_protocol import Areas, Buffer, Draw, SplitProtocol


class StandIn:
    """A generator or classifier of another package: its card."""

    card: ClassVar[Card]


def stand_in(package: Package, entry: Entry) -> type:
    """The class in place of a plugin, with its card, whose hyper-parameters the package checks.

    Raises PluginError where the package cannot import the plugin, or its card is not valid.
    """
    with package.lock:
        if entry not in package.stand_ins:
            facts = checked(PluginFacts, package.ask("plugin", entry).facts, package.name)
            package.stand_ins[entry] = _make(package, entry, facts)
        return package.stand_ins[entry]


def _make(package: Package, entry: Entry, facts: PluginFacts) -> type:
    card = Card(**{**facts.card.model_dump(), "params": _params(package, entry, facts)})
    members: dict[str, Any] = {"card": card, "__doc__": card.summary}
    base: type = StandIn
    if entry.kind == "protocol" and facts.protocol is not None:
        base = IsolatedProtocol
        members |= {"package": package, "entry": entry, **facts.protocol.model_dump()}
    return type(entry.target.partition(":")[2], (base,), members)


def _params(package: Package, entry: Entry, facts: PluginFacts) -> type:
    """The class of the hyper-parameters, which is pickled by the plugin's name."""

    def check(params: Any) -> None:
        values = asdict(params)
        if any(values[one.name] != one.default for one in facts.params):
            package.ask("check_params", entry, values)

    def reduce(params: Any) -> tuple[Any, ...]:
        return restore_params, (package.find, entry, asdict(params))

    fields = [
        (one.name, type(one.default), param(**one.model_dump(exclude={"name"}, round_trip=True)))
        for one in facts.params
    ]
    params = make_dataclass("Params", fields, frozen=True, namespace={"__post_init__": check})
    copyreg.pickle(params, reduce)
    return params


def restore_params(find: Find, entry: Entry, values: dict[str, object]) -> Any:
    """Hyper-parameters as the process that unpickles them has their class."""
    return find(entry.kind, entry.name).card.params(**values)


def restore_protocol(find: Find, entry: Entry, argument: str, buffer: Buffer) -> Any:
    """A protocol as the process that unpickles it has its class."""
    return find("protocol", entry.name).parse(argument, buffer)


@dataclass(frozen=True)
class IsolatedProtocol(SplitProtocol):
    """A protocol of another package.

    Attributes
    ----------
    stated : ProtocolText
        What it says of itself.
    """

    package: ClassVar[Package]
    entry: ClassVar[Entry]

    stated: ProtocolText = field(compare=False, repr=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        # A file that the protocol reads is named in its argument.
        named = (folder / user_path(word) for word in argument.split(":") if word)
        cls.package.allow(path for path in named if is_file(path))
        identity = cls.entry, argument, buffer
        answer = cls.package.ask("parse", *identity, str(folder), within=DRAWS_WITHIN)
        stated = checked(ProtocolText, answer.facts, cls.package.name)
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

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        answer = self._ask_of(scene, "draw", seed, patch)
        notes = checked(DrawFacts, answer.facts, self.package.name).notes
        masks: Any = answer.arrays
        try:
            return Draw(**masks, notes=notes)
        except TypeError as error:
            raise self._no_draw(error) from error

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        answer = self._ask_of(pairs, "draw_tiles", seed, patch)
        drawn = checked(DrawFacts, answer.facts, self.package.name)
        places = range(len(pairs.places))
        try:
            train, test = (
                tuple(answer.arrays[f"{side}{place}"] for place in places)
                for side in ("train", "test")
            )
        except KeyError as error:
            raise self._no_draw(error) from error
        return Areas(train, test, drawn.tiles, drawn.overlap)

    def _ask_of(self, data: Scene | PairSet, question: str, seed: int, patch: int) -> Reply:
        identity = self.entry, self.argument, self.buffer
        return self.package.ask_of(data, question, *identity, seed, patch)

    def _no_draw(self, error: Exception) -> PluginError:
        return PluginError(
            f"protocol {self.name} must draw masks",
            value=f"{type(error).__name__}: {error}",
            hint="Return boolean arrays.",
        )

    @property
    def canonical(self) -> str:
        return self.stated.canonical

    @property
    def text(self) -> str:
        return self.stated.text

    @property
    def short(self) -> str:
        return self.stated.short

    @property
    def reads_spectra(self) -> bool:
        return self.stated.reads_spectra

    def buffer_radius(self, patch: int) -> int:
        radius = self.package.ask("buffer_radius", self.entry, self.argument, self.buffer, patch)
        if type(radius.facts) is not int:
            raise self._no_draw(TypeError(f"a buffer of {radius.facts!r:.100} pixels"))
        return radius.facts

    def as_json(self) -> dict[str, str]:
        return dict(self.stated.identity)

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it is read again, it may be the class itself.
        return restore_protocol, (self.package.find, self.entry, self.argument, self.buffer)
