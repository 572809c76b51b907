"""Morphological profiles: what openings and closings by reconstruction leave of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Layers = NDArray[np.float32]

RADII = (1, 3, 5)
"""Pixels, of the discs of the structuring elements."""


def profiles(layers: Layers) -> Layers:
    """(k, n, H, W) layers → (k · (1 + 2 · radii), n, H, W): each layer, and its openings and
    closings by reconstruction.

    An opening takes off bright structures in which no disc fits, and leaves the others as they are;
    a closing dark ones. M. Pesaresi and J. A. Benediktsson, A new approach for the morphological
    segmentation of high-resolution satellite imagery, IEEE TGRS 39(2), 2001, doi:10.1109/36.905239.
    """
    stacked = [layers]
    for radius in RADII:
        stacked += [opened(layers, radius), -opened(-layers, radius)]
    return np.concatenate(stacked)


def opened(layers: Layers, radius: int) -> Layers:
    """Opening by reconstruction of each of layers (k, n, H, W), with a disc."""
    from scipy.ndimage import grey_erosion
    from skimage.morphology import disk, reconstruction

    # Nothing is eroded, or reconstructed, from one layer to another.
    disc = disk(min(radius, (max(layers.shape[2:]) - 1) // 2 or 1))[None]
    neighbours = np.ones((1, 3, 3), dtype=bool)
    result = np.empty_like(layers)
    for layer, place in zip(layers, result, strict=True):
        seed = grey_erosion(
            layer, footprint=disc, mode="mirror" if min(layer.shape[1:]) > 1 else "nearest"
        )
        place[:] = reconstruction(seed, layer, footprint=neighbours)
    return result
