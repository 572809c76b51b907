"""Smoothing of shares of classes (H, W, k) along the edges of an image. Weights are 0 where a pixel
has no shares.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Smooth = Callable[[Image, NDArray[np.bool_]], Image]
"""``smooth(shares, with_shares)``: shares (H, W, k) smoothed over the pixels ``with_shares``
(H, W), meaningless elsewhere.
"""

EPSILON = 0.001
"""Variance of a guide, scaled to 0..1, below which a window counts as without an edge."""
STRIPE = 2**22
"""Values that are filtered at a time."""
WALKS = 0.9
"""Probability of a further step of a random walk."""
COMPACTNESS = 0.1
"""Difference of spectra, scaled to 0..1, that counts as much as the side of a superpixel does in
place.
"""


def guided_filter(guides: Image, radius: int) -> Smooth:
    """Mean of the guided filters of each channel of ``guides`` (H, W, c), scaled to 0..1; windows
    of 2·radius + 1.

    K. He, J. Sun and X. Tang, Guided image filtering, IEEE TPAMI 35(6), 2013,
    doi:10.1109/TPAMI.2012.213, algorithm 1; of shares of classes: X. Kang, S. Li and J. A.
    Benediktsson, Spectral-spatial hyperspectral image classification with edge-preserving
    filtering, IEEE TGRS 52(5), 2014, doi:10.1109/TGRS.2013.2264508. Means are over known pixels
    alone. Works in stripes of rows.
    """

    def smooth(shares: Image, with_shares: NDArray[np.bool_]) -> Image:
        height, width, classes = shares.shape
        step = max(1, STRIPE // (width * classes))
        smoothed = np.zeros_like(shares)
        for top in range(0, height, step):
            first = max(0, top - 2 * radius)
            last = min(height, top + step + 2 * radius)
            stripe = slice(first, last)
            filtered = _filtered(
                guides[stripe], shares[stripe], with_shares[stripe], 2 * radius + 1
            )
            smoothed[top : top + step] = filtered[top - first : top - first + step]
        return smoothed

    return smooth


def _filtered(guides: Image, shares: Image, with_shares: NDArray[np.bool_], side: int) -> Image:
    from scipy.ndimage import uniform_filter

    weight = with_shares.astype(np.float32)[:, :, None]
    mass = np.maximum(uniform_filter(weight, (side, side, 1), mode="constant"), 1e-6)

    def mean(image: Image) -> Image:
        return np.asarray(uniform_filter(image * weight, (side, side, 1), mode="constant") / mass)

    smoothed = np.zeros_like(shares)
    average = mean(shares)
    for channel in range(guides.shape[2]):
        guide = guides[:, :, channel : channel + 1]
        middle = mean(guide)
        slope = (mean(guide * shares) - middle * average) / (
            mean(guide * guide) - middle**2 + EPSILON
        )
        smoothed += mean(slope) * guide + mean(average - slope * middle)
    # What a line through an edge leaves below 0 is no share.
    smoothed = np.maximum(smoothed / guides.shape[2], 1e-6)
    return np.asarray(smoothed / smoothed.sum(axis=2, keepdims=True))


def superpixel_means(image: Image, sides: tuple[int, ...]) -> Smooth:
    """Mean over superpixels of about each of ``sides`` pixels a side, and over the sides: a vote of
    several scales.

    Superpixels are SLIC's (Achanta et al. 2012, doi:10.1109/TPAMI.2012.120), by scikit-image.

    Parameters
    ----------
    image : (H, W, c) array
        By which pixels are alike.
    """
    from skimage.segmentation import slic

    height, width, _ = image.shape
    segments = [
        slic(
            image,
            n_segments=max(1, round(height * width / side**2)),
            compactness=COMPACTNESS,
            convert2lab=False,
            channel_axis=2,
            start_label=0,
        ).ravel()
        for side in sides
    ]

    def smooth(shares: Image, with_shares: NDArray[np.bool_]) -> Image:
        weight = with_shares.ravel().astype(np.float64)
        flat = shares.reshape(-1, shares.shape[2])
        smoothed = np.zeros_like(shares)
        for segment in segments:
            mass = np.maximum(np.bincount(segment, weight), 1e-9)
            for c in range(flat.shape[1]):
                means = np.bincount(segment, weight * flat[:, c]) / mass
                smoothed[:, :, c] += (means[segment] / len(segments)).reshape(height, width)
        return smoothed

    return smooth


def walk_at_random(image: Image, steps: int) -> Smooth:
    """Shares of where a random walk from a pixel ends, which crosses edges of ``image`` (H, W, c)
    rarely.

    It goes on to a neighbour with probability WALKS, at most ``steps`` times.
    """
    from hsiaug_builtin.nets.grid import grid_graph, spread

    height, width, channels = image.shape
    graph = grid_graph(
        np.argwhere(np.ones((height, width), dtype=bool)).astype(np.int32),
        image.reshape(-1, channels),
    )

    def smooth(shares: Image, with_shares: NDArray[np.bool_]) -> Image:
        nodes = np.flatnonzero(with_shares)
        smoothed = np.zeros_like(shares)
        smoothed[with_shares] = spread(
            shares[with_shares].astype(np.float64), graph[nodes][:, nodes], WALKS, steps
        )
        return smoothed

    return smooth
