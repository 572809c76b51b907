"""Do masks and images belong together in space: change inside a mask, and mask edges on image
edges.

Images are (n, T, B, H, W), masks (n, H, W) with 0 = ignore.
"""

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import IGNORE
from hsiaug.metrics.layout import gradients
from hsiaug.metrics.neighbours import rank_nearer

Array = NDArray[np.float64]
Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

CHANGED = 2
"""Class id of a changed pixel."""
MIN_PIXELS_OF_A_KIND = 5
"""Pixels of either kind without which a tile is left out."""


def change_contrast(images: Floats, masks: Ints, scale: Floats) -> tuple[float, float] | None:
    """How much more two dates differ inside the change mask than outside.

    Parameters
    ----------
    images : (n, 2, B, H, W) floats
        Pairs of dates.
    masks : (n, H, W) int64
        1 = unchanged, 2 = changed.
    scale : (B,) floats
        Standard deviations of the bands in real training tiles.

    Returns
    -------
    (float, float) or None
        Length of the difference inside the mask, as a multiple of that outside, the geometric mean
        over tiles; and the chance, 0..1, that a changed pixel differs more than an unchanged one of
        its tile. The median difference of a tile is taken out first: light differs between dates.
        None where no tile has changed and unchanged pixels.
    """
    ratios = []
    ranks = []
    for (before, after), mask in zip(images, masks, strict=True):
        changed = mask == CHANGED
        unchanged = (mask != CHANGED) & (mask != IGNORE)
        if min(changed.sum(), unchanged.sum()) < MIN_PIXELS_OF_A_KIND:
            continue
        step = (after.astype(np.float64) - before) / scale[:, None, None]
        step -= np.median(step, axis=(1, 2), keepdims=True)
        length = np.linalg.norm(step, axis=0)
        inside = length[changed]
        outside = length[unchanged]
        if outside.mean() > 0 < inside.mean():
            ratios.append(np.log(inside.mean() / outside.mean()))
            ranks.append(rank_nearer(outside, inside))
    return (float(np.exp(np.mean(ratios))), float(np.mean(ranks))) if ratios else None


def edge_ranks(maps: Floats, masks: Ints) -> tuple[float, float] | None:
    """Where the edges of masks lie among the gradients of their images.

    Parameters
    ----------
    maps : (n, k, H, W) floats
        Components of the images, all dates and their differences.
    masks : (n, H, W) int64
        0 = ignore.

    Returns
    -------
    (float, float) or None
        Mean rank, 0..1, of the image's gradient in its tile: at edges of the mask, and elsewhere;
        means over all pixels. ½ for edges that lie anywhere. None where no mask has an edge.
    """
    on = []
    off = []
    for image_maps, mask in zip(maps, masks, strict=True):
        edge, labelled = mask_edges(mask)
        if not 0 < edge.sum() < labelled.sum():
            continue
        gradient = gradients(image_maps[None])[0]
        ranks = _ranks(gradient[labelled])
        on.append(ranks[edge[labelled]])
        off.append(ranks[~edge[labelled]])
    return (float(np.concatenate(on).mean()), float(np.concatenate(off).mean())) if on else None


def mask_edges(mask: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(H − 1, W − 1) where the right or lower neighbour is of another class, and where all three
    are labelled.
    """
    corner = mask[:-1, :-1]
    right = mask[:-1, 1:]
    lower = mask[1:, :-1]
    labelled = (corner != IGNORE) & (right != IGNORE) & (lower != IGNORE)
    return labelled & ((corner != right) | (corner != lower)), labelled


def _ranks(values: Array) -> Array:
    """(n,) ranks, 0..1, equal values alike."""
    from scipy.stats import rankdata

    ranks: Array = (rankdata(values) - 0.5) / len(values)
    return ranks
