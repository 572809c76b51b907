"""The protocols of the core, registered through an entry point like those of any other package."""

from __future__ import annotations

from hsiaug.registry.hookspecs import Entry, hookimpl

TARGETS = {
    "issd": "protocol.sampled:Issd",
    "kshot": "protocol.sampled:KShot",
    "fields": "protocol.sampled:Fields",
    "blocks": "protocol.blocks:Blocks",
    "random": "protocol.sampled:Random",
    "random-twin": "protocol.sampled:RandomTwin",
    "fixed": "protocol.fixed:Fixed",
    "places": "protocol.blocks:Places",
    "within": "protocol.within:Within",
    "added": "protocol.based:Added",
    "hidden": "protocol.based:Hidden",
    "asked": "suggest.asked:Asked",
    "picks": "protocol.picks:Picks",
}

BUILT_IN = {name: Entry("protocol", name, f"hsiaug.{target}") for name, target in TARGETS.items()}


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """Every protocol of the core."""
    return list(BUILT_IN.values())
