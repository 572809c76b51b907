"""The registry: finds plugins through entry points, each loaded in isolation, classes only when
used.

pluggy's own loading is eager and stops at the first failure; here a package that fails to import is
kept as a :class:`Broken` with its error, and everything else goes on working.
"""

from __future__ import annotations

import copyreg
import importlib
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, make_dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, get_args

import pluggy

from hsiaug.base.errors import InputError, PluginError, did_you_mean
from hsiaug.base.text import shortened, visible
from hsiaug.registry import hookspecs
from hsiaug.registry.card import PRESETS, Card, Scope, build_params, param
from hsiaug.registry.hookspecs import Entry, Kind

if TYPE_CHECKING:
    from hsiaug.registry.third_party import Child, ToldProtocol

GROUP = "hsiaug"
OWN = "hsiaug"
"""The distribution of the plugins that come with hsiaug."""
IDLE = 10.0
"""Seconds after which a package is given up whose process sleeps where it is to load."""


@dataclass(frozen=True)
class Found:
    """A plugin that a distribution registers; its class is imported by :meth:`load` only.

    variant: VALUE where the user typed ``NAME:VALUE``. child: the process that imports it in
    place of this one.
    """

    entry: Entry
    distribution: str
    version: str
    variant: str | None = None
    child: Child | None = None

    def load(self) -> Any:
        """The plugin's class; for a variant a subclass, whose card has that name and sets that
        value.

        Of other packages only processes that run plugins have the class; others have a
        :class:`StandIn`, with its card. Raises PluginError where it cannot be imported or has no
        valid card, and InputError for a variant where the card declares none.
        """
        with _asking if self.child else nullcontext():
            plugin = _stand_in(self.entry, self.child) if self.child else self._imported()
        # What follows the colon of a protocol is its argument, which it reads itself.
        plain = self.variant is None or self.entry.kind == "protocol"
        return plugin if plain else _variant(plugin, self.variant or "")

    def _imported(self) -> Any:
        module, _, name = self.entry.target.partition(":")
        if self.distribution != OWN:
            _before()
        try:
            plugin = getattr(importlib.import_module(module), name)
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{self.entry.kind} {self.entry.name} of {self.distribution} could not be loaded"
                f" from {self.entry.target!r}",
                value=f"{type(error).__name__}: {error}",
                hint="Repair or uninstall that package; all other plugins still work.",
            ) from error
        card = getattr(plugin, "card", None)
        if not isinstance(card, Card) or card.name != self.entry.name:
            rule = (
                f"{self.entry.kind} {self.entry.name} of {self.distribution} must carry a Card of"
                " the same name"
            )
            hint = f"Set {name}.card = Card(name={self.entry.name!r}, …)."
            raise PluginError(
                rule, value=repr(card.name if isinstance(card, Card) else card), hint=hint
            )
        if card.scope not in get_args(Scope):
            rule = (
                f"the scope of {self.entry.kind} {self.entry.name} must be one of"
                f" {', '.join(get_args(Scope))}"
            )
            hint = "A protocol such as hidden:0.5:issd hides pixels, from every plugin."
            raise PluginError(rule, value=repr(card.scope), hint=hint)
        return plugin


class StandIn:
    """A plugin of another package, in a process that does not import it.

    child: the process that does. told: of a protocol, what its class says.
    """

    card: Card
    entry: Entry
    child: Child
    told: ToldProtocol | None


@cache
def _stand_in(entry: Entry, child: Child) -> type[StandIn]:
    """Raises PluginError where the child cannot import it, or it has no valid card."""
    from hsiaug.registry.third_party import ToldPlugin, read_told

    said = read_told(
        ToldPlugin, child.ask("plugin", entry.kind, entry.name, entry.target), child.package
    )

    def check(params: Any) -> None:
        values = asdict(params)
        if any(values[one.name] != one.default for one in said.params):
            child.ask("params", entry.kind, entry.name, entry.target, values)

    fields = [
        (one.name, type(one.default), param(**one.model_dump(exclude={"name"}, round_trip=True)))
        for one in said.params
    ]
    params = make_dataclass("Params", fields, frozen=True, namespace={"__post_init__": check})
    copyreg.pickle(params, lambda one: (params_of, (entry.kind, entry.name, asdict(one))))
    card = Card(**{**said.card.model_dump(), "params": params})
    members = {"card": card, "entry": entry, "child": child, "told": said.protocol}
    return type(entry.target.partition(":")[2], (StandIn,), members)


