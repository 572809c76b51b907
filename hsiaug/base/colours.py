"""Colours: three bands of a cube as people see them, and what each colour of a picture or page
means.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float32, Float64

RED, GREEN, BLUE = 660.0, 560.0, 490.0
"""Wavelengths in nm."""

CLASSES = (
    "#fe970d",
    "#4f5bef",
    "#c90901",
    "#0aafc0",
    "#770278",
    "#2d6c5d",
    "#2e25b9",
    "#ffd600",
    "#8e59a9",
    "#9186ff",
    "#90c7ff",
    "#a9c395",
    "#8a0114",
    "#a48675",
    "#b5ffa5",
    "#f45716",
)
"""Colours of classes 1..16, in this order: the first n are as far apart as may be for every n.

Every pair is apart in OKLab (times 100) by 13.7 to the normal eye, 10.6 under protanopia, 10.5
under deuteranopia and 8.4 under tritanopia, as Machado, Oliveira and Fernandes (2009) model them at
full severity; of the first eight by 15.2, 11.7, 11.6 and 9.1. From white, ``NO_DATA`` and dark
paper each is 7.6 or more away. Found by simulated annealing: ``benchmarks/class_palette.py``.
"""
NO_DATA = "#dcdcdc"
"""A pixel without a class."""

SERIES = ("#2a4004", "#f35100", "#bc66f2", "#521667", "#66996e", "#b60a77", "#3183ad", "#6352d6")
"""Colours of lines and marks of configurations or controls, in the order of ``--s0`` to ``--s7``
of the page, found alike.

Each has a contrast of 3 or more on white, and stays away from the colours of verdicts and of links.
Eight lie too close for some eyes to rest on colour alone: each has its own marker too.
"""
TONES = {"good": "#00695c", "loss": "#b34700", "bad": "#a40e26", "warn": "#7a4a00", "": "#57606a"}
"""Verdicts: helps, helps at a loss, hurts, a warning, nothing shown. Each stands beside a sign or a
word, never alone.
"""
TRAIN, HELD_OUT, SYNTHETIC, LEFT_OUT = "#733939", "#22c0fe", "#c98e01", "#a0a0a0"
"""Roles of pixels or samples, in every map and figure, far from SERIES and TONES; held out is also
what is tested on.
"""


def rgb_bands(wavelengths: Float64 | None, bands: int) -> tuple[int, int, int]:
    """The bands nearest to red, green and blue; thirds of the range where wavelengths are not
    known.
    """
    if wavelengths is None:
        return (3 * bands // 4, bands // 2, bands // 4)
    red, green, blue = (int(np.abs(wavelengths - centre).argmin()) for centre in (RED, GREEN, BLUE))
    return red, green, blue


def stretched(
    rgb: NDArray[np.floating], low: NDArray[np.floating], high: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """(..., 3) uint8 of three bands (..., 3), each from ``low`` to ``high`` (3,)."""
    share = (rgb - low) / np.maximum(high - low, 1e-12)
    colours: NDArray[np.uint8] = np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return colours


def true_colours(cube: Float32, wavelengths: Float64 | None, step: int) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 of every step-th row and column of a cube (H, W, B): the bands nearest to
    red, green and blue, each from its 2nd to its 98th percentile of the pixels that have data.
    """
    bands = list(rgb_bands(wavelengths, cube.shape[2]))
    rgb = np.stack([cube[row : row + 1][0, ::step][:, bands] for row in range(0, len(cube), step)])
    with_data = rgb[rgb.any(axis=2)]
    low, high = (
        (np.percentile(with_data, q, axis=0) for q in (2, 98))
        if len(with_data)
        else (np.zeros(3), np.ones(3))
    )
    return stretched(rgb, low, high)


def rgb_of(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three numbers of 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def hex_of(colour: Iterable[int]) -> str:
    """Three numbers of 0 to 255 as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def class_colours(classes: int) -> NDArray[np.uint8]:
    """(C + 1, 3) colours by class id, no two alike for up to 255 classes; 0 is a pixel without a
    class.

    Beyond 16 classes they come again lighter, then darker; beyond 48 by too little to be seen.
    """
    turn = np.arange(classes) // len(CLASSES)
    base = np.array(
        [rgb_of(CLASSES[i % len(CLASSES)]) for i in range(classes)], dtype=np.float64
    ).reshape(-1, 3)
    towards = np.array([0.0, 255.0, 0.0])[turn % 3, None]
    table = np.round(base + np.array([0.0, 0.45, 0.45])[turn % 3, None] * (towards - base)).astype(
        np.uint8
    )
    table[:, 2] ^= (turn // 3).astype(np.uint8)
    return np.concatenate([np.array([rgb_of(NO_DATA)], dtype=np.uint8), table])
