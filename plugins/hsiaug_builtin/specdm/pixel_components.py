"""Leading spectral components of pixels: what images are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXPLAINED = 0.985
"""Share of the variance of pixels that components explain together."""
MAX_COMPONENTS = 6
"""Components of a date, at most."""
SAMPLED = 200_000
"""Pixels that components are taken of, about."""
EMPHASIS = 0.5
"""Exponent of a component's spread in its unit: 1 leaves small components to the noise, 0 lets them
count as much as the first, which drowns layout.
"""


@dataclass(frozen=True, eq=False)
class SpectralComponents:
    """Principal components of the spectra of one date, or of two.

    Attributes
    ----------
    mean : (B,) float64
    basis : (B, d) float64
    unit : (T·d,) float64
        All float64: of d components, of the first date and then of how each later date differs
        from it.
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    unit: NDArray[np.float64]

    @classmethod
    def of(cls, images: NDArray[np.float32], least: float = EXPLAINED) -> SpectralComponents:
        """Those of tiles (n, T, B, H, W), as many as explain ``least`` of the variance."""
        pixels = np.moveaxis(images, 2, -1).reshape(-1, images.shape[2])
        pixels = pixels[:: max(1, len(pixels) // SAMPLED)].astype(np.float64)
        mean = pixels.mean(axis=0)
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(pixels.T)))
        order = np.argsort(-values)
        explained = np.cumsum(values[order]) / max(values.sum(), np.finfo(float).tiny)
        count = min(MAX_COMPONENTS, int(np.searchsorted(explained, least)) + 1, len(order))
        basis = vectors[:, order[:count]]
        raw = cls(mean, basis, np.ones(images.shape[1] * count)).latents(images)
        spread = raw.std(axis=(0, 2, 3), dtype=np.float64)
        most = max(float(spread.max()), np.finfo(float).tiny)
        relative = np.maximum(spread / most, 1e-6)
        return cls(mean, basis, most * relative ** (1 - EMPHASIS))

    def latents(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, T, B, H, W) → (n, T·d, H, W)."""
        parts = [
            np.einsum("tbhw,bk->tkhw", tile - self.mean[:, None, None], self.basis, optimize=True)
            for tile in images
        ]
        z = np.stack(parts)
        z[:, 1:] -= z[:, :1]
        z = z.reshape(len(z), -1, *images.shape[3:])
        return np.asarray(z / self.unit[:, None, None], dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is saved."""
        return {f"spectra.{name}": value for name, value in vars(self).items()}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> SpectralComponents:
        """Restore from :meth:`arrays`."""
        return cls(*(arrays[f"spectra.{name}"] for name in ("mean", "basis", "unit")))
