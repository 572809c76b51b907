"""The scenes that plugins are checked on: a few stripes, small enough that a check takes a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split
from hsiaug.scene import Scene
from hsiaug.seeds import derive_seed
from hsiaug.testing.task_kit import Case

__all__ = ["LOW", "NAMES", "NOISE", "SIZES", "SPAN", "class_spectra", "facts", "make_case"]

SIZES = (16, 8, 5, 3)
"""Training pixels of each class, unless a check asks for others."""

NAMES = ("Meadow", "Maize", "Orchard", "Pond")
ROWS, WIDTH, BANDS = 6, 22, 16
"""Rows of a stripe (the last of them without label), columns, bands."""

TEST_FROM = 14
"""Test pixels start at this column: far from any training patch."""

LOW, SPAN = 6000.0, 4000.0
"""Scene units: digital numbers, far from 0 and from a standard deviation of 1, so that samples which were not
brought back to scene units are seen at once."""

NOISE = 0.015
"""Standard deviation of pixels round the spectrum of their class, as a share of SPAN."""


def class_spectra(classes: int, bands: int) -> NDArray[np.float64]:
    """(C, B) of 0..1."""
    grid, c = np.linspace(0, 1, bands), np.arange(classes)[:, None]
    return np.asarray(0.2 + 0.15 * c + 0.1 * np.sin(np.pi * (1 + c) * grid))


def facts(names: Sequence[str], bands: int, description: str, *, bare: bool) -> dict[str, Any]:
    """What is told of a case beside its arrays. bare: no wavelengths, ground sampling distance or descriptions."""
    return {
        "class_names": tuple(names),
        "wavelengths": None if bare else np.linspace(450.0, 2350.0, bands),
        "gsd": None if bare else 2.0,
        "units": "digital numbers",
        "descriptions": {} if bare else {name: (description.format(name.lower()),) for name in names},
    }


def make_case(
    sizes: Sequence[int] = SIZES, *, patch: int = 5, constant: bool = False, bare: bool = False
) -> Case[Scene, Split]:
    """One stripe of ROWS rows per class; training pixels at its left, test pixels at its right.

    sizes: training pixels of class ids 1..C. constant: the last two bands do not vary, the very last being 0.
    bare: no wavelengths, ground sampling distance or descriptions. The same arguments give the same case.
    """
    rng = np.random.default_rng(derive_seed("conformance", 0))
    labels = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int16), ROWS)[:, None].repeat(WIDTH, axis=1)
    spectra = class_spectra(len(sizes), BANDS)
    cube = spectra[labels - 1] + rng.normal(0, NOISE, (*labels.shape, BANDS))
    cube = LOW + SPAN * cube
    if constant:
        cube[..., -2:] = LOW, 0.0
    labels[ROWS - 1 :: ROWS] = 0
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in enumerate(sizes):
        order = np.arange(size)
        train[c * ROWS + order % (ROWS - 1), order // (ROWS - 1)] = True
    test = labels > 0
    test[:, :TEST_FROM] = False
    scene = Scene(
        name="conformance",
        cube=cube.astype(np.float32),
        labels=labels,
        **facts(NAMES[: len(sizes)], BANDS, "A stripe of {} beside others.", bare=bare),
    )
    return Case("pixels", scene, Split(scene.labels, len(sizes), train, test, parse_protocol("issd"), patch, 0))
