"""The sides of a patch: what lies north, south, west and east of its centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def side_masks(side: int) -> dict[str, NDArray[np.bool_]]:
    """The pixels of each side of a patch: its outer third. North is the first row.

    Parameters
    ----------
    side : int
        Side of the patch in pixels.

    Returns
    -------
    dict of str to (side, side) bool
        By "north", "south", "west" and "east".

    See Also
    --------
    PromptReading : names such sides.

    Examples
    --------
    >>> from hsiaug.api import side_masks
    >>> side_masks(3)["north"].astype(int).tolist()
    [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    """
    depth = max(1, side // 3)
    row, column = np.indices((side, side))
    return {
        "north": row < depth,
        "south": row >= side - depth,
        "west": column < depth,
        "east": column >= side - depth,
    }
