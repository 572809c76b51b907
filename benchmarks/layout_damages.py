"""Further known damage to real patches and tiles, by which every measure of layout is judged.

Nothing is changed in place.

Images are (n, …, H, W) of any number of axes between. Masks are (n, H, W). What measures need
themselves is in :mod:`hsiaug.metrics.image_damages`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def blur(images: Floats, sigma: float) -> Floats:
    """Each band of images (…, H, W) under a Gaussian of ``sigma`` pixels."""
    from scipy.ndimage import gaussian_filter

    widths = (0.0,) * (images.ndim - 2) + (sigma, sigma)
    blurred: Floats = gaussian_filter(images, widths, mode="nearest")
    return blurred


def add_noise(images: Floats, share: float, rng: np.random.Generator) -> Floats:
    """White noise on every band of images (n, …, B, H, W), of ``share`` of that band's deviation
    over all pixels.
    """
    others = (0, *range(1, images.ndim - 3), images.ndim - 2, images.ndim - 1)
    deviation = images.std(axis=others, keepdims=True)
    noisy: Floats = (images + share * deviation * rng.normal(size=images.shape)).astype(
        images.dtype
    )
    return noisy


def next_class(
    images: Floats,
    classes: NDArray[np.integer],
    ids: Sequence[int],
    share: float,
    rng: np.random.Generator,
) -> Floats:
    """Give ``share`` of the patches, or tiles, the mean spectra of the next class, and keep their
    texture.

    Parameters
    ----------
    images : (n, …, B, H, W) floats
        Patches, or tiles.
    classes : (n,) or (n, H, W) integers
        Class of each patch, or of each pixel.
    ids : sequence of int
        Class ids; each is followed by the next, the last by the first. Pixels of other ids stay.
    share : float
        Of the images that are damaged.
    rng : Generator
        Chooses them.

    Returns
    -------
    (n, …, B, H, W) floats
        Each pixel moved by the difference of the two class means.
    """
    by_pixel = np.broadcast_to(
        classes.reshape(len(images), *(classes.shape[1:] or (1, 1))), _planes(images)
    )
    spectra = np.moveaxis(images.reshape(len(images), -1, *images.shape[-2:]), 1, -1)
    means = {c: spectra[by_pixel == c].mean(axis=0) for c in ids if (by_pixel == c).any()}
    known = list(means)
    shift = np.zeros_like(spectra)
    for i, c in enumerate(known):
        shift[by_pixel == c] = means[known[(i + 1) % len(known)]] - means[c]
    stay = rng.permutation(len(images))[round(share * len(images)) :]
    shift[stay] = 0
    moved: Floats = images + np.moveaxis(shift, -1, 1).reshape(images.shape)
    return moved


def _planes(images: NDArray[Any]) -> tuple[int, int, int]:
    return (len(images), *images.shape[-2:])


def move_masks(masks: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Masks (n, H, W) moved down and right by ``by`` pixels; what comes in repeats the edge."""
    padded = np.pad(masks, ((0, 0), (by, 0), (by, 0)), mode="edge")
    return padded[:, : masks.shape[1], : masks.shape[2]]


def copies(n: int, known: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) for each of n samples the one of ``known`` training samples that replaces it, −1 for the
    others.
    """
    source = np.full(n, -1, dtype=np.int64)
    chosen = rng.permutation(n)[: round(share * n)]
    source[chosen] = rng.integers(known, size=len(chosen))
    return source
