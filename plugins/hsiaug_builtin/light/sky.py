"""How much of the light of a clear sky comes from the sky and not from the sun, band by band;
smooth curves over bands.

After Bird and Riordan, Simple Solar Spectral Model for Direct and Diffuse Irradiance on Horizontal
and Tilted Planes at the Earth's Surface for Cloudless Atmospheres, Journal of Climate and Applied
Meteorology 25, 1986, with the constants of their rural aerosol. Extraterrestrial irradiance and the
absorption by ozone, water vapour and mixed gases multiply direct and diffuse light alike in that
model, so that they cancel in a share and no table is needed. What differs from the paper: sea
level, no light reflected between ground and sky, and no correction of the diffuse light for
wavelengths below 450 nm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ANGSTROM = 1.14
"""Exponent α of the aerosol's optical depth, τ(λ) = β·λ^−α with λ in µm."""
ALBEDO = 0.945
"""Single scattering albedo of the aerosol at 400 nm."""
ALBEDO_FALL = 0.095
"""How fast that albedo falls with wavelength (their equation 3-16)."""
ASYMMETRY = 0.65
"""Mean cosine of the angle by which the aerosol scatters."""

ZENITH = 40.0
"""Zenith angle of the sun in degrees."""
TURBIDITY = 0.1
"""Optical depth of the aerosol at 1 µm."""
SMOOTH = 300.0
"""nm over which the colour of light changes from place to place."""

Curve = NDArray[np.float64]


def diffuse_share(
    wavelengths: Curve, zenith: float = ZENITH, turbidity: float = TURBIDITY
) -> Curve:
    """(B,) share 0..1 of diffuse light in what falls on level ground under an open, clear sky;
    larger towards the blue.

    Parameters
    ----------
    wavelengths : (B,) float64
        In nm.
    zenith : float
        Zenith of the sun, in degrees, 0..85.
    turbidity : float
        Optical depth β of the aerosol at 1 µm.
    """
    um = np.asarray(wavelengths, dtype=np.float64) / 1000
    cosine = np.cos(np.radians(zenith))
    air = 1 / (cosine + 0.15 * (93.885 - zenith) ** -1.253)  # relative air mass, Kasten 1966
    rayleigh = np.exp(-air / (um**4 * (115.6406 - 1.335 / um**2)))
    depth = turbidity * um**-ANGSTROM
    albedo = ALBEDO * np.exp(-ALBEDO_FALL * np.log(um / 0.4) ** 2)
    absorbed = np.exp(-(1 - albedo) * depth * air)
    scattered = np.exp(-albedo * depth * air)
    direct = rayleigh * absorbed * scattered
    of_air = absorbed * 0.5 * (1 - rayleigh**0.95)
    of_aerosol = absorbed * rayleigh**1.5 * (1 - scattered) * _forward(cosine)
    diffuse = of_air + of_aerosol
    return np.asarray(diffuse / (direct + diffuse))


def smooth_root(wavelengths: Curve) -> Curve:
    """(B, B) L with L·Lᵀ = exp(−(λ − λ')² / 2·SMOOTH²): rows of standard normal values times Lᵀ are
    smooth curves.
    """
    kernel = np.exp(-0.5 * ((wavelengths[:, None] - wavelengths) / SMOOTH) ** 2)
    return np.asarray(np.linalg.cholesky(kernel + 1e-6 * np.eye(len(wavelengths))))


def _forward(cosine: float) -> float:
    """Share of the light scattered by the aerosol that goes down (their equations 3-11 to 3-15)."""
    log = np.log(1 - ASYMMETRY)
    a = log * (1.459 + log * (0.1595 + log * 0.4129))
    b = log * (0.0783 + log * (-0.3824 - log * 0.5874))
    return float(1 - 0.5 * np.exp((a + b * cosine) * cosine))
