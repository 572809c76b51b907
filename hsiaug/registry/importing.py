"""Imports of plugins in this process."""

import importlib
import traceback
from importlib.metadata import EntryPoint
from typing import Any, get_args

import pluggy

from hsiaug.base.errors import PluginError
from hsiaug.base.text import shortened, visible
from hsiaug.registry import hookspecs
from hsiaug.registry.card import (
    Card,
    ControlOf,
    Scope,
    check_contract,
    check_made_of_params,
)
from hsiaug.registry.hookspecs import Entry

GROUP = "hsiaug"
"""The group of entry points that list plugins."""
OWN = "hsiaug"
"""The distribution of the plugins that come with hsiaug."""
OWN_MODULES = "hsiaug", "hsiaug_builtin"
"""The modules that they lie in."""


def import_plugin(entry: Entry, distribution: str) -> Any:
    """The class of a plugin, imported here.

    Raises PluginError where it cannot be imported, or carries no valid card of its name.
    """
    module, _, name = entry.target.partition(":")
    what = f"{entry.kind} {entry.name} of {distribution}"
    try:
        plugin = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{what} could not be loaded from {entry.target!r}",
            value=f"{type(error).__name__}: {error}",
            hint="Repair or uninstall that package; all other plugins still work.",
        ) from error
    card = getattr(plugin, "card", None)
    if not isinstance(card, Card) or card.name != entry.name:
        raise PluginError(
            f"{what} must carry a Card of the same name",
            value=repr(card.name if isinstance(card, Card) else card),
            hint=f"Set {name}.card = Card(name={entry.name!r}, …).",
        )
    if entry.kind != "protocol":
        check_made_of_params(plugin)
        check_contract(plugin, entry.kind)
    if card.scope not in get_args(Scope):
        raise PluginError(
            f"the scope of {entry.kind} {entry.name} must be one of {', '.join(get_args(Scope))}",
            value=repr(card.scope),
            hint="A protocol such as hidden:0.5:issd hides pixels, from every plugin.",
        )
    if card.control_of not in get_args(ControlOf):
        kinds = ", ".join(filter(None, get_args(ControlOf)))
        raise PluginError(
            f"control_of of {entry.kind} {entry.name} must be one of {kinds}, or empty",
            value=repr(card.control_of),
            hint="Correct its card; docs/develop/plugins.md says how a control is added.",
        )
    return plugin


def import_entries(name: str, value: str) -> tuple[list[Entry], str]:
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
    except (Exception, SystemExit) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename}, line {last.lineno}"
        return [], f"{type(error).__name__}: {shortened(visible(str(error)))} ({where})"
    return entries, ""
