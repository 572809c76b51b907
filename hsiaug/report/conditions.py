"""What many trials share: the condition of their table, their arm and classifier, and what else
their records say alike.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.trial.arm import BOTH, Arm, Method
from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.record_columns import SHARED

OF_ABOUT = ("condition", "arm", "classifier", *SHARED)
"""What the column ``about`` says."""
OF_TRIAL = {
    "seed",
    "generator",
    "classifier",
    "lambda",
    "times",
    "train",
    "omega",
    "omega_convention",
    "view",
    "diagnosis",
}
"""Keys of a trial's specification in which trials of one table differ."""
SPEC = {"task", "scene", "protocol", "patch", *OF_TRIAL}


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


def settings_of(text: str) -> dict[str, Any]:
    """What many records share: condition, arm, classifier, and the values of SHARED."""
    said = json.loads(text)
    spec = said.pop("spec")
    omega = spec["omega"]
    maker = Method.of(
        spec["generator"],
        None if omega is None else spec.get("omega_convention"),
        train=spec.get("train", BOTH),
    )
    return {
        "condition": condition_of(
            {key: value for key, value in spec.items() if key not in OF_TRIAL}
        ),
        "arm": Arm(maker, Rate.of(spec), None if omega is None else float(omega)),
        "classifier": Method.of(spec["classifier"], None, str(spec.get("view", RAW))),
        **said,
    }


def condition_of(spec: Mapping[str, Any]) -> Condition:
    """What trials must share to stand in one table.

    Parameters
    ----------
    spec : mapping of str to object
        What trials of one table share of their specifications.
    """
    scene, protocol = spec["scene"], spec["protocol"]
    argument = protocol.get("argument")
    rest = {
        key: value
        for key, value in spec.items()
        if key not in SPEC and (key, value) != ("format", 1)
    }
    if "version" in protocol:
        rest["protocol_version"] = protocol["version"]
    return Condition(
        task=spec["task"],
        scene=scene["name"],
        scene_sha256=scene["sha256"],
        protocol=protocol["name"],
        argument="" if argument is None else str(argument),
        buffer=str(protocol["buffer"]),
        patch=int(spec["patch"]),
        rest=canonical_json(rest),
    )
