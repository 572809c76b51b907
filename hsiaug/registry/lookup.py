"""The registry: finds plugins through entry points, classes only when used.

pluggy's own loading is eager and stops at the first failure; here a package that fails to import is
kept as a :class:`Broken` with its error, and everything else goes on working.
"""

from __future__ import annotations

import copyreg
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, distributions, entry_points, version
from typing import Any, get_args

from hsiaug.base.errors import InputError, PluginError, did_you_mean
from hsiaug.base.text import visible
from hsiaug.registry.card import PRESETS, Card, build_params
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.importing import (
    GROUP,
    OWN,
    OWN_MODULES,
    import_entries,
    import_plugin,
)


@dataclass(frozen=True)
class Found:
    """A plugin that a distribution registers; its class is imported by :meth:`load` only.

    Attributes
    ----------
    variant : str or None
        VALUE where the user typed ``NAME:VALUE``.
    address : str
        ``PACKAGE:NAME``, by which it is known where another package has its name; else empty.
    """

    entry: Entry
    distribution: str
    version: str
    variant: str | None = None
    address: str = ""

    @property
    def name(self) -> str:
        """By which it is known, without a variant."""
        return self.address or self.entry.name

    @property
    def is_handed(self) -> bool:
        """Whether it is a class of this session, which no package registers."""
        return False

    @property
    def card(self) -> Card:
        """The card; for a variant with that name, and a default of that value.

        Raises PluginError where the class cannot be imported or has no valid card, and InputError
        for a variant where the card declares none.
        """
        card: Card = import_plugin(self.entry, self.distribution).card
        if self.address:
            card = replace(card, name=self.address)
        # What follows the colon of a protocol is its argument, which it reads itself.
        plain = self.variant is None or self.entry.kind == "protocol"
        return card if plain else _card_of_variant(card, self.variant or "")

    def load(self) -> Any:
        """The plugin's class; for a variant a subclass with its card. Errors are those of
        :attr:`card`.
        """
        card = self.card
        plugin = import_plugin(self.entry, self.distribution)
        if self.entry.kind == "protocol" or card is plugin.card:
            return plugin
        return type(plugin.__name__, (plugin,), {"card": card})


def send_by_name(kind: Kind, name: str, params_class: type) -> None:
    """Let hyper-parameters go to other processes as values of the class that these have."""
    copyreg.pickle(params_class, lambda params: (_received_params, (kind, name, asdict(params))))


def _received_params(kind: Kind, name: str, values: Mapping[str, object]) -> Any:
    return registry().find(kind, name).card.params(**values)


def _card_of_variant(card: Card, value: str) -> Card:
    """The card of the plugin as ``NAME:VALUE``. The value goes in as a preset, so that params stay
    of their own class.
    """
    name = f"{card.name}:{value}"
    if card.variant is None or not value or visible(value) != value:
        rule = f"{card.name} takes {'a value after the colon' if card.variant else 'no variant'}"
        hint = (
            f"Write {card.name}:{card.variant.upper()}." if card.variant else f"Write {card.name}."
        )
        raise InputError(rule, value=repr(name), hint=hint)
    names = (*PRESETS, *card.presets)
    presets = {preset: {**card.presets.get(preset, {}), card.variant: value} for preset in names}
    return replace(card, name=name, presets=presets)


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
                    yield plugin.card

    def controls(self, kind: Kind) -> list[Found]:
        """The plugins of a kind that others are measured against, hsiaug's own first."""
        found = [one for (k, _), one in self.plugins.items() if k == kind and one.entry.control]
        return sorted(found, key=lambda one: (one.distribution != OWN, one.entry.name))

    def kinds(self, name: str) -> list[Kind]:
        """The kinds of which there is a plugin of that name, ``NAME:VALUE`` included."""
        return sorted(kind for kind in get_args(Kind) if self.get(kind, name))

    def get(self, kind: Kind, name: str) -> Found | None:
        """The plugin of that kind and name, ``NAME:VALUE`` included; None where there is none."""
        parts = name.split(":")
        for end in range(len(parts), 0, -1):
            found = self.plugins.get((kind, ":".join(parts[:end])))
            if found is not None:
                variant = ":".join(parts[end:])
                return replace(found, variant=variant) if end < len(parts) else found
        return None

    def find(self, kind: Kind, name: str) -> Found:
        """The plugin of that kind and name, ``NAME:VALUE`` included.

        Raises InputError with near names, and names broken packages.
        """
        found = self.get(kind, name)
        if found is not None:
            return found
        hint = self.near(name, self.names(kind))
        raise InputError(f"`{kind}` must name a {kind} plugin", value=repr(name), hint=hint)

    def near(self, name: str, names: Iterable[str]) -> str:
        """The hint for a name that is none of these: near ones, and packages that are broken."""
        hint = did_you_mean(name, names)
        if not self.broken:
            return hint
        broken = "; ".join(f"{one.distribution} ({one.error})" for one in self.broken)
        return f"{hint} Packages that failed to load: {broken}; see 'hsiaug plugins list'."


