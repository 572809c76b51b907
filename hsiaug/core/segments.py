"""Segments of similar neighbours."""

import numpy as np
from numpy.typing import NDArray

CLOSENESS = 0.5
"""Weight of a segment's side, against the spread of the spectra, in the distance to a segment's
centre.
"""
ROUNDS = 6
"""Times that centres are moved; segments hardly change after five."""

AROUND = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
"""Offsets from a cell of the grid to itself and its neighbours."""

Floats = NDArray[np.float32]


def find_segments(features: Floats, side: int) -> NDArray[np.int32]:
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


def _with_places(features: Floats, row: int, side: int) -> NDArray[np.float64]:
    """(W, k + 2) features of a row's pixels, with their places."""
    columns = np.arange(features.shape[1])
    places = CLOSENESS / side * np.stack([np.full_like(columns, row), columns], axis=1)
    return np.concatenate([features[row], places], axis=1)


def _move(
    centres: NDArray[np.float64], features: Floats, member: NDArray[np.int32], side: int
) -> None:
    """Put each centre in the middle of its pixels; one that lost all of them stays."""
    sums = np.zeros_like(centres)
    counts = np.bincount(member.ravel(), minlength=len(centres))
    for row in range(len(member)):
        np.add.at(sums, member[row], _with_places(features, row, side))
    used = counts > 0
    centres[used] = sums[used] / counts[used, None]
