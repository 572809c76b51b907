"""The one hook of hsiaug: a package lists its plugins as strings, so that listing imports nothing
heavy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pluggy

Kind = Literal["generator", "classifier", "protocol"]

hookspec = pluggy.HookspecMarker("hsiaug")
hookimpl = pluggy.HookimplMarker("hsiaug")


@dataclass(frozen=True)
class Entry:
    """A plugin of a package.

    Attributes
    ----------
    kind : {"generator", "classifier", "protocol"}
        What the plugin is.
    name : str
        As users type it.
    target : str
        Where its class is, as ``"module:Class"``.
    control : bool
        True for a plugin whose card has a ``control_of``: every plan asks for the cards of
        these, and imports no other plugin that the user did not name.
    """

    kind: Kind
    name: str
    target: str
    control: bool = False


@hookspec
def hsiaug_plugins() -> Iterable[Entry]:  # type: ignore[empty-body]
    """The plugins of this package.

    Returns
    -------
    iterable of Entry
        One for each plugin; nothing heavy is imported to list them.
    """
