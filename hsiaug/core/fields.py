"""Parts of an image: fields, which are stretches of ground that one visit would label whole, and
that a classifier may only fill in; segments of similar neighbours; and the sides of a patch.
"""

from __future__ import annotations

import numpy as np

from hsiaug.base.arrays import Bools, Float32, Float64, Int16, Int32

COMPONENTS = "connected components"
"""Name in audits of the fields of a scene."""
CLOSENESS = 0.5
"""Weight of a segment's side, against the spread of the spectra, in the distance to a segment's
centre.
"""
ROUNDS = 6
"""Times that centres are moved; segments hardly change after five."""

AROUND = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
"""Offsets from a cell of the grid to itself and its neighbours."""


def label_fields(labels: Int16) -> Int32:
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


def seen_fields(fields: Int32, train: Bools) -> Bools:
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
    seen_pixels: Bools = trained[fields]
    return seen_pixels


def dilate(mask: Bools, radius: int) -> Bools:
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
    grown: Bools = ndimage.maximum_filter(mask, size=2 * radius + 1, mode="constant", cval=False)
    return grown


def side_masks(side: int) -> dict[str, Bools]:
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


def find_segments(features: Float32, side: int) -> Int32:
    """Segment an image into groups of similar, neighbouring pixels.

    SLIC (R. Achanta et al., SLIC superpixels compared to state-of-the-art superpixel methods, IEEE
    TPAMI 34(11), 2012, doi:10.1109/TPAMI.2012.120): k-means over features and positions in which a
    pixel only joins centres near its own cell of a grid. The last step, which makes every segment
    connected, is left out.

    Parameters
    ----------
    features : (H, W, k) float
        Scaled to a total variance of 1.
    side : int
        Approximate width of a segment in pixels.

    Returns
    -------
    (H, W) int32
        Segment of each pixel: 0, 1, …

    See Also
    --------
    seen_fields : pixels of fields with training pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import find_segments
    >>> features = np.random.default_rng(0).normal(size=(20, 20, 2)).astype(np.float32)
    >>> find_segments(features, 5).shape
    (20, 20)
    """
    height, width, _ = features.shape
    down = max(1, round(height / side))
    across = max(1, round(width / side))
    cell_row = np.minimum(np.arange(height) * down // height, down - 1)
    cell_column = np.minimum(np.arange(width) * across // width, across - 1)
    member = (cell_row[:, None] * across + cell_column).astype(np.int32)
    centres = np.zeros((down * across, features.shape[2] + 2))
    for _ in range(ROUNDS):
        _move(centres, features, member, side)
        for row in range(height):
            near = np.clip(cell_row[row] + AROUND[:, :1], 0, down - 1) * across
            near = near + np.clip(cell_column + AROUND[:, 1:], 0, across - 1)
            distances = ((_with_places(features, row, side) - centres[near]) ** 2).sum(axis=2)
            member[row] = near[distances.argmin(axis=0), np.arange(width)]
    return np.unique(member, return_inverse=True)[1].reshape(height, width).astype(np.int32)


def _with_places(features: Float32, row: int, side: int) -> Float64:
    """(W, k + 2) features of a row's pixels, with their places."""
    columns = np.arange(features.shape[1])
    places = CLOSENESS / side * np.stack([np.full_like(columns, row), columns], axis=1)
    return np.concatenate([features[row], places], axis=1)


def _move(centres: Float64, features: Float32, member: Int32, side: int) -> None:
    """Put each centre in the middle of its pixels; one that lost all of them stays."""
    sums = np.zeros_like(centres)
    counts = np.bincount(member.ravel(), minlength=len(centres))
    for row in range(len(member)):
        np.add.at(sums, member[row], _with_places(features, row, side))
    used = counts > 0
    centres[used] = sums[used] / counts[used, None]