def params_of(kind: Kind, name: str, values: Mapping[str, object]) -> Any:
    """Hyper-parameters as this process has their class: how others send them."""
    return registry().find(kind, name).load().card.params(**values)


def _variant(plugin: Any, value: str) -> Any:
    """The plugin as ``NAME:VALUE``. The value goes in as a preset, so that params stay of their own
    class.
    """
    card: Card = plugin.card
    name = f"{card.name}:{value}"
    if card.variant is None or not value or visible(value) != value:
        rule = f"{card.name} takes {'a value after the colon' if card.variant else 'no variant'}"
        hint = (
            f"Write {card.name}:{card.variant.upper()}." if card.variant else f"Write {card.name}."
        )
        raise InputError(rule, value=repr(name), hint=hint)
    names = (*PRESETS, *card.presets)
    presets = {preset: {**card.presets.get(preset, {}), card.variant: value} for preset in names}
    return type(plugin.__name__, (plugin,), {"card": replace(card, name=name, presets=presets)})


@dataclass(frozen=True)
class Broken:
    """An entry point that could not be loaded, and why."""

    entry_point: str
    distribution: str
    error: str


@dataclass(frozen=True)
class Registry:
    """All plugins of this environment, by kind and name, and all that are broken."""

    plugins: Mapping[tuple[Kind, str], Found]
    broken: tuple[Broken, ...] = ()

    def names(self, kind: Kind) -> list[str]:
        """Sorted names of a kind."""
        return sorted(name for k, name in self.plugins if k == kind)

    def cards(self) -> Iterator[Card]:
        """The cards of all generators and classifiers that load."""
        for (kind, _), found in self.plugins.items():
            with suppress(Exception):
                if kind != "protocol":
                    yield found.load().card

    def kinds(self, name: str) -> list[Kind]:
        """The kinds of which there is a plugin of that name, ``NAME:VALUE`` included."""
        return sorted(kind for kind, one in self.plugins if one in (name, name.partition(":")[0]))

    def find(self, kind: Kind, name: str) -> Found:
        """The plugin of that kind and name, ``NAME:VALUE`` included.

        Raises InputError with near names, and names broken packages.
        """
        found = self.plugins.get((kind, name))
        if found is not None:
            return found
        family, colon, variant = name.partition(":")
        if colon and (kind, family) in self.plugins:
            return replace(self.plugins[kind, family], variant=variant)
        hint = did_you_mean(name, self.names(kind))
        if self.broken:
            broken = "; ".join(f"{b.distribution} ({b.error})" for b in self.broken)
            hint += f" Packages that failed to load: {broken}; see 'hsiaug plugins list'."
        raise InputError(f"--{kind} must name a {kind} plugin", value=repr(name), hint=hint)


def import_here(known: Iterable[Found] | None = None, before: Callable[[], object] = bool) -> None:
    """Let this process import plugins of other packages from now on: it is there to run them.

    known: these plugins, as another process found them, and no others: their packages are
    imported when they are used; None = every package is imported to ask for its plugins. before:
    called once, before the first of them is imported.
    """
    global _here, _known, _before
    _before = cache(before)
    if known is not None:
        _known = {**(_known or {}), **{(one.entry.kind, one.entry.name): one for one in known}}
    if known is not None or not _here:
        _here = True
        _installed.cache_clear()


def imported_here() -> bool:
    """Whether this process imports plugins of other packages."""
    return _here


