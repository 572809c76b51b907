"""Fields: stretches of ground that one visit would label whole, and that a classifier may only fill
in.
"""

import numpy as np
from numpy.typing import NDArray

COMPONENTS = "connected components"
"""Name in audits of the fields of a scene."""


def label_fields(labels: NDArray[np.int16]) -> NDArray[np.int32]:
    """(H, W) int32 field of each pixel: 1, 2, … where it has a label, 0 where it has none.

    A field is a connected component of one class. Pixels that touch at a corner alone belong
    together: at that distance their patches are nearly the same, so a test pixel there would be no
    new ground.

    Parameters
    ----------
    labels : (H, W) int16
        0 = none.
    """
    from scipy import ndimage

    fields = np.zeros(labels.shape, dtype=np.int32)
    count = 0
    for c, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            numbered, found = ndimage.label(labels[box] == c, structure=np.ones((3, 3)))
            mine = numbered > 0
            fields[box][mine] = numbered[mine] + count
            count += found
    fields.flags.writeable = False
    return fields


def seen_fields(fields: NDArray[np.int32], train: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) pixels of fields that hold a training pixel."""
    trained = np.zeros(int(fields.max()) + 1, dtype=bool)
    trained[fields[train]] = True
    trained[0] = False
    seen: NDArray[np.bool_] = trained[fields]
    return seen


def dilate(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Pixels within Chebyshev distance ``radius`` of the mask."""
    from scipy import ndimage

    if radius == 0:
        return mask.copy()
    grown: NDArray[np.bool_] = ndimage.maximum_filter(
        mask, size=2 * radius + 1, mode="constant", cval=False
    )
    return grown
