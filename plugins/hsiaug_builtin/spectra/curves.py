"""Spectra of any sensor on one grid of wavelengths, as logarithms relative to the scene that they lie in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID", "STRENGTH", "Line", "line_of", "on_grid"]

GRID = np.arange(400.0, 2501.0, 40.0)
"""(G,) nm. A sensor covers a part of it."""
FLOOR = 0.02
"""Least value of a spectrum as a share of the scene's median: water and shadow are next to 0, which has no logarithm."""
SAMPLE = 5000
"""Pixels that the line of a scene is taken from, at most."""

STRENGTH = 0.25
"""Factor of the random deviations of samples. Chosen on draws 100 to 105 of Samson and the Pavia crop under
``kshot:1`` to ``kshot:3`` and ``issd``. No validation inside training pixels can choose it: a clump has no other
field."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """The empirical line of a scene, in logarithms: what all of its spectra have in common.

    An empirical line (Smith and Milton, International Journal of Remote Sensing 20, 1999) brings radiance and reflectance
    together by a gain and an offset per band, fitted to targets of known reflectance. Here none is known: the gain is
    the mean logarithm of all visible spectra, and one factor brings the scenes to the same spread.

    wavelengths: (B,) float64 nm. floor: in scene units. mean: (B,) of logarithms. spread: standard deviation of
    logarithms round that mean, over pixels and bands.
    """

    wavelengths: Floats
    floor: float
    mean: Floats
    spread: float

    def relative(self, spectra: NDArray[np.float32]) -> Floats:
        """(n, B) spectra in scene units → (n, B): 0 is the mean of the scene, 1 its spread."""
        logs = np.log(np.maximum(spectra, self.floor), dtype=np.float64)
        return np.asarray((logs - self.mean) / self.spread)

    def curves(self, spectra: NDArray[np.float32]) -> Floats:
        """(n, B) spectra in scene units → (n, G) relative, NaN where the sensor has no band."""
        return on_grid(self.relative(spectra), self.wavelengths)

    def factors(self, curves: Floats) -> Floats:
        """(n, G) differences of relative curves → (n, B) what spectra in scene units are multiplied by.

        Where a curve has no value at a wavelength, it is as at the nearest that has.
        """
        known = ~np.isnan(curves[0])
        rows = [np.interp(self.wavelengths, GRID[known], row[known]) for row in curves]
        return np.asarray(np.exp(self.spread * np.array(rows)))


def line_of(spectra: NDArray[np.float32], wavelengths: Floats) -> Line:
    """Fit a line to all spectra (n, B), in scene units, that may be seen of a scene, unlabelled ones too."""
    shown = spectra[np.linspace(0, len(spectra) - 1, min(len(spectra), SAMPLE)).round().astype(np.int64)]
    floor = max(FLOOR * float(np.median(shown)), float(np.finfo(np.float32).tiny))
    logs = np.log(np.maximum(shown, floor), dtype=np.float64)
    mean = logs.mean(axis=0)
    return Line(np.asarray(wavelengths, dtype=np.float64), floor, mean, max(float((logs - mean).std()), 1e-6))


def on_grid(values: Floats, wavelengths: Floats) -> Floats:
    """(n, B) values at (B,) nm → (n, G), linear between bands; NaN where there is none."""
    order = np.argsort(wavelengths)
    known = wavelengths[order]
    right = (
        np.clip(np.searchsorted(known, GRID), 1, len(known) - 1) if len(known) > 1 else np.zeros(len(GRID), int)
    )
    left = np.maximum(right - 1, 0)
    share = np.clip((GRID - known[left]) / np.maximum(known[right] - known[left], 1e-9), 0, 1)
    made = (1 - share) * values[:, order[left]] + share * values[:, order[right]]
    made[:, (known[0] > GRID) | (known[-1] < GRID)] = np.nan
    return np.asarray(made)
