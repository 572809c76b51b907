"""False colours of spectra: one stretch for all that are shown side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Float64, row_blocks
from hsiaug.base.colours import rgb_bands, stretched
from hsiaug.metrics.spectra import fit_space

SHARES = (2, 98)
"""Percentiles of the real pixels that are drawn darkest and brightest."""
PIXELS = 2000
"""Pixels that a stretch, or a space of patches, is fitted on at most."""
CHANNELS = 3


@dataclass(frozen=True, eq=False)
class FalseColours:
    """What colour a spectrum has.

    Attributes
    ----------
    axes : (B, 3) float64
        What each band adds to red, green and blue.
    low, high : (3,) float64
        The sums that are drawn darkest and brightest.
    name : str
        What the three colours show, for a caption.
    """

    axes: Float64
    low: Float64
    high: Float64
    name: str

    @classmethod
    def fit(cls, spectra: AnyArray, wavelengths: Float64 | None) -> FalseColours:
        """The colours of real spectra.

        They are the bands nearest to red, green and blue. Where wavelengths are not known, or lie
        so far from visible light that two colours share a band, they are the three leading
        principal components.

        Parameters
        ----------
        spectra : (n, B) array
            Real spectra in the data's units; the stretch takes their 2nd to 98th percentile.
        wavelengths : (B,) array
            In nm, or None.
        """
        x = np.asarray(spectra, dtype=np.float64)
        chosen = () if wavelengths is None else rgb_bands(wavelengths, x.shape[1])
        if wavelengths is not None and len(set(chosen)) == CHANNELS:
            axes = np.eye(x.shape[1])[:, list(chosen)]
            wavelengths_of_bands = ", ".join(f"{wavelengths[band]:.0f}" for band in chosen)
            name = f"Red, green, blue: {wavelengths_of_bands} nm"
        else:
            axes = _component_axes(x)
            name = "Red, green, blue: principal components 1, 2, 3"
        low, high = np.percentile(x @ axes, SHARES, axis=0)
        return cls(axes, low, high, name)

    @classmethod
    def fit_samples(cls, x: AnyArray, wavelengths: Float64 | None) -> FalseColours:
        """The colours of some pixels of real patches or tiles (..., B, H, W)."""
        return cls.fit(some_pixels(x), wavelengths)

    def __call__(self, spectra: AnyArray) -> NDArray[np.uint8]:
        """Spectra (..., B) → (..., 3) uint8."""
        return stretched(spectra @ self.axes, self.low, self.high)

    def of_patches(self, x: AnyArray) -> NDArray[np.uint8]:
        """Patches or tiles (..., B, H, W) → (..., H, W, 3) uint8."""
        return self(np.moveaxis(x, -3, -1))


def _component_axes(x: Float64) -> Float64:
    """(B, 3) principal axes of spectra x (n, B), each brighter where most bands are; fewer than
    three come again.
    """
    space = fit_space(x, CHANNELS)
    axes = space.axes * np.where(space.axes.sum(axis=0) < 0, -1.0, 1.0)
    scaled: Float64 = axes / space.std[:, None]
    return scaled[:, np.minimum(np.arange(CHANNELS), scaled.shape[1] - 1)]


def some_pixels(x: AnyArray) -> AnyArray:
    """At most ``PIXELS`` spectra (m, B) of patches or tiles (..., B, H, W), at random."""
    shape = *x.shape[:-3], *x.shape[-2:]
    total = int(np.prod(shape))
    chosen = np.random.default_rng(0).choice(total, size=min(PIXELS, total), replace=False)
    at = np.unravel_index(np.sort(chosen), shape)
    found = []
    for rows, some in row_blocks(x):
        inside = slice(*np.searchsorted(at[0], [rows.start, rows.stop]))
        places = at[0][inside] - rows.start, *(axis[inside] for axis in at[1:])
        found.append(np.moveaxis(some, -3, -1)[places])
    return np.concatenate(found)
