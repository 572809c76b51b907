"""Spectral-spatial features of a pixel: means of principal components over windows of several sizes
round it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.nets.projection import Projection, fit_projection

SIDES = (1, 5, 9)
"""Pixels: of the windows that classifiers read."""

BLOCK = 2048
"""Patches that are reduced to features at a time."""


@dataclass(frozen=True, eq=False)
class LocalMeans:
    """Features of the centre pixel of a patch, d = components × window sizes, smallest window
    first.

    Attributes
    ----------
    sides : tuple of int
        Sides of the windows, in pixels.
    scale : (d,) float32
        What makes the spread of a feature 1 over the view's pixels.
    """

    projection: Projection
    sides: tuple[int, ...]
    scale: NDArray[np.float32]

    def patches(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, B, p, p) float32 in scene units → (n, d) float32."""
        middle = x.shape[2] // 2
        features = [np.empty((0, len(self.scale)), dtype=np.float32)]
        for start in range(0, len(x), BLOCK):
            block = x[start : start + BLOCK]
            means = []
            for side in self.sides:
                window = slice(middle - side // 2, middle + side // 2 + 1)
                means.append(block[:, :, window, window].mean(axis=(2, 3), keepdims=True))
            features.append(
                np.concatenate(
                    [self.projection.patches(mean)[:, :, 0, 0] for mean in means], axis=1
                )
            )
        return np.asarray(np.concatenate(features) * self.scale, dtype=np.float32)


def fit_local_means(
    view: TrainView, coords: NDArray[np.int32], components: int, sides: tuple[int, ...]
) -> tuple[LocalMeans, NDArray[np.float32]]:
    """The features, and their values (n, d) at ``coords`` (n, 2), pixels whose whole patch the view
    shows.

    Windows larger than the view's patch shrink to it.
    """
    projection = fit_projection(view, components)
    sides = windows_of(view, sides)
    values = local_means(plane_of(view, projection), coords, sides)
    scale = 1 / np.maximum(values.std(axis=0), 1e-6)
    return LocalMeans(projection, sides, scale), values * scale


def windows_of(view: TrainView, sides: tuple[int, ...]) -> tuple[int, ...]:
    """The sides, none larger than the view's patch."""
    return tuple(dict.fromkeys(min(side, view.patch) for side in sides))


def plane_of(view: TrainView, projection: Projection) -> NDArray[np.float32]:
    """(H, W, k) components of all pixels; of hidden ones, those of a spectrum of zeros."""
    return np.where(view.visible[:, :, None], view.cube, 0) @ projection.matrix - projection.offset


def local_means(
    plane: NDArray[np.float32], coords: NDArray[np.int32], sides: tuple[int, ...]
) -> NDArray[np.float32]:
    """(n, k · windows) means of a plane (H, W, k) over windows round pixels (n, 2), the same as
    from patches.
    """
    from scipy.ndimage import uniform_filter

    rows, columns = coords.T
    # No window round a pixel of ``coords`` reaches a hidden one.
    layers = [
        uniform_filter(plane, (side, side, 1), mode="mirror")[rows, columns] for side in sides
    ]
    return np.concatenate(layers, axis=1)
