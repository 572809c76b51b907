"""How the light differs between two dates where nothing changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNCHANGED", "drawn_light", "lights", "matched", "noise"]

UNCHANGED = 1
FEWEST = 16
"""Unchanged pixels of a tile from which its gains are taken."""
GAIN = 2.0
"""Largest gain, and 1 / the smallest: the rest of a ratio of spreads is what the tile shows and no light."""
NOISE = 0.75
"""Quantile of the unchanged pixels of a tile whose difference between dates is its noise."""


def lights(images: NDArray[np.float32], masks: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, 2, B) logarithm of the gain, and offset, that bring unchanged pixels of date 1 to mean and spread of date 2.

    images: (n, 2, B, H, W); masks: (n, H, W). Of the m tiles with enough unchanged pixels; one without any light where
    there is none.
    """
    found = []
    for image, mask in zip(images, masks, strict=True):
        same = mask == UNCHANGED
        if same.sum() >= FEWEST:
            gain, offset = _between(image[0][:, same], image[1][:, same])
            found.append([np.log(gain), offset])
    return np.array(found or np.zeros((1, 2, images.shape[2])), dtype=np.float32)


def drawn_light(
    known: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gain and offset (B,), from the normal distribution of the ``known`` ones (m, 2, B), all bands together.

    A random mixture of the known deviations has their covariance, so that gains depend on the band as smoothly as theirs.
    """
    deviations = (known - known.mean(axis=0)) / np.sqrt(max(len(known) - 1, 1))
    drawn = known.mean(axis=0) + np.tensordot(rng.standard_normal(len(known)), deviations, axes=1)
    gain = np.exp(np.clip(drawn[0], -np.log(GAIN), np.log(GAIN)))
    return gain.astype(np.float32), drawn[1].astype(np.float32)


def matched(
    pixels: NDArray[np.float32], own: NDArray[np.float32], ground: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Pixels (B, K) of a tile brought to the light of another; own (B, m), ground (B, n): unchanged pixels of either."""
    if min(own.shape[1], ground.shape[1]) < FEWEST:
        return pixels
    gain, offset = _between(own, ground)
    return pixels * gain[:, None] + offset[:, None]


def noise(image: NDArray[np.float32], mask: NDArray[np.int64], scale: NDArray[np.float32]) -> float:
    """What three quarters of the unchanged pixels differ by at most between dates (2, B, H, W), beside gain and offset.

    As the root mean square over bands in units of ``scale`` (B,); 0 where too few pixels are unchanged.
    """
    same = mask == UNCHANGED
    if same.sum() < FEWEST:
        return 0.0
    first, second = image[0][:, same], image[1][:, same]
    gain, offset = _between(first, second)
    left = (second - first * gain[:, None] - offset[:, None]) / scale[:, None]
    return float(np.quantile(np.sqrt((left**2).mean(axis=0)), NOISE))


def _between(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gain and offset (B,) that bring pixels (B, m) to mean and spread of others (B, n); gain 1 for a constant band."""
    mean, other = first.mean(axis=1), second.mean(axis=1)
    spread, wanted = first.std(axis=1), second.std(axis=1)
    varies = (spread > 1e-6 * np.abs(mean)) & (spread > 0) & (wanted > 0)
    gain = np.where(varies, wanted / np.where(varies, spread, 1), 1)
    gain = np.clip(gain, 1 / GAIN, GAIN).astype(np.float32)
    return gain, (other - gain * mean).astype(np.float32)
