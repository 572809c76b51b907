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
            numbered, components = ndimage.label(labels[box] == c, structure=np.ones((3, 3)))
            of_class = numbered > 0
            fields[box][of_class] = numbered[of_class] + count
            count += components
    fields.flags.writeable = False
    return fields


def seen_fields(fields: NDArray[np.int32], train: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of fields that contain a training pixel.

    Parameters
    ----------
    fields : (H, W) int32
        Field of each pixel, 0 = none.
    train : (H, W) bool
        Training pixels.

    Returns
    -------
    (H, W) bool
        False for pixels without a field.

    See Also
    --------
    dilate : pixels near those of a mask.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import seen_fields
    >>> seen_fields(np.array([[1, 1, 2]]), np.array([[True, False, False]])).tolist()
    [[True, True, False]]
    """
    trained = np.zeros(int(fields.max()) + 1, dtype=bool)
    trained[fields[train]] = True
    trained[0] = False
    seen_pixels: NDArray[np.bool_] = trained[fields]
    return seen_pixels


def dilate(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Add the pixels near those of a mask.

    Parameters
    ----------
    mask : (H, W) bool
        The pixels to start from.
    radius : int
        Chebyshev distance in pixels.

    Returns
    -------
    (H, W) bool
        The pixels of the mask, and those within the distance.

    See Also
    --------
    seen_fields : pixels of the same fields.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import dilate
    >>> mask = np.zeros((1, 5), dtype=bool)
    >>> mask[0, 2] = True
    >>> dilate(mask, 1).astype(int)
    array([[0, 1, 1, 1, 0]])
    """
    from scipy import ndimage

    if radius == 0:
        return mask.copy()
    grown: NDArray[np.bool_] = ndimage.maximum_filter(
        mask, size=2 * radius + 1, mode="constant", cval=False
    )
    return grown
