"""Class ids written into a map, where classes share colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.colours import CLASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["class_centres", "label_classes"]


def class_centres(ids: NDArray[np.integer]) -> dict[int, tuple[int, int]]:
    """Class id → (row, column) of its pixel in a map (H, W) that lies deepest among its own; 0 is no class."""
    from scipy.ndimage import distance_transform_edt, find_objects

    centres = {}
    for class_id, where in enumerate(find_objects(np.asarray(ids, dtype=np.int64)), start=1):
        if where is not None:
            depth = distance_transform_edt(np.pad(ids[where] == class_id, 1))[1:-1, 1:-1]
            row, column = np.unravel_index(int(depth.argmax()), depth.shape)
            centres[class_id] = int(where[0].start + row), int(where[1].start + column)
    return centres


def label_classes(panel: Axes, ids: NDArray[np.integer], classes: int) -> None:
    """Write each class id at its centre, where so many classes share colours; nothing where they do not."""
    from matplotlib.patheffects import withStroke

    if classes <= len(CLASSES):
        return
    halo = [withStroke(linewidth=2, foreground="white")]
    for class_id, (row, column) in class_centres(ids).items():
        panel.text(
            column, row, str(class_id), ha="center", va="center", fontsize=7, color="black", path_effects=halo
        )
