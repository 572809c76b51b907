"""Labelled pixels whose spectrum cannot be of their class, as of a dead detector or a spike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.scene import Scene

MIN_PIXELS = 20
"""Labelled pixels of a class that is looked at, at least."""
MOST_NAMED = 5
"""Pixels that a sentence names."""
USUAL = 0.95
"""Share of a class whose distances are taken as usual."""
FAR = 5.0
"""Times the usual distance from which on a spectrum is far from its class. On 45 classes of seven
scenes the farthest pixel has 3.2 times; a pixel of zeros on Indian Pines has 7 to 43 times.
"""
SPIKE = 10.0
"""The same of the largest step of a single band from the bands beside it: 6.5 times at most on
these scenes, and 14 to 430 times where a band is set to the largest value of the class.
"""


def far_pixels(scene: Scene) -> list[tuple[int, int, int]]:
    """Row, column and class id of labelled pixels far from their class, which may be none.

    Distances are counted in median absolute deviations of each band over the labelled pixels of the
    class, so that the pixels sought do not move what they are compared with.
    """
    found: list[tuple[int, int, int]] = []
    for class_id in range(1, len(scene.class_names) + 1):
        pixels = np.argwhere(scene.labels == class_id)
        if len(pixels) < MIN_PIXELS:
            continue
        spectra = scene.pixels[tuple(pixels.T)].astype(np.float64)
        far = _beyond(np.sqrt(np.square(_deviations(spectra)).mean(axis=1)), FAR)
        if spectra.shape[1] > 2:
            steps = spectra[:, 1:-1] - (spectra[:, :-2] + spectra[:, 2:]) / 2
            far |= _beyond(np.abs(_deviations(steps)).max(axis=1), SPIKE)
        found += [(int(row), int(column), class_id) for row, column in pixels[far]]
    return found


def far_warnings(scene: Scene) -> list[str]:
    """A sentence that names labelled pixels far from their class; else none."""
    far = far_pixels(scene)
    if not far:
        return []
    named = _named(far[:MOST_NAMED], scene.class_names)
    if len(far) > MOST_NAMED:
        named += f"; and {len(far) - MOST_NAMED} more"
    lies = "pixel lies far from its" if len(far) == 1 else "pixels lie far from their"
    return [
        f"{len(far):,} labelled {lies} class (counted from 0): {named}; if its spectrum is broken,"
        " take its label away"
    ]


def _named(far: Sequence[tuple[int, int, int]], class_names: Sequence[str]) -> str:
    """Pixels in words."""
    return "; ".join(f"row {r}, column {c}, {class_names[k - 1]}" for r, c, k in far)


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d) values as distances from the median of their column, in median absolute deviations.

    A column that hardly varies counts as a tenth of the median column does.
    """
    apart = values - np.median(values, axis=0)
    spread = np.median(np.abs(apart), axis=0)
    least = np.median(spread) / 10
    return np.asarray(apart / np.maximum(spread, least if least > 0 else 1.0))


def _beyond(distances: NDArray[np.float64], times: float) -> NDArray[np.bool_]:
    """(n,) whether a distance is so many times the usual one."""
    usual = np.quantile(distances, USUAL, method="lower")
    return np.asarray(distances > times * usual) if usual > 0 else np.zeros(len(distances), bool)
