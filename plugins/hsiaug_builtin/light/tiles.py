"""Tiles under another light: one light per tile and date, one gain per segment of the mask, and
cast shadows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hsiaug.api import DenseView
from hsiaug_builtin.light.relight import RelightParams, bounded_slope
from hsiaug_builtin.light.sky import diffuse_share, smooth_root
from hsiaug_builtin.pairs.connected_areas import components

SEGMENT = 0.1
"""Standard deviation of the logarithm of the sun's light on a segment, at strength 1."""
SHADOW = 0.3
"""Share of tiles and dates on which a shadow is cast."""
DEPTH = 0.8
"""The most of the sun's light that a shadow takes, at strength 1."""
UNCHANGED = 1
"""Class id of change masks."""
DIFFUSE = 0.15
"""Diffuse share of the light where wavelengths are unknown: about that of visible light under a
clear sky.
"""
BORDER = 0.7
"""Standard deviation of the blur, in pixels, by which the gains of neighbouring segments pass into
each other.
"""
NARROW = 0.05
"""Half the width of a shadow, in sides of a tile, at least."""
WIDE = 0.3
"""Half the width of a shadow, in sides of a tile, at most."""
Floats = NDArray[np.float64]


def light_of(view: DenseView) -> tuple[float, float]:
    """How much brightness (slope) and colour vary at strength 1: as ``relight`` has them, a slope
    of at most twice the spread of log brightness over the training tiles; for two dates what these
    differ by, see :func:`of_dates`.
    """
    images = view.real.images
    usual = (RelightParams.slope, RelightParams.colour)
    slope, colour = of_dates(images, view.real.masks, usual) if view.dates == 2 else usual
    return bounded_slope(slope, np.moveaxis(images, 2, -1).reshape(-1, view.bands)), colour


def of_dates(
    images: NDArray[np.float32], masks: NDArray[np.int64], usual: tuple[float, float]
) -> tuple[float, float]:
    """Slope and colour by which the two dates of pairs (n, 2, B, H, W) differ.

    Of the unchanged pixels of each tile and each band the mean log ratio of the dates is taken.
    Over the tiles, its mean over the bands has a spread, and what is left of a band has one; each
    date has 1/√2 of it. Of the bands' spreads the median counts, as bands with next to no light
    differ by noise. ``usual`` without two tiles with unchanged pixels.
    """
    usable = (masks == UNCHANGED).any(axis=(1, 2))
    if usable.sum() < 2:
        return usual
    logs = np.log(
        np.maximum(
            images[usable], 1e-3 * np.median(images, axis=(0, 1, 3, 4))[:, None, None].clip(1e-9)
        )
    )
    unchanged = (masks[usable] == UNCHANGED)[:, None]
    ratio = ((logs[:, 1] - logs[:, 0]) * unchanged).sum(axis=(2, 3)) / unchanged.sum(
        axis=(2, 3)
    )  # (tiles, B)
    gain = ratio.mean(axis=1, keepdims=True)
    return float(gain.std()) / 2**0.5, float(np.median((ratio - gain).std(axis=0))) / 2**0.5


def relight_tiles(
    images: NDArray[np.float32],
    masks: NDArray[np.int64],
    light: tuple[float, float],
    strength: float,
    wavelengths: Floats,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Tiles (n, T, B, H, W) under other light; their masks (n, H, W) stay true. 0 in a mask is no
    segment.

    A spectrum is multiplied by the light on its pixel over that on level, open ground, as in
    :class:`hsiaug_builtin.light.relight.Relight`:

        (g·s·(1 − h)·(1 − d(λ)) + Ω·d(λ)) · exp(c(λ)).

    g and c are drawn per tile and date, as :func:`light_of` says, s per segment and for all dates
    alike, as ground keeps its slope. h is what a shadow takes of the sun's light. Ω is the share of
    the sky that a pixel sees, less in shadow.

    Parameters
    ----------
    strength : float
        Strength of all of them.
    wavelengths : (B,) float
        In nm. Where they are empty d is the constant ``DIFFUSE``, c is 0, and g and s brighten
        the sky too.
    """
    n, dates, bands, height, width = images.shape
    slope = strength * light[0]
    tint = strength * light[1]
    gain = np.exp(slope * rng.standard_normal((n, dates, 1, 1)))
    ground = gain * _segment_gains(masks, strength * SEGMENT, rng)[:, None]
    depth = min(1.0, strength * DEPTH)
    hidden, sky = (x.reshape(ground.shape) for x in _shadow(n * dates, (height, width), depth, rng))
    sun = ground * (1 - hidden)
    colour = np.ones((n, dates, bands))
    diffuse = np.full(bands, DIFFUSE)
    if len(wavelengths):
        colour = np.exp(tint * (rng.standard_normal(colour.shape) @ smooth_root(wavelengths).T))
        diffuse = diffuse_share(wavelengths)
    else:
        sky = sky * ground
    relit = np.empty(images.shape, dtype=np.float32)
    direct, scattered = (
        (share * colour)[..., None, None].astype(np.float32) for share in (1 - diffuse, diffuse)
    )
    sun = sun[:, :, None].astype(np.float32)
    sky = sky[:, :, None].astype(np.float32)
    for i in range(n):  # one after the other, as light takes as much memory as what it falls on
        relit[i] = images[i] * (direct[i] * sun[i] + scattered[i] * sky[i])
    return relit


def _segment_gains(masks: NDArray[np.int64], spread: float, rng: np.random.Generator) -> Floats:
    """(n, H, W) log-normal gain of each segment, soft at its border; 1 where the mask is 0."""
    numbers = components(masks, corners=False).number
    logs = (
        spread * np.concatenate([[0.0], rng.standard_normal(int(numbers.max(initial=0)))])[numbers]
    )
    return np.asarray(np.exp(ndimage.gaussian_filter(logs, (0, BORDER, BORDER), mode="nearest")))


def _shadow(
    n: int, side: tuple[int, int], depth: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(n, H, W) each: what is hidden of the sun, 0..depth, and the share of the sky that is
    seen.
    """
    depths = depth * rng.uniform(0.5, 1, (n, 1, 1)) * (rng.random((n, 1, 1)) < SHADOW)
    hidden = depths * shadow_covers(n, side, rng)
    return hidden, 1 - 0.5 * hidden * rng.random((n, 1, 1))


def shadow_covers(n: int, side: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(n, H, W) share 0..1 of each pixel within a shadow: a band across the tile or, as often, a
    parallelogram, with straight edges and a penumbra of a pixel.
    """
    rows, columns = np.indices(side)
    longest = max(side)
    middle = rng.uniform(0, 1, (2, n, 1, 1)) * np.reshape(side, (2, 1, 1, 1))
    angle = rng.uniform(0, np.pi, (n, 1, 1))
    turn = rng.uniform(np.pi / 4, 3 * np.pi / 4, (n, 1, 1))
    half = rng.uniform(NARROW, WIDE, (2, n, 1, 1)) * longest
    half[1][rng.random((n, 1, 1)) < 0.5] = 2.0 * longest  # so long that a band is left
    cover = np.ones((n, *side))
    for direction, reach in zip((angle, angle + turn), half, strict=True):
        across = (rows - middle[0]) * np.sin(direction) + (columns - middle[1]) * np.cos(direction)
        cover = cover * np.clip(reach + 0.5 - np.abs(across), 0, 1)
    return cover
