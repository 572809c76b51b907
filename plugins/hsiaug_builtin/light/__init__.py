"""What light does to a spectrum: the illumination of a clear sky, and the generator ``relight``."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The generator of this package."""
    return [Entry("generator", "relight", f"{__name__}.relight:Relight")]
