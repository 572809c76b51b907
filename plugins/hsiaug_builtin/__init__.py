"""The plugins that come with hsiaug; each package uses :mod:`hsiaug.api` alone, as a
third-party plugin does.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Literal

from hsiaug.api import Entry, hookimpl


def listing(
    kind: Literal["generator", "classifier"],
    places: Mapping[str, str],
    controls: Collection[str] = (),
) -> Callable[[], list[Entry]]:
    """The hook of a package: by name of each of its plugins where it is, as
    ``"package.module:Class"``.

    Parameters
    ----------
    controls : collection of str
        Names of those that others are measured against.
    """

    @hookimpl
    def hsiaug_plugins() -> list[Entry]:
        return [
            Entry(kind, name, f"{__name__}.{place}", control=name in controls)
            for name, place in places.items()
        ]

    return hsiaug_plugins
