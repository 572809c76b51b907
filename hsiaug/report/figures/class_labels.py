"""Class ids written into a map, where classes share colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import CLASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTERS = 45
"""Numbers that fit across a map: half as deep as one is wide, a region has room for it."""


def class_centres(ids: NDArray[np.integer]) -> list[tuple[int, int, int]]:
    """(class id, row, column) of every region of a map (H, W) that has room for a number, and of each class's largest.

    The place is the pixel of a region that lies deepest in it; 0 is no class.
    """
    from scipy.ndimage import distance_transform_edt, find_objects, label, maximum_position

    room, centres = max(ids.shape) / LETTERS, []
    for class_id, where in enumerate(find_objects(np.asarray(ids, dtype=np.int64)), start=1):
        if where is not None:
            depth = distance_transform_edt(np.pad(ids[where] == class_id, 1))[1:-1, 1:-1]
            regions, count = label(depth > 0)
            found = maximum_position(depth, regions, range(1, count + 1))
            places = np.asarray(found, dtype=np.int64).reshape(-1, 2).tolist()
            deepest = max(depth[row, column] for row, column in places)
            centres += [
                (class_id, int(where[0].start + row), int(where[1].start + column))
                for row, column in places
                if depth[row, column] >= min(room, deepest)
            ]
    return centres


def label_classes(panel: Axes, ids: NDArray[np.integer], classes: int) -> None:
    """Write the class ids into their regions, where so many classes share colours; nothing where they do not."""
    from matplotlib.patheffects import withStroke

    if classes <= len(CLASSES):
        return
    halo = [withStroke(linewidth=2, foreground="white")]
    for class_id, row, column in class_centres(ids):
        panel.text(
            column, row, str(class_id), ha="center", va="center", fontsize=7, color="black", path_effects=halo
        )