def third_party() -> tuple[Found, ...]:
    """The plugins of other packages, as a process that imports them is told them."""
    return tuple(
        replace(one, child=None) for one in _found().plugins.values() if one.distribution != OWN
    )


def registry(idle: float = IDLE) -> Registry:
    """The registry of the installed entry points, which are read once per process, and of classes
    handed over.

    idle: in place of IDLE. Raises PluginError for two distributions that claim one name.
    """
    found = _found(idle)
    return Registry({**found.plugins, **_handed}, found.broken) if _handed else found


def load_plugin(kind: Kind, name: str) -> Any:
    """An installed plugin, ``NAME:VALUE`` included, with its default parameters: for a plugin that
    works on another.

    Raises InputError where there is none of that name, PluginError where it cannot be loaded.
    """
    plugin = registry().find(kind, name).load()
    return plugin(build_params(plugin.card))


_handed: dict[tuple[Kind, str], Found] = {}


def hand_over(found: Found) -> None:
    """Let a plugin be known in this process that no package registers; a newer class takes the
    place of an older.

    Raises PluginError where a package has one of that name.
    """
    _add(dict(_found().plugins), found)
    _handed[found.entry.kind, found.entry.name] = found


_asking = threading.RLock()
"""Of several threads, as a Dask worker has, one starts the processes of other packages, for all."""


def _found(idle: float = IDLE) -> Registry:
    with _asking:
        return _installed(idle)


_here = False
_before: Callable[[], object] = bool
_known: dict[tuple[Kind, str], Found] | None = None


@cache
def _installed(idle: float) -> Registry:
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    if _known is None:
        return build_registry(points, idle)
    own = build_registry([point for point in points if point.dist and point.dist.name == OWN])
    return Registry({**own.plugins, **_known})


def build_registry(points: list[EntryPoint], idle: float = IDLE) -> Registry:
    """The registry of the given entry points; each module is asked for its plugins in isolation."""
    plugins: dict[tuple[Kind, str], Found] = {}
    broken = []
    named = {point: point.dist.name if point.dist else point.value for point in points}
    children: dict[str, Child] = {}
    if others := [] if _here else [name for name in dict.fromkeys(named.values()) if name != OWN]:
        from hsiaug.registry.third_party import Child

        # All begin, before the first is asked.
        children = {name: Child(name, idle) for name in others}
    for point, distribution in named.items():
        child = children.get(distribution)
        entries, error = (
            child.entries(point.name, point.value)
            if child
            else ask_entries(point.name, point.value)
        )
        if error:
            broken.append(Broken(point.name, distribution, error))
        for entry in entries:
            version = point.dist.version if point.dist else "unknown"
            _add(plugins, Found(entry, distribution, version, child=child))
    return Registry(plugins, tuple(broken))


def ask_entries(name: str, value: str) -> tuple[list[Entry], str]:
    """The plugins of an entry point, whose module is imported here; or why it could not be, and in
    which line.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(EntryPoint(name, value, GROUP).load())
        entries = [entry for answer in manager.hook.hsiaug_plugins() for entry in answer]
        for entry in entries:
            if not isinstance(entry, Entry) or ":" not in entry.target:
                raise TypeError(
                    f"hsiaug_plugins() must return Entry(kind, name, 'module:Class'), not {entry!r}"
                )
        return entries, ""
    except (Exception, SystemExit) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return (
            [],
            (
                f"{type(error).__name__}: {shortened(visible(str(error)))} ({last.filename}, line"
                f" {last.lineno})"
            ),
        )


def _add(plugins: dict[tuple[Kind, str], Found], new: Found) -> None:
    key = (new.entry.kind, new.entry.name)
    if key in plugins:
        rule = f"two packages register the {new.entry.kind} {new.entry.name!r}"
        hint = "Uninstall one of them, or rename its plugin."
        raise PluginError(
            rule, value=f"{plugins[key].distribution} and {new.distribution}", hint=hint
        )
    plugins[key] = new
