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
EDGE, FILL = 0.014, 0.55
"""Share of a tile's side that an outline is wide on either side of an edge, and how much of a mask
lies over a tile.
"""
UNCHANGED = 1
"""Class id of a mask of two dates that is not drawn: what is outlined is what changed."""


def tile_rows(
    images: NDArray[np.uint8], masks: NDArray[np.integer], tints: NDArray[np.uint8], side: int
) -> dict[str, Images]:
    """Rows of enlarged tiles by their names: of two dates both, with what changed outlined; of one
    the image, and then its grey with the mask over it.

    Parameters
    ----------
    images : (n, T, h, w, 3) uint8
        T dates.
    masks : (n, h, w) array
        Class ids, 0 = no label.
    tints : (C + 1, 3) uint8
        Colours by class id.
    side : int
        Pixels of the longer side of an answer, about: tiles are enlarged by whole numbers.
    """
    scale = max(1, round(side / max(masks.shape[1:])))
    if images.shape[1] > 1:
        changed = np.where(masks == UNCHANGED, IGNORE, masks)
        return {
            f"date {t + 1}": outlined(images[:, t], changed, tints, scale)
            for t in range(images.shape[1])
        }
    grey = images[:, 0].mean(axis=-1, keepdims=True).repeat(3, axis=-1).round().astype(np.uint8)
    plain = outlined(images[:, 0], np.zeros_like(masks), tints, scale)
    return {"image": plain, "with mask": outlined(grey, masks, tints, scale, fill=FILL)}


def outlined(
    images: Images,
    masks: NDArray[np.integer],
    tints: NDArray[np.uint8],
    scale: int,
    *,
    fill: float = 0.0,
) -> Images:
    """Images with the areas of their masks drawn over them.

    Parameters
    ----------
    images
        (n, h, w, 3) uint8.
    masks : (n, h, w) array
        Class ids. Of areas of ``IGNORE`` only the rim along others is drawn, in white, so
        that the outlines of these are seen on any ground.
    tints : (C + 1, 3) uint8
        Colours by class id.
    scale : int
        Pixels of an answer along a side of a pixel of an image.
    fill : float
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
    shares = np.where(edge, 1.0, fill * (ids != IGNORE))
    inks = tints.copy()
    inks[IGNORE] = 255
    drawn: Images = (
        ((1 - shares)[..., None] * large + shares[..., None] * inks[ids]).round().astype(np.uint8)
    )
    return drawn


def image_grid(
    rows: Sequence[Images], across: int, side: int, *, apart: bool = False
) -> tuple[NDArray[np.uint8], list[float]]:
    """Rows of images on white, and the height of the middle of each row.

    Parameters
    ----------
    rows : sequence of Images
        Images of one size; a row may have fewer than ``across``, or none.
    across : int
        Columns of the grid.
    side : int
        Pixels of the longer side of an image, about: each is enlarged to it by whole numbers.
    apart : bool
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
