"""Pairs without diffusion: the masks of training tiles, and pixels drawn from the Gaussian of their
class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug.api import DenseView, Progress
from hsiaug_builtin.nets.views import SYMMETRIES, symmetry
from hsiaug_builtin.specdm.drawing import Batch, PairDrawing, read_saved
from hsiaug_builtin.specdm.params import GaussianParams
from hsiaug_builtin.specdm.tileformat import TileFormat

TIED = 2.0
"""Pixels of all classes that the covariance of each is taken over beside its own."""


@dataclass(frozen=True, eq=False)
class FittedGaussianPairs(PairDrawing):
    """A normal distribution of spectra for each class, and the training masks.

    Attributes
    ----------
    mean : (K, T·B) float64
    factor : (K, T·B, T·B) float64
        Covariance = factor·factorᵀ.
    masks : (n, H, H) int64
        Of the training tiles.
    """

    params: GaussianParams
    format: TileFormat
    shares: NDArray[np.float32]
    mean: NDArray[np.float64]
    factor: NDArray[np.float64]
    masks: NDArray[np.int64]
    facts: Mapping[str, Any]

    def _batch(
        self,
        rows: NDArray[np.int64],
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Batch:
        form = self.format
        turns = rng.integers(SYMMETRIES, size=len(rows)).tolist()
        tiles = torch.from_numpy(self.masks[rows])
        masks = torch.stack(
            [symmetry(mask, turn) for mask, turn in zip(tiles, turns, strict=True)]
        ).numpy()
        pixels = np.empty((*masks.shape, form.channels), dtype=np.float32)
        for index, class_id in enumerate(form.ids):
            of_class = masks == class_id
            noise = rng.standard_normal((int(of_class.sum()), form.channels))
            pixels[of_class] = self.mean[index] + noise @ self.factor[index].T
        images = np.moveaxis(pixels, -1, 1).clip(form.low, form.high)
        images = images.reshape(len(rows), form.dates, form.bands, form.side, form.side)
        return images, masks, np.ones(masks.shape, dtype=np.float32)

    @classmethod
    def restore(cls, folder: Path, current: GaussianParams) -> FittedGaussianPairs:
        """Read a saved fit; ``current`` has the params that only sampling reads."""
        arrays, saved = read_saved(folder, current)
        return cls(**saved, **arrays)


def fit_gaussians(
    view: DenseView, params: GaussianParams, progress: Progress
) -> FittedGaussianPairs:
    """Mean and covariance of the pixels of each class; a class of few pixels takes what it lacks
    from all of them.
    """
    real = view.real
    form = TileFormat.of(real, len(view.class_names), 1)
    pixels = np.moveaxis(real.images.reshape(len(real), form.channels, form.side, form.side), 1, -1)
    means = []
    squares = []
    counts = []
    for index, class_id in enumerate(form.ids):
        spectra = pixels[real.masks == class_id].astype(np.float64)
        means.append(spectra.mean(axis=0))
        squares.append((spectra - means[-1]).T @ (spectra - means[-1]))
        counts.append(len(spectra))
        progress(index + 1, len(form.ids), "Gaussians")
    tied = np.sum(squares, axis=0) / sum(counts)
    factors = []
    for square, count in zip(squares, counts, strict=True):
        values, vectors = np.linalg.eigh((square + TIED * tied) / (count + TIED))
        factors.append(vectors * np.sqrt(values.clip(min=0)))
    return FittedGaussianPairs(
        params=params,
        format=form,
        shares=form.shares(real.masks).astype(np.float32),
        mean=np.array(means),
        factor=np.array(factors),
        masks=np.array(real.masks, dtype=np.int64),
        facts={"tiles": len(real)},
    )
