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
    """A plugin of a package, as its function ``hsiaug_plugins`` lists it.

    Attributes
    ----------
    kind : {"generator", "classifier", "protocol"}
        Kind of the plugin.
    name : str
        As users type it.
    target : str
        Location of its class, ``"module:Class"``.
    control : bool
        Whether its card has a ``control_of``. Every plan reads the cards of these, and imports no
        other plugin that the user did not name.

    See Also
    --------
    Card : declares what the plugin does.
    hookimpl : marks the function that returns entries.

    Examples
    --------
    >>> from hsiaug.api import Entry
    >>> Entry("generator", "gain", "my_package:Gain").control
    False
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
