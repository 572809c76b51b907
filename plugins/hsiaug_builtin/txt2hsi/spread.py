"""How the coefficients of samples vary: as those of the trusted patches do.

Few sampling steps leave too little of some channels, and channels that vary independently where
real ones vary together: then the fine structure of samples is too strong in the leading components
of the scene. So coefficients are mapped linearly, band of frequency by band of frequency, by the
map between Gaussians that moves them least (Peyré and Cuturi, Computational Optimal Transport,
2019, remark 2.31). The means of patches, which LF-UE draws, stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf
from torch import Tensor

from hsiaug_builtin.txt2hsi.field import Cut
from hsiaug_builtin.txt2hsi.frequencies import to_frequencies

BANDS = 4
"""Bands of frequency above that of the mean."""
PER_CLASS = 100
"""Trusted patches of a class that are measured, at most."""


Maps = NDArray[np.float32]
"""(BANDS, d, d) symmetric, by band of frequency."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How the coefficients of trusted patches vary within classes.

    Attributes
    ----------
    covariance : (BANDS, d, d) float32
        By band of frequency; 0 of a band without coefficients.
    """

    covariance: NDArray[np.float32]

    @classmethod
    def of_patches(cls, coefficients: Mapping[int, NDArray[np.float32]]) -> Spread:
        """Of coefficients (n, p, p, d) of each class."""
        _, side, _, channels = next(iter(coefficients.values())).shape
        covariance = np.zeros((BANDS, channels, channels), dtype=np.float32)
        for number, cells in enumerate(cells_of_bands(side)):
            if cells.any():
                covariance[number] = _covariance(coefficients, cells)
        return cls(covariance)

    def maps_from(self, made: Spread) -> Maps:
        """Maps of deviations that vary as samples do, after which they vary as patches do."""
        maps = np.tile(np.eye(self.covariance.shape[1], dtype=np.float32), (BANDS, 1, 1))
        for number, (ours, theirs) in enumerate(zip(made.covariance, self.covariance, strict=True)):
            if not ours.any():
                continue
            root, inverse = _roots(ours)
            maps[number] = inverse @ _roots(root @ theirs @ root)[0] @ inverse
        return maps


def apply_maps(coefficients: Tensor, mean: Tensor, maps: Maps) -> Tensor:
    """Coefficients (n, p, p, d) whose deviations from a mean (p, p, d) are mapped."""
    changed = coefficients.clone()
    for cells, matrix in zip(cells_of_bands(coefficients.shape[1]), maps, strict=True):
        at = torch.from_numpy(cells)
        deviations = coefficients[:, at] - mean[at]
        changed[:, at] = mean[at] + deviations @ torch.from_numpy(matrix).to(mean.device)
    return changed


def coefficients_of_patches(
    cut: Cut, named: Mapping[int, NDArray[np.integer]], rng: np.random.Generator
) -> dict[int, NDArray[np.float32]]:
    """(n, p, p, d) coefficients of patches round some of the pixels (m, 2) of each class id."""
    return {
        c: to_frequencies(cut(rng.permutation(pixels)[:PER_CLASS])).cpu().numpy()
        for c, pixels in named.items()
    }


def cells_of_bands(side: int) -> list[NDArray[np.bool_]]:
    """(p, p) bool of each band of frequency: which coefficients are in it; none, if the patch is
    small.
    """
    radius = np.hypot(*np.mgrid[0:side, 0:side]) / np.hypot(max(1, side - 1), max(1, side - 1))
    band = np.minimum((radius * BANDS).astype(int), BANDS - 1)
    return [(band == number) & (radius > 0) for number in range(BANDS)]


def _covariance(
    coefficients: Mapping[int, NDArray[np.float32]], cells: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(d, d) of some cells of coefficients within classes, mean over classes.

    Where there are few patches it is shrunk (Ledoit–Wolf).
    """
    total = 0
    for of_class in coefficients.values():
        some = (of_class - of_class.mean(axis=0))[:, cells]
        total = total + ledoit_wolf(some.reshape(-1, some.shape[-1]), assume_centered=True)[0]
    return np.asarray(total / len(coefficients), dtype=np.float64)


def _roots(matrix: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The square root of a covariance (d, d), and its inverse."""
    values, axes = np.linalg.eigh(matrix.astype(np.float64))
    values = values.clip(min=max(1e-8 * values[-1], 1e-12))
    return (axes * np.sqrt(values)) @ axes.T, (axes / np.sqrt(values)) @ axes.T
