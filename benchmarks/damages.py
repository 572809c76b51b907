"""Known damage to real patches and tiles, by which every measure of samples is judged.

Nothing is changed in place. Images are (n, …, H, W) of any number of axes between; a damage moves
whole spectra. Masks are (n, H, W).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Masks = NDArray[np.int64]


def shuffle_pixels(images: Floats, share: float, rng: np.random.Generator) -> Floats:
    """Permute ``share`` of the pixels of each image among themselves."""
    out = images.copy()
    flat = out.reshape(*images.shape[:-2], -1)
    for image in flat:
        places = rng.permutation(flat.shape[-1])[: round(share * flat.shape[-1])]
        image[..., places] = image[..., rng.permutation(places)]
    return out


def blur(images: Floats, sigma: float, rng: np.random.Generator) -> Floats:
    """Each band under a Gaussian of ``sigma`` pixels."""
    from scipy.ndimage import gaussian_filter

    widths = (0.0,) * (images.ndim - 2) + (sigma, sigma)
    blurred: Floats = gaussian_filter(images, widths, mode="nearest")
    return blurred


def add_noise(images: Floats, share: float, rng: np.random.Generator) -> Floats:
    """White noise, of ``share`` of the deviation of all values."""
    noise = rng.normal(0, share * images.std(), images.shape)
    return (images + noise).astype(images.dtype)


def replace_some(
    arrays: NDArray[Any], others: NDArray[Any], share: float, rng: np.random.Generator
) -> NDArray[Any]:
    """``share`` of the images, labels or masks replaced by others: the same ones, and by the same,
    for equal ``rng``.
    """
    out = arrays.copy()
    chosen = rng.permutation(len(out))[: round(share * len(out))]
    out[chosen] = others[rng.integers(len(others), size=len(chosen))]
    return out


def wrong_labels(labels: NDArray[Any], share: float, rng: np.random.Generator) -> NDArray[Any]:
    """``share`` of the labels, or masks, those of others."""
    out = labels.copy()
    chosen = rng.permutation(len(out))[: round(share * len(out))]
    out[chosen] = labels[np.roll(chosen, 1)]
    return out


def move_masks(masks: Masks, by: float, rng: np.random.Generator) -> Masks:
    """Masks moved down and right by ``by`` pixels; what comes in repeats the edge."""
    pixels = int(by)
    padded = np.pad(masks, ((0, 0), (pixels, 0), (pixels, 0)), mode="edge")
    return padded[:, : masks.shape[1], : masks.shape[2]]


def speckle(masks: Masks, share: float, rng: np.random.Generator) -> Masks:
    """``share`` of the labelled pixels of each mask take the class of another one of it."""
    out = masks.copy()
    for mask in out:
        places = np.flatnonzero(mask.ravel() > 0)
        chosen = rng.permutation(places)[: round(share * len(places))]
        mask.ravel()[chosen] = mask.ravel()[rng.permutation(places)[: len(chosen)]]
    return out
