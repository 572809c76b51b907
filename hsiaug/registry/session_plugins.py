"""Plugins that no package registers: classes of a notebook or a script, handed to
``hsiaug.benchmark`` as objects.

They stand in the registry of this process, and go to worker processes by value, as a notebook can
be imported nowhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card, build_params, check_made_of_params
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, hand_over, registry, send_by_name
from hsiaug.registry.sources import source_digest

SESSION = "this session"

Parcel = tuple[Kind, bytes, str]
"""A plugin on its way to another process: its kind, its pickled class, and the digest of its
source.
"""


@dataclass(frozen=True)
class Handed(Found):
    """A class in place of an entry point.

    Attributes
    ----------
    digest : str
        Of its source, which is part of its version.
    """

    plugin: Any = None
    digest: str = ""

    @property
    def is_handed(self) -> bool:
        return True

    @property
    def card(self) -> Card:
        card: Card = self._stamped.card
        return card

    def load(self) -> Any:
        """A subclass whose card has the version that names the source too."""
        return self._stamped

    @cached_property
    def _stamped(self) -> Any:
        card: Card = self.plugin.card
        return type(
            self.plugin.__name__, (self.plugin,), {"card": replace(card, version=self.version)}
        )


def name_and_overrides(
    kind: Kind, plugin: Any, preset: str = "cpu"
) -> tuple[str, Mapping[str, str]]:
    """A plugin as a user would type it: its name, and the values of its hyper-parameters.

    Parameters
    ----------
    plugin : object
        A name, or an object or a class with a card, which the registry of this process then
        knows.

    Raises
    ------
    PluginError
        For an object without a card, for one whose name a package has, and for one that refers
        to data of the notebook.
    """
    if isinstance(plugin, str):
        return plugin, {}
    plugin_class = plugin if isinstance(plugin, type) else type(plugin)
    card = getattr(plugin_class, "card", None)
    if not isinstance(card, Card):
        raise PluginError(
            f"a {kind} must be a name, or a plugin that carries a Card",
            value=repr(plugin),
            hint="See docs/develop/plugins.md.",
        )
    check_made_of_params(plugin_class)
    if not _is_registered(kind, plugin_class, card):
        _keep(kind, plugin_class, source_digest(plugin_class))
    params = build_params(card, preset) if isinstance(plugin, type) else plugin.params
    return card.name, {
        item.name: as_typed(getattr(params, item.name))
        for item in fields(params)
        if item.name != card.parameter_in_name
    }


def as_typed(value: object) -> str:
    """A value as it would be typed after ``set``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_installed(kind: Kind, name: str) -> None:
    """Raise PluginError for a plugin that this process alone knows."""
    if isinstance(registry().find(kind, name), Handed):
        rule = "Dask and SLURM know plugins of packages alone"
        hint = "Make it a package (hsiaug plugins new), or run on this machine."
        raise PluginError(rule, value=f"{kind} {name}, a class of this session", hint=hint)


def parcels() -> tuple[Parcel, ...]:
    """All plugins that this process alone knows, as others are sent them."""
    handed = [item for item in registry().plugins.values() if isinstance(item, Handed)]
    if not handed:
        return ()
    import cloudpickle

    return tuple((item.entry.kind, cloudpickle.dumps(item.plugin), item.digest) for item in handed)


def unpack(sent: Iterable[Parcel]) -> None:
    """Give a worker process the plugins that its parent knows."""
    import pickle

    for kind, pickled, digest in sent:
        _keep(kind, pickle.loads(pickled), digest)


def _is_registered(kind: Kind, plugin: type, card: Card) -> bool:
    """Whether the registry gives that very class; of a variant, whether its family is
    registered.
    """
    registered = registry().get(kind, card.name)
    if isinstance(registered, Handed):
        return plugin is registered.load()
    typed = plugin.__mro__[1] if ":" in card.name else plugin
    target = f"{typed.__module__}:{typed.__qualname__}"
    return registered is not None and registered.entry.target == target


def _keep(kind: Kind, plugin: Any, digest: str) -> None:
    card: Card = plugin.card
    target = f"{plugin.__module__}:{plugin.__qualname__}"
    version = f"{card.version}+{digest}"
    hand_over(
        Handed(
            Entry(kind, card.name, target, control=bool(card.control_of)),
            SESSION,
            version,
            plugin=plugin,
            digest=digest,
        )
    )
    if card.params.__module__ == plugin.__module__:
        # Of trials on their way to a process that cannot import the class either.
        send_by_name(kind, card.name, card.params)
