"""Minimum noise fraction: components of spectra in units of how much neighbouring pixels differ.
NumPy and SciPy only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.nets.projection import Projection

WITHIN = 10.0
"""How many times the covariance of neighbours that of a class is taken to be."""
ALIKE = 0.9
"""Share of pairs of neighbours that are read, those that differ least: others lie across a border.
"""
PAIRS = 40_000
"""Pairs of neighbours that are looked at, at most."""
BLOCK = 512
"""Pairs that are compared at a time: what a processor keeps at hand."""
RIDGE = 1e-4
"""Share of the mean noise of a band that is added to each, so that no direction is free of it."""


def fit_noise_projection(view: TrainView, components: int) -> Projection:
    """Components of the pixels that ``view`` shows, with the largest share of signal first, at most
    ``components``.

    A. A. Green, M. Berman, P. Switzer and M. D. Craig, A transformation for ordering multispectral
    data in terms of image quality with implications for noise removal, IEEE Transactions on
    Geoscience and Remote Sensing 26(1), 1988, doi:10.1109/36.3001. The noise is estimated as there,
    from differences of neighbouring pixels, here without the tenth of the pairs that differs most.
    It needs no label; distances in its units are the Mahalanobis distances of a class that varies
    ``WITHIN`` times as much as its neighbouring pixels do, also where a class has one pixel.
    """
    from scipy.linalg import eigh

    # One after the other: each needs several times the memory of the view.
    noise = WITHIN * _noise(view)
    spectra = view.cube[view.visible].astype(np.float64)
    mean = spectra.mean(axis=0)
    spectra -= mean
    signal = spectra.T @ spectra * (1 / len(spectra))
    ridge = RIDGE * np.trace(noise) / len(noise)
    # Where neighbours do not differ at all, in every band alike, components are those of equal
    # spread.
    noise += (ridge if ridge > 0 else max(np.trace(signal), 1.0)) * np.eye(len(noise))
    _, vectors = eigh(signal, noise)
    matrix = vectors[:, ::-1][:, :components]
    return Projection(matrix.astype(np.float32), (mean @ matrix).astype(np.float32))


def _noise(view: TrainView) -> NDArray[np.float64]:
    """(B, B) half the mean square of differences of visible pixels with the next in their row and
    their column.
    """
    pairs = []
    for step in ((1, 0), (0, 1)):
        inside = tuple(slice(0, size - s) for size, s in zip(view.visible.shape, step, strict=True))
        beyond = tuple(slice(s, None) for s in step)
        first = np.argwhere(view.visible[inside] & view.visible[beyond])
        pairs.append(np.stack([first, first + step], axis=1))
    joined = np.concatenate(pairs)
    sampled = joined[
        np.linspace(0, len(joined) - 1, min(len(joined), PAIRS)).round().astype(np.int64)
    ]
    differences = np.empty((len(sampled), view.bands))
    size = np.empty(len(sampled))
    for start in range(0, len(sampled), BLOCK):
        block = slice(start, start + BLOCK)
        first_spectra, second_spectra = (
            view.cube[sampled[block, i, 0], sampled[block, i, 1]] for i in (0, 1)
        )
        np.subtract(first_spectra, second_spectra, out=differences[block], dtype=np.float64)
        size[block] = np.square(differences[block]).sum(axis=1)
    alike = differences[size <= np.quantile(size, ALIKE)] if len(differences) else differences
    return np.asarray(alike.T @ alike / max(2 * len(alike), 1))
