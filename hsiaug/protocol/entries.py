"""The protocols of the core, registered through an entry point like those of any other package."""

from __future__ import annotations

from hsiaug.registry.hookspecs import Entry, hookimpl

__all__ = ["BUILT_IN", "hsiaug_plugins"]

TARGETS = {
    "issd": "sampled:Issd",
    "kshot": "sampled:KShot",
    "fields": "sampled:Fields",
    "blocks": "blocks:Blocks",
    "random": "sampled:Random",
    "random-twin": "sampled:RandomTwin",
    "fixed": "fixed:Fixed",
    "places": "blocks:Places",
    "within": "within:Within",
    "added": "added:Added",
    "hidden": "hidden_blocks:Hidden",
}

BUILT_IN = {name: Entry("protocol", name, f"hsiaug.protocol.{target}") for name, target in TARGETS.items()}


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """Every protocol of the core."""
    return list(BUILT_IN.values())
