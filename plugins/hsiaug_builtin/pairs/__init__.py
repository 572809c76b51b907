"""Pairs made of the training pairs themselves: components pasted, change by construction, classes mixed."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]

GENERATORS = {"paste": "paste:Paste", "paste-change": "change:PasteChange", "classmix": "classmix:Classmix"}
"""Name of each generator, and where it is in this package."""


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The generators of this package."""
    return [Entry("generator", name, f"{__name__}.{path}") for name, path in GENERATORS.items()]
