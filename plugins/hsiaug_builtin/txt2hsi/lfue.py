"""LF-UE, uncertainty estimation of latent features, "without parameters" (the paper's words).

Read as the uncertainty of feature statistics (DSU: Li et al., "Uncertainty Modeling for
Out-of-Distribution Generalization", ICLR 2022, arXiv 2202.03958): the channel means of a patch of
latents are as uncertain as they differ over the patches of a class. So a sample begins with its
statistics: its channel means are drawn from the Gaussian of those of the trusted patches of its
class, and the denoiser adds the structure that goes with them. No weight is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug_builtin.diffusion.edm import Denoise
from hsiaug_builtin.text.layout import ADJECTIVES
from hsiaug_builtin.txt2hsi.facts import COLUMN, Ids
from hsiaug_builtin.txt2hsi.field import Cut

BATCH = 256
"""Patches that are averaged at a time."""
LEAST = 5
"""Patches of a class that look bright, or otherwise, for these to have a Gaussian of their own."""
LOOKS = ("", *ADJECTIVES)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Gaussians of the channel means of patches, by class and by how they look.

    Attributes
    ----------
    ids : (C,) int64
        Classes.
    mean : (C, L, d) float32
        Of the channel means of the patches of a class: of all, then of those that look as each of
        ADJECTIVES says.
    root : (C, L, d, d) float32
        A square root of their covariance: standard noise times this is a deviation.
    """

    ids: NDArray[np.int64]
    mean: NDArray[np.float32]
    root: NDArray[np.float32]

    @classmethod
    @torch.inference_mode()
    def of_patches(
        cls, cut: Cut, named: Mapping[int, NDArray[np.integer]], facts: Mapping[int, Ids]
    ) -> Statistics:
        """Of the patches round the pixels (m, 2) of each class id, which show facts (m, R)."""
        means, roots = [], []
        for class_id, pixels in named.items():
            starts = range(0, len(pixels), BATCH)
            parts = [cut(pixels[start : start + BATCH]).mean(dim=(1, 2)).cpu() for start in starts]
            of_patches = torch.cat(parts).double().numpy()
            for look in LOOKS:
                fits = facts[class_id][:, COLUMN[look]] >= 0 if look else np.ones(len(pixels), bool)
                some = of_patches[fits] if fits.sum() >= LEAST else of_patches
                mean, root = _gaussian(some)
                means.append(mean)
                roots.append(root)
        channels = len(means[0])
        shape = len(named), len(LOOKS), channels
        return cls(
            np.array(list(named), dtype=np.int64),
            np.array(means, dtype=np.float32).reshape(shape),
            np.array(roots, dtype=np.float32).reshape(*shape, channels),
        )

    def draw(self, facts: Ids, rng: np.random.Generator) -> Tensor:
        """(n, d) channel means of patches of which facts (n, R) are said."""
        row = np.argmax(facts[:, :1] == self.ids, axis=1)
        looks = facts[:, [COLUMN[look] for look in ADJECTIVES]] >= 0
        look = np.where(looks.any(axis=1), 1 + looks.argmax(axis=1), 0)
        noise = rng.standard_normal((len(facts), 1, self.mean.shape[2])).astype(np.float32)
        return torch.from_numpy(self.mean[row, look] + (noise @ self.root[row, look])[:, 0])


def _gaussian(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (d,) of values (m, d), and a square root (d, d) of their covariance."""
    mean = values.mean(axis=0)
    _, spread, axes = np.linalg.svd(values - mean, full_matrices=False)
    root = np.zeros((len(mean), len(mean)))
    root[: len(spread)] = spread[:, None] * axes / np.sqrt(max(1, len(values) - 1))
    return mean, root


def with_means(denoise: Denoise, means: Tensor, side: int) -> Denoise:
    """A denoiser of cosine coefficients (n, p, p, d) of patches whose channel means (n, d) are
    known; NaN = not known.

    The first coefficient of a patch, its mean times its side, is what it must be at every noise
    level, so that the others are estimated given it.
    """
    known = ~means.isnan()

    def given(x: Tensor, level: float) -> Tensor:
        clean = denoise(x, level)
        clean[:, 0, 0] = torch.where(known, side * means, clean[:, 0, 0])
        return clean

    return given
