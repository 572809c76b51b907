"""Protocols: which pixels or tiles of a split train. Splits of these are the bits that records rest
on.
"""

from hsiaug.api import Entry, hookimpl

TARGETS = {
    "issd": "hsiaug_builtin.protocols.sampled:Issd",
    "kshot": "hsiaug_builtin.protocols.sampled:KShot",
    "fields": "hsiaug_builtin.protocols.sampled:Fields",
    "blocks": "hsiaug_builtin.protocols.blocks:Blocks",
    "random": "hsiaug_builtin.protocols.sampled:Random",
    "random-twin": "hsiaug_builtin.protocols.sampled:RandomTwin",
    "fixed": "hsiaug_builtin.protocols.fixed:Fixed",
    "places": "hsiaug_builtin.protocols.blocks:Places",
    "within": "hsiaug_builtin.protocols.within:Within",
    "added": "hsiaug_builtin.protocols.added:ScatteredLabels",
    "hidden": "hsiaug_builtin.protocols.hidden:Hidden",
    "picks": "hsiaug_builtin.protocols.picks:Picks",
}


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """Every protocol that comes with hsiaug."""
    return [Entry("protocol", name, target) for name, target in TARGETS.items()]
