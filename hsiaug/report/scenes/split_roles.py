"""What a draw makes of every pixel: trained on, tested, left out, or without a label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError
from hsiaug.report.records import Trial
from hsiaug.report.scenes.ground_truth import GroundTruth
from hsiaug.tasks.task import TaskSplit, get_task

__all__ = ["ROLES", "redrawn_roles", "split_roles"]

ROLES = ("unlabelled", "left out", "test", "train")


def split_roles(split: TaskSplit) -> tuple[NDArray[np.uint8], ...]:
    """Of a scene, or of each place, (H, W) numbers of ROLES."""
    return tuple(
        np.where(label > 0, np.where(trained, 3, np.where(tested, 2, 1)), 0).astype(np.uint8)
        for label, tested, trained in split.sides
    )


def redrawn_roles(trial: Trial, truth: GroundTruth) -> tuple[NDArray[np.uint8], ...] | None:
    """The same of a trial's draw, made anew.

    None where the draw cannot be made here, or its checksum is not the record's: then it is another draw.
    """
    from hsiaug.protocol.protocols import parse_protocol

    condition = trial.condition
    try:
        protocol = parse_protocol(f"{condition.protocol}:{condition.argument}".removesuffix(":"), condition.buffer)
        split = get_task(condition.task).split(truth.data, protocol, trial.seed, condition.patch)
    except HsiaugError:
        return None
    return split_roles(split) if split.audit.sha256 == (trial.audit or {}).get("sha256") else None
