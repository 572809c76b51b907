"""The registry: finds plugins through entry points, each loaded in isolation, classes only when
used.

pluggy's own loading is eager and stops at the first failure; here a package that fails to import is
kept as a :class:`Broken` with its error, and everything else goes on working.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError, PluginError, did_you_mean
from hsiaug.base.text import visible
from hsiaug.registry.card import PRESETS, Card, build_params
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.importing import GROUP, IMPORTS, OWN, import_entries, import_plugin

if TYPE_CHECKING:
    from hsiaug.registry.isolation.packages import Package


@dataclass(frozen=True)
class Found:
    """A plugin that a distribution registers; its class is imported by :meth:`load` only.

    Attributes
    ----------
    variant : str or None
        VALUE where the user typed ``NAME:VALUE``.
    package : Package or None
        Whose process imports it in place of this one.
    """

    entry: Entry
    distribution: str
    version: str
    variant: str | None = None
    package: Package | None = None

    def load(self) -> Any:
        """The plugin's class; for a variant a subclass, whose card has that name and sets that
        value.

        Of other packages only processes that run plugins have the class; others have a stand-in,
        with its card. Raises PluginError where it cannot be imported or has no valid card, and
        InputError for a variant where the card declares none.
        """
        if self.package is None:
            plugin = import_plugin(self.entry, self.distribution)
        else:
            plugin = self.package.plugin(self.entry)
        # What follows the colon of a protocol is its argument, which it reads itself.
        plain = self.variant is None or self.entry.kind == "protocol"
        return plugin if plain else _variant(plugin, self.variant or "")


def find_plugin(kind: Kind, name: str) -> Any:
    """The class of a plugin in this process. Raises InputError where there is none."""
    return registry().find(kind, name).load()


def params_of(kind: Kind, name: str, values: Mapping[str, object]) -> Any:
    """Hyper-parameters as this process has their class: how others send them."""
    return find_plugin(kind, name).card.params(**values)


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
        for (kind, _), plugin in self.plugins.items():
            with suppress(Exception):
                if kind != "protocol":
                    yield plugin.load().card

    def controls(self, kind: Kind) -> list[Found]:
        """The plugins of a kind that others are measured against, hsiaug's own first."""
        found = [one for (k, _), one in self.plugins.items() if k == kind and one.entry.control]
        return sorted(found, key=lambda one: (one.distribution != OWN, one.entry.name))

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
        raise InputError(f"`{kind}` must name a {kind} plugin", value=repr(name), hint=hint)


def import_here(
    plugins: Iterable[Found] | None = None, before: Callable[[], object] | None = None
) -> None:
    """Let this process import plugins of other packages from now on: it is there to run them.

    Parameters
    ----------
    plugins : iterable of Found or None
        These plugins, as another process found them, and no others: their packages are imported
        when they are used; None = every package is imported to ask for its plugins.
    before : callable or None
        Called once, before the first of them is imported.
    """
    IMPORTS.before = None if before is None else cache(before)
    if plugins is not None:
        new = {(plugin.entry.kind, plugin.entry.name): plugin for plugin in plugins}
        IMPORTS.known = {**(IMPORTS.known or {}), **new}
    if plugins is not None or not IMPORTS.allowed:
        IMPORTS.allowed = True
        _installed.cache_clear()


def third_party() -> tuple[Found, ...]:
    """The plugins of other packages, as a process that imports them is told them."""
    others = (one for one in _found().plugins.values() if one.distribution != OWN)
    return tuple(replace(one, package=None) for one in others)


def registry() -> Registry:
    """The registry of the installed entry points, which are read once per process, and of classes
    handed over.

    Raises PluginError for two distributions that claim one name.
    """
    found = _found()
    return Registry({**found.plugins, **_handed}, found.broken) if _handed else found


@cache
def own_registry() -> Registry:
    """The registry of the plugins that come with hsiaug: no other package is asked for it."""
    return build_registry([point for point in _entry_points() if _distribution(point) == OWN])


def load_plugin(kind: Kind, name: str) -> Any:
    """An installed plugin with its default parameters, for a plugin that works on another.

    Parameters
    ----------
    kind : {"generator", "classifier", "protocol"}
        What the plugin is.
    name : str
        As users type it, ``NAME:VALUE`` included.

    Returns
    -------
    Plugin

    Raises
    ------
    InputError
        Where there is none of that name.
    PluginError
        Where it cannot be loaded.
    """
    plugin = registry().find(kind, name).load()
    return plugin(build_params(plugin.card))


_handed: dict[tuple[Kind, str], Found] = {}


def hand_over(plugin: Found) -> None:
    """Let a plugin be known in this process that no package registers; a newer class takes the
    place of an older.

    Raises PluginError where a package has one of that name.
    """
    _add(dict(_found().plugins), plugin)
    _handed[plugin.entry.kind, plugin.entry.name] = plugin


_asking = threading.RLock()
"""Of several threads, as a Dask worker has, one starts the processes of other packages, for all."""


def _found() -> Registry:
    with _asking:
        return _installed()


@cache
def _installed() -> Registry:
    if IMPORTS.known is None:
        return build_registry(_entry_points())
    return Registry({**own_registry().plugins, **IMPORTS.known})


def _entry_points() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def build_registry(points: list[EntryPoint]) -> Registry:
    """The registry of the given entry points; each module is asked for its plugins in isolation."""
    plugins: dict[tuple[Kind, str], Found] = {}
    broken = []
    packages: dict[str, Package] = {}
    named = [(_distribution(point), point) for point in points]
    others = {name for name, _ in named if name != OWN}
    if others and not IMPORTS.allowed:
        from hsiaug.registry.isolation.packages import Package

        for other in others:
            own = [point for name, point in named if name == other]
            packages[other] = Package(other, find_plugin, own)
    for name, point in named:
        package = packages.get(name)
        ask = package.entries if package else import_entries
        entries, error = ask(point.name, point.value)
        if error:
            broken.append(Broken(point.name, name, error))
        version = point.dist.version if point.dist else "unknown"
        for entry in entries:
            _add(plugins, Found(entry, name, version, package=package))
    return Registry(plugins, tuple(broken))


def _add(plugins: dict[tuple[Kind, str], Found], new: Found) -> None:
    key = (new.entry.kind, new.entry.name)
    if key in plugins:
        rule = f"two packages register the {new.entry.kind} {new.entry.name!r}"
        hint = "Uninstall one of them, or rename its plugin."
        raise PluginError(
            rule, value=f"{plugins[key].distribution} and {new.distribution}", hint=hint
        )
    plugins[key] = new
