"""First principal components of a scene as an image, which classifiers of pixels are smoothed
along, or profiled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Patches, TrainView
from hsiaug_builtin.nets.projection import Projection

MAX_FITTED_PIXELS = 20_000
"""Pixels that components are fitted on, at most, evenly taken row by row."""

Image = NDArray[np.float32]


def fit_components(view: TrainView, components: int) -> Projection:
    """Principal components of the visible pixels, whitened, largest first; fewer where fewer vary,
    but never none.

    Only ``MAX_FITTED_PIXELS`` pixels are read, however large the scene.
    """
    rows, columns = np.nonzero(view.visible)
    some = np.linspace(0, len(rows) - 1, min(len(rows), MAX_FITTED_PIXELS)).round().astype(np.int64)
    spectra = view.cube[rows[some], columns[some]].astype(np.float64)
    mean = spectra.mean(axis=0)
    spectra -= mean
    values, vectors = np.linalg.eigh(spectra.T @ spectra / len(spectra))
    largest = np.argsort(-values)[:components]
    varying = largest[values[largest] > 1e-9 * max(values.max(), 1e-12)]
    varying = varying if len(varying) else largest[:1]
    matrix = vectors[:, varying] / np.sqrt(np.maximum(values[varying], 1e-12))
    return Projection(matrix.astype(np.float32), (mean @ matrix).astype(np.float32))


def component_image(view: TrainView, projection: Projection) -> Image:
    """(H, W, k) float32 components of all pixels; 0, the mean, where a pixel is hidden."""
    image = view.cube @ projection.matrix - projection.offset
    image[~view.visible] = 0
    return np.asarray(image, dtype=np.float32)


def guide_image(view: TrainView, components: int) -> Image:
    """(H, W, c) float32 components, each scaled so that its 1st and 99th percentile over visible
    pixels are 0 and 1.
    """
    image = component_image(view, fit_components(view, components))
    low, high = np.percentile(image[view.visible], (1, 99), axis=0)
    return np.asarray((image - low) / np.where(high > low, high - low, 1), dtype=np.float32)


def look_up(
    image: Image, valid: NDArray[np.bool_], patches: Patches, otherwise: Callable[[Patches], Image]
) -> Image:
    """(n, d) values of an image (H, W, d) where patches lie, or what ``otherwise`` gives.

    The latter of patches that lie nowhere, as synthetic ones do, or where ``valid`` (H, W) is
    false.
    """
    rows, columns = patches.coords.T
    values: Image = image[rows, columns]
    alone = ~valid[rows, columns] | (patches.coords < 0).any(axis=1)
    if alone.any():
        values[alone] = otherwise(patches.take(alone))
    return values