def registry() -> Registry:
    """The registry of the installed entry points, which are read once per process, and of classes
    handed over.

    Of two packages that register one name hsiaug's own keeps it, else the first by name; that of
    the other is known as ``PACKAGE:NAME``.
    """
    found = _installed()
    return Registry({**found.plugins, **_handed}, found.broken) if _handed else found


def load_plugin(kind: Kind, name: str) -> Any:
    """Load an installed plugin with its default parameters, for a plugin that uses another.

    Parameters
    ----------
    kind : {"generator", "classifier", "protocol"}
        Kind of the plugin.
    name : str
        As users type it, including ``NAME:VALUE``.

    Returns
    -------
    Plugin
        An object of its class.

    Raises
    ------
    InputError
        If there is no plugin of that name.
    PluginError
        If it cannot be loaded.

    See Also
    --------
    hsiaug.generator, hsiaug.classifier : plugins with other parameters.

    Examples
    --------
    >>> from hsiaug.api import load_plugin
    >>> load_plugin("classifier", "svm").card.name
    'svm'
    """
    plugin = registry().find(kind, name).load()
    return plugin(build_params(plugin.card))


_handed: dict[tuple[Kind, str], Found] = {}


def hand_over(plugin: Found) -> None:
    """Let a plugin be known in this process that no package registers; a newer class takes the
    place of an older.

    Raises PluginError where a package has one of that name.
    """
    _add(dict(_installed().plugins), plugin)
    _handed[plugin.entry.kind, plugin.entry.name] = plugin


@cache
def _installed() -> Registry:
    return build_registry(_entry_points())


@cache
def own_registry() -> Registry:
    """The registry of the plugins that come with hsiaug: no other package is imported for it."""
    return build_registry([point for point in _entry_points() if _distribution(point) == OWN])


def _entry_points() -> list[EntryPoint]:
    points = set(entry_points(group=GROUP))
    # One of hsiaug's name that comes earlier on the path hides hsiaug.
    for namesake in distributions(name=OWN):
        points |= {point for point in namesake.entry_points if point.group == GROUP}
    return sorted(points, key=lambda point: (point.name, point.value))


def _distribution(point: EntryPoint) -> str:
    """The name of a package. One of hsiaug's name is not hsiaug for that: of its modules alone is
    known that they come with it.
    """
    name = point.dist.name if point.dist else point.value
    own = re.split("[.:]", point.value)[0] in OWN_MODULES
    return point.value if name == OWN and not own else name


def build_registry(points: list[EntryPoint]) -> Registry:
    """The registry of the given entry points. A package that cannot be imported is broken, and so
    is a protocol whose name hsiaug or an earlier package has; all others still work.
    """
    plugins: dict[tuple[Kind, str], Found] = {}
    broken = []
    by_distribution = dict[str, list[EntryPoint]]()
    for point in points:
        by_distribution.setdefault(_distribution(point), []).append(point)
    # Names of hsiaug's own plugins win over those of other packages.
    for name in sorted(by_distribution, key=lambda name: (name != OWN, name)):
        own_points = by_distribution[name]
        if name != OWN and (refusal := _requires_another(own_points[0])):
            broken += [Broken(point.name, name, refusal) for point in own_points]
            continue
        number = own_points[0].dist.version if own_points[0].dist else "unknown"
        for point in own_points:
            entries, error = import_entries(point.name, point.value)
            if error:
                broken.append(Broken(point.name, name, error))
            for entry in entries:
                found = Found(entry, name, number)
                if entry.kind != "protocol" and (entry.kind, entry.name) in plugins:
                    found = replace(found, address=f"{name}:{entry.name}")
                try:
                    _add(plugins, found)
                except PluginError as taken:
                    broken.append(Broken(point.name, name, str(taken)))
    return Registry(plugins, tuple(broken))


def _requires_another(point: EntryPoint) -> str:
    """What is wrong where the package of an entry point asks for another version of hsiaug than
    this; else empty.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for text in (point.dist.requires if point.dist else None) or ():
        with suppress(InvalidRequirement):
            asked = Requirement(text)
            if asked.name.lower() != OWN or (asked.marker and not asked.marker.evaluate()):
                continue
            if not asked.specifier.contains(here := version(OWN), prereleases=True):
                return (
                    f"it requires {asked.name}{asked.specifier}, and this is hsiaug {here}:"
                    " install a version of it that is written for this one"
                )
    return ""


def _add(plugins: dict[tuple[Kind, str], Found], new: Found) -> None:
    key = (new.entry.kind, new.name)
    if key in plugins:
        rule = f"the {new.entry.kind} {new.entry.name!r} must have a name that no other plugin has"
        hint = f"Rename it in {new.distribution}, or uninstall that package."
        raise PluginError(rule, value=f"one of {plugins[key].distribution}", hint=hint)
    plugins[key] = new
