"""What the trials of one table of a report share, found from their specifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.record import KEYS_OF_TRIAL


@dataclass(frozen=True)
class Condition:
    """Properties shared by the trials of one table.

    Attributes
    ----------
    rest : str
        Canonical JSON of any further key of the specification, so that what a later version
        adds to it parts the tables instead of being averaged over.
    """

    task: str
    scene: str
    scene_sha256: str
    protocol: str
    argument: str
    buffer: str
    patch: int
    rest: str = "{}"

    @property
    def protocol_text(self) -> str:
        """``issd:0.05``: the protocol with its argument, as users write it."""
        return f"{self.protocol}:{self.argument}".removesuffix(":")

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Condition:
        """That of a trial, from its specification as records keep it."""
        rest = {key: spec[key] for key in spec if key not in KEYS_OF_TRIAL}
        scene, protocol = rest.pop("scene"), rest.pop("protocol")
        task, patch = rest.pop("task"), rest.pop("patch")
        argument = protocol.get("argument")
        if rest.get("format") == 1:
            del rest["format"]
        if "version" in protocol:
            rest["protocol_version"] = protocol["version"]
        return cls(
            task=task,
            scene=scene["name"],
            scene_sha256=scene["sha256"],
            protocol=protocol["name"],
            argument="" if argument is None else str(argument),
            buffer=str(protocol["buffer"]),
            patch=int(patch),
            rest=canonical_json(rest),
        )
