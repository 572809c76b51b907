"""Suggestions of pixels to label: ground that classifiers disagree on and that is unlike what has a
label.

The protocol ``asked``, which measures them, is a plugin of this room: it needs more of hsiaug than
:mod:`hsiaug.api` offers.
"""

from hsiaug.registry.hookspecs import Entry, hookimpl


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The protocol of labels that are asked for."""
    return [Entry("protocol", "asked", "hsiaug.suggest.asked_protocol:Asked")]
