"""Imported first by a command and by the server that forks its workers: libraries then load no
plugins of their own but those that lie in the library itself.

pydantic, torch, triton, Dask, scikit-image, networkx and others import whatever any installed
package registers with them. In the process of a command such a module would see the labels.
"""

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

GROUPS = frozenset({"hsiaug", "hsiaug.tasks", "console_scripts"})
"""The groups of entry points that hsiaug itself reads, of plugins and of tasks; and of commands."""
SWITCHES = {"PYDANTIC_DISABLE_PLUGINS": "__all__", "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
"""Variables that say the same to two libraries, in the processes that are started from here too."""
READERS = "importlib.metadata", "importlib_metadata"
"""Modules that list entry points: Python's, and the newer one that libraries may bring."""


def _is_shown(point: Any) -> bool:
    """A group is named after the library that reads it, as ``dask.array.backends``."""
    library = point.group.partition(".")[0]
    return point.group in GROUPS or point.value.startswith((f"{library}.", f"{library}:"))


def _hide_others(reader: Any) -> None:
    listed: Callable[[Any], Any] = reader.Distribution.entry_points.fget

    def entry_points(package: Any) -> Any:
        points = listed(package)
        return type(points)(filter(_is_shown, points))

    reader.Distribution.entry_points = property(entry_points)


os.environ |= SWITCHES
for module in READERS:
    if find_spec(module):
        _hide_others(import_module(module))
