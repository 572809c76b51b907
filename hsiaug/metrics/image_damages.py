"""Known damage to real patches and tiles, which measures of layout state beside samples. Nothing is
changed in place.

Images are (n, …, H, W) of any number of axes between; a damage moves whole spectra. Masks are (n,
H, W).
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
Floats = NDArray[np.floating]


def shuffle_pixels(
    images: NDArray[Scalar], share: float, rng: np.random.Generator
) -> NDArray[Scalar]:
    """Permute ``share`` of the pixels of each image among themselves, whole spectra each."""
    return shuffle_blocks(images, 1, share, rng)


def shuffle_blocks(
    images: NDArray[Scalar], side: int, share: float, rng: np.random.Generator
) -> NDArray[Scalar]:
    """Permute ``share`` of the square blocks of each image (…, H, W) among themselves.

    What does not fill a block at the right and lower edge stays.
    """
    rows, columns = (length // side for length in images.shape[-2:])
    high = rows * side
    wide = columns * side
    out = images.copy()
    blocks = out[..., :high, :wide].reshape(*images.shape[:-2], rows, side, columns, side)
    blocks = np.moveaxis(blocks, -3, -2).reshape(*images.shape[:-2], rows * columns, side, side)
    chosen = round(share * rows * columns)
    for image in blocks:
        places = rng.permutation(rows * columns)[:chosen]
        image[..., places, :, :] = image[..., rng.permutation(places), :, :]
    shuffled = blocks.reshape(*images.shape[:-2], rows, columns, side, side)
    out[..., :high, :wide] = np.moveaxis(shuffled, -2, -3).reshape(*images.shape[:-2], high, wide)
    return out


def permute_masks(
    masks: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give ``share`` of the tiles the mask of another one of them."""
    out = masks.copy()
    chosen = rng.permutation(len(masks))[: round(share * len(masks))]
    out[chosen] = masks[np.roll(chosen, 1)]
    return out
