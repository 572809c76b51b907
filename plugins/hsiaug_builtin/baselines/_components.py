"""Principal components, counted from the mean of a class, and the way back to whole patches of all bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView

__all__ = ["Components", "fit_components"]


@dataclass(frozen=True, eq=False)
class Components:
    """z = (axes · z-scored spectrum − centre of the class) / scale, pixel by pixel.

    mean, std: (B,) float32, the z-score of the view. axes: (k, B) float32, orthonormal rows. scale: (k,) float32,
    standard deviation within classes. centres: (C + 1, k) float32 by class id; 0 for a class without samples.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    axes: NDArray[np.float32]
    scale: NDArray[np.float32]
    centres: NDArray[np.float32]

    def of(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, B, p, p) in scene units, of classes y (n,) → (n, k, p, p)."""
        z = (x - self.mean[:, None, None]) / self.std[:, None, None]
        z = np.einsum("kb,nbij->nkij", self.axes, z, optimize=True) - self.centres[y][:, :, None, None]
        return np.asarray(z / self.scale[:, None, None], dtype=np.float32)

    def change(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """The change (n, B, p, p) in scene units that a change z (n, k, p, p) means."""
        bands = self.axes * self.scale[:, None] * self.std
        return np.asarray(np.einsum("kb,nkij->nbij", bands, z, optimize=True), dtype=np.float32)


def fit_components(view: TrainView, most: int) -> Components:
    """``most`` components at most, of the visible pixels of the view; directions without spread are left out.

    The spread within classes is that of the training spectra, all classes taken together; where there is none (one
    sample in each class), that of all visible pixels.
    """
    norm = view.normaliser
    pixels = norm.spectra(view.cube[view.visible]).astype(np.float64)
    spread, axes = np.linalg.eigh(pixels.T @ pixels / len(pixels))
    spread, axes = spread[::-1][:most], axes.T[::-1][:most]
    kept = spread > 1e-8 * spread[0]
    kept[0] = True
    spread, axes = spread[kept], axes[kept]
    if spread[0] < 1e-12:  # a single pixel
        spread = np.ones_like(spread)
    real = norm.spectra(view.real.centres) @ axes.T  # (n, k)
    centres = np.zeros((len(view.class_names) + 1, len(axes)))
    for c in view.counts:
        centres[c] = real[view.y == c].mean(axis=0)
    within = (real - centres[view.y]).var(axis=0)
    scale = np.sqrt(np.where(within > 1e-6 * spread, within, spread))
    found = (axes, scale, centres)
    return Components(norm.mean, norm.std, *(array.astype(np.float32) for array in found))
