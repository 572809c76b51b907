"""Whitened principal components of the pixels that a train view shows. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView


@dataclass(frozen=True, eq=False)
class Projection:
    """Whitened principal components.

    Attributes
    ----------
    matrix : (B, k) float32
        From scene units.
    offset : (k,) float32
    """

    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]

    def patches(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, B, p, p) float32 in scene units → (n, k, p, p) float32, unit variance per component
        in the view.
        """
        n, bands, p, _ = x.shape
        scores = np.matmul(self.matrix.T, x.reshape(n, bands, p * p)) - self.offset[:, None]
        return np.asarray(scores, dtype=np.float32).reshape(n, -1, p, p)


def fit_projection(view: TrainView, components: int) -> Projection:
    """Principal components of the z-scored pixels that ``view`` shows, largest first, at most
    ``components``.

    Components without variance (constant bands, fewer pixels than bands) are left out, but never
    the first.
    """
    z = view.normaliser.spectra(view.cube[view.visible]).astype(np.float64)
    z -= z.mean(axis=0)
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    largest = np.argsort(-values)[:components]
    varying = largest[values[largest] > 1e-9 * max(values.max(), 1e-9)]
    varying = varying if len(varying) else largest[:1]
    matrix = (
        vectors[:, varying]
        / np.sqrt(np.maximum(values[varying], 1e-9))
        / view.normaliser.std[:, None]
    )
    offset = view.normaliser.mean @ matrix
    return Projection(matrix.astype(np.float32), offset.astype(np.float32))
