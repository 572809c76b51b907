"""The ground under a table's maps: the scene of its records, where it lies here and is the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import HsiaugError
from hsiaug.report.ground import NoGroundError, PixelMap, local_scene, predicted_map
from hsiaug.report.html.place import Place
from hsiaug.report.records import Trial
from hsiaug.scene import Scene

__all__ = ["NoGroundError", "PixelMap", "predicted_map", "scene_of", "split_roles"]

MOST_VALUES = 60_000_000
"""Values of the largest cube that is read for a map: a larger one takes longer than the whole page."""


def scene_of(place: Place, read: dict[str, Scene]) -> Scene:
    """The scene of a table's records; read: those that are read already, which this one joins.

    Raises NoGroundError where it cannot be had without a download, or is too large.
    """
    if place.table.condition.task != "pixels":
        raise NoGroundError("the predictions of masks lie in several images, and only maps of one scene are drawn")
    return local_scene(place.table.trials, read, MOST_VALUES)


def split_roles(place: Place, trial: Trial, scene: Scene) -> NDArray[np.uint8] | None:
    """(H, W): 0 unlabelled, 1 left out, 2 test, 3 train, of the trial's draw made anew.

    None where the draw cannot be made here, or its checksum is not the record's: then it is another draw.
    """
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.split import draw_split

    condition = place.table.condition
    try:
        protocol = parse_protocol(f"{condition.protocol}:{condition.argument}".removesuffix(":"), condition.buffer)
        split = draw_split(scene, protocol, trial.seed, condition.patch)
    except HsiaugError:
        return None
    if split.audit.sha256 != (trial.audit or {}).get("sha256"):
        return None
    roles = np.zeros(scene.shape, dtype=np.uint8)
    roles[split.buffered], roles[split.test], roles[split.train] = 1, 2, 3
    return roles
