"""LF-UE, uncertainty estimation of latent features, "without parameters" (the paper's words).

Read as the uncertainty of feature statistics (DSU: Li et al., "Uncertainty Modeling for
Out-of-Distribution Generalization", ICLR 2022, arXiv 2202.03958): the channel means of a latent
patch are themselves uncertain, and as uncertain as they differ over the patches of a class. Few
labels say little of how far the fields of a class differ, so a sample takes its statistics first:
its channel means are drawn from the Gaussian of those of the trusted patches of its class, and the
denoiser adds the structure that goes with them. No weight is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug_builtin.diffusion.edm import Denoise
from hsiaug_builtin.txt2hsi.field import Cut

BATCH = 256
"""Patches that are averaged at a time."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Gaussians of the channel means of the patches of each class.

    Attributes
    ----------
    ids : (C,) int64
        Classes, ascending.
    mean : (C, d) float32
        Of the channel means over the patches of a class.
    root : (C, d, d) float32
        A square root of their covariance: standard noise times this is a deviation.
    """

    ids: NDArray[np.int64]
    mean: NDArray[np.float32]
    root: NDArray[np.float32]

    @classmethod
    @torch.inference_mode()
    def of_patches(cls, cut: Cut, named: Mapping[int, NDArray[np.integer]]) -> Statistics:
        """Of the patches round the pixels (m, 2) of each class id."""
        means, roots = [], []
        for pixels in named.values():
            parts = [
                cut(pixels[start : start + BATCH]).mean(dim=(1, 2)).cpu()
                for start in range(0, len(pixels), BATCH)
            ]
            of_patches = torch.cat(parts).double().numpy()
            mean = of_patches.mean(axis=0)
            _, spread, axes = np.linalg.svd(of_patches - mean, full_matrices=False)
            scaled = spread[:, None] * axes / np.sqrt(max(1, len(pixels) - 1))
            root = np.zeros((len(mean), len(mean)))
            root[: len(scaled)] = scaled
            means.append(mean)
            roots.append(root)
        return cls(
            np.array(list(named), dtype=np.int64),
            np.stack(means).astype(np.float32),
            np.stack(roots).astype(np.float32),
        )

    def draw(self, y: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """(n, d) channel means of patches of the classes y (n,)."""
        row = np.searchsorted(self.ids, y)
        noise = rng.standard_normal((len(y), 1, self.mean.shape[1])).astype(np.float32)
        return torch.from_numpy(self.mean[row] + (noise @ self.root[row])[:, 0])


def with_means(denoise: Denoise, means: Tensor, side: int) -> Denoise:
    """A denoiser of cosine coefficients (n, p, p, d) of patches whose channel means (n, d) are
    known: their first coefficient is what it must be at every noise level, so that the others are
    estimated given it.
    """

    def given(x: Tensor, level: float) -> Tensor:
        clean = denoise(x, level)
        clean[:, 0, 0] = side * means
        return clean

    return given
