"""The ground under a table's maps: the masks of its records, where they lie here, and who was trained and tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import HsiaugError
from hsiaug.report.ground_truth import (
    GroundTruth,
    NoGroundTruthError,
    PixelMap,
    local_ground_truth,
    predicted_maps,
)
from hsiaug.report.html.anchors import Place
from hsiaug.report.records import Trial
from hsiaug.tasks.task import get_task

__all__ = ["GroundTruth", "NoGroundTruthError", "PixelMap", "ground_truth_of", "predicted_maps", "split_roles"]

MOST_VALUES = 60_000_000
"""Values of the largest cube that is read for a map: a larger one takes longer than the whole page."""


def ground_truth_of(place: Place, read: dict[str, GroundTruth]) -> GroundTruth:
    """The truth of a table's records; read: what is read already, which this one joins.

    Raises NoGroundTruthError where it cannot be had without a download, or is too large.
    """
    return local_ground_truth(place.table.trials, read, MOST_VALUES)


def split_roles(place: Place, trial: Trial, truth: GroundTruth) -> tuple[NDArray[np.uint8], ...] | None:
    """Of each place (H, W): 0 unlabelled, 1 left out, 2 test, 3 train, of the trial's draw made anew.

    None where the draw cannot be made here, or its checksum is not the record's: then it is another draw.
    """
    try:
        checksum, left, tested, trained = _sides(place, trial, truth)
    except HsiaugError:
        return None
    if checksum != (trial.audit or {}).get("sha256"):
        return None
    found = []
    for mask, *sides in zip(truth.masks, left, tested, trained, strict=True):
        roles = np.zeros(mask.shape, dtype=np.uint8)
        for role, side in enumerate(sides, start=1):
            roles[side & (mask > 0)] = role
        found.append(roles)
    return tuple(found)


Sides = tuple[NDArray[np.bool_], ...]


def _sides(place: Place, trial: Trial, truth: GroundTruth) -> tuple[str, Sides, Sides, Sides]:
    """Checksum of the draw, and which pixels it left out, tested and trained on."""
    from hsiaug.protocol.protocols import parse_protocol

    condition = place.table.condition
    protocol = parse_protocol(f"{condition.protocol}:{condition.argument}".removesuffix(":"), condition.buffer)
    task = get_task(condition.task)
    split = task.split(truth.data, protocol, trial.seed, condition.patch)
    return split.audit.sha256, *task.sides(split)
