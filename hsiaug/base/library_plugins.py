"""Imported first by a command and by the server that forks its workers: libraries then load no
plugins of their own but those of packages that hsiaug needs.

pydantic, torch, triton, Dask, scikit-image, networkx and others import whatever any installed
package registers with them. In the process of a command such a module would see the labels.
"""

import os
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Any

PACKAGE = "hsiaug"
GROUPS = frozenset({PACKAGE, f"{PACKAGE}.tasks"})
"""The groups of entry points that hsiaug itself reads: of plugins, and of tasks."""
SWITCHES = {"PYDANTIC_DISABLE_PLUGINS": "__all__", "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
"""Variables that say the same to two libraries, in the processes that are started from here too."""
READERS = "importlib.metadata", "importlib_metadata"
"""Modules that list entry points: Python's, and the newer one that libraries may bring."""


def normal_name(name: str) -> str:
    """The name of a package as all its spellings have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def needed_packages() -> frozenset[str]:
    """The names of hsiaug, of what it requires, its extras included, of what that requires, and so
    on.
    """
    names, rest = set[str](), {PACKAGE}
    while rest:
        names.add(name := rest.pop())
        try:
            head = (distribution(name).read_text("METADATA") or "").partition("\n\n")[0]
        except PackageNotFoundError:
            continue
        for package, marker in re.findall(r"^Requires-Dist: *([\w.-]+)(.*)", head, re.MULTILINE):
            if name == PACKAGE or "extra ==" not in marker:
                rest |= {normal_name(package)} - names
    return frozenset(names)


def _hide_others(reader: Any) -> None:
    listed: Callable[[Any], Any] = reader.Distribution.entry_points.fget

    def entry_points(package: Any) -> Any:
        points = listed(package)
        if {point.group for point in points} <= {*GROUPS, "console_scripts"}:
            return points
        needed = normal_name(package.name or "") in needed_packages()
        return points if needed else type(points)(p for p in points if p.group in GROUPS)

    reader.Distribution.entry_points = property(entry_points)


os.environ |= SWITCHES
for module in READERS:
    if find_spec(module):
        _hide_others(import_module(module))
