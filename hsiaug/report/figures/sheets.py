"""Arrays of small images: rows of them on white, and masks outlined over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import IGNORE

Images = NDArray[np.uint8]
"""(n, h, w, 3) of 0 to 255."""
GAP = 0.06
"""Share of an image's side between two of them."""
EDGE = 0.012
"""Share of an image's side that an outline is wide, and at least one pixel."""


def outlined(
    images: Images, masks: NDArray[np.integer], tints: NDArray[np.uint8], scale: int, *, fill: float = 0.0
) -> Images:
    """Images with the areas of their masks drawn over them.

    Parameters
    ----------
    images
        (n, h, w, 3) uint8.
    masks
        (n, h, w) class ids; ``IGNORE`` is not drawn.
    tints
        (C + 1, 3) uint8 colours by class id.
    scale
        Pixels of an answer along a side of a pixel of an image.
    fill
        How much of an area's colour lies over it, 0 to 1; its outline is drawn in any case.

    Returns
    -------
    (n, scale·h, scale·w, 3) uint8.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    large = images.repeat(scale, axis=1).repeat(scale, axis=2)
    ids = masks.repeat(scale, axis=1).repeat(scale, axis=2)
    around = (1, *[2 * max(1, round(EDGE * max(ids.shape[1:]))) + 1] * 2)
    edge = minimum_filter(ids, around) != maximum_filter(ids, around)
    shares = np.where(edge, 1.0, fill) * (ids != IGNORE)
    drawn = (1 - shares)[..., None] * large + shares[..., None] * tints[ids]
    return drawn.round().astype(np.uint8)


def image_grid(
    rows: Sequence[Images], across: int, side: int, *, apart: bool = False
) -> tuple[NDArray[np.uint8], list[float]]:
    """Rows of images on white, and the height of the middle of each row.

    Parameters
    ----------
    rows
        Images of one size; a row may have fewer than ``across``, or none.
    across
        Columns of the grid.
    side
        Pixels of the longer side of an image, about: each is enlarged to it by whole numbers.
    apart
        Whether the first row is set apart from the others.
    """
    height, width = rows[0].shape[1:3]
    scale = max(1, round(side / max(height, width)))
    gap = max(1, round(GAP * scale * max(height, width)))
    down, right = scale * height + gap, scale * width + gap
    tops = [row * down + (2 * gap if apart and row else 0) for row in range(len(rows))]
    sheet = np.full((tops[-1] + down - gap, across * right - gap, 3), 255, dtype=np.uint8)
    for top, images in zip(tops, rows, strict=True):
        for column, image in enumerate(images[:across]):
            large = image.repeat(scale, axis=0).repeat(scale, axis=1)
            start = column * right
            sheet[top : top + scale * height, start : start + scale * width] = large
    return sheet, [top + (down - gap) / 2 for top in tops]
