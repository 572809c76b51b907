"""LF-UE, uncertainty estimation of latent features, "without parameters" (the paper's words).

Read as the uncertainty of feature statistics (DSU: Li et al., "Uncertainty Modeling for
Out-of-Distribution Generalization", ICLR 2022, arXiv 2202.03958): the channel means of a patch of
latents, and of its middle pixels, are as uncertain as they differ over the patches of a class. So a
sample begins with its statistics: both means are drawn from the Gaussian of those of the trusted
patches of its class, and the denoiser adds the structure that goes with them. No weight is learnt.
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
from hsiaug_builtin.txt2hsi.frequencies import to_frequencies

BATCH = 256
"""Patches that are averaged at a time."""
LEAST = 5
"""Patches of a class that look bright, or otherwise, for these to have a Gaussian of their own."""
LOOKS = ("", *ADJECTIVES)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Gaussians of the channel means of patches and of their centres, by class and by how they
    look.

    Attributes
    ----------
    ids : (C,) int64
        Classes.
    mean : (C, L, 2·d) float32
        Of the channel means of the patches of a class, then of their middle pixels: of all patches,
        then of those that look as each of ADJECTIVES says.
    root : (C, L, 2·d, 2·d) float32
        A square root of their covariance: standard noise times this is a deviation.
    """

    ids: NDArray[np.int64]
    mean: NDArray[np.float32]
    root: NDArray[np.float32]

    @classmethod
    @torch.inference_mode()
    def of_patches(
        cls,
        cut: Cut,
        named: Mapping[int, NDArray[np.integer]],
        facts: Mapping[int, Ids],
    ) -> Statistics:
        """Of the patches round the pixels (m, 2) of each class id, which show facts (m, R)."""
        means, roots = [], []
        for class_id, pixels in named.items():
            starts = range(0, len(pixels), BATCH)
            parts = [means_of(cut(pixels[start : start + BATCH])).cpu() for start in starts]
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
        """(n, 2, d) channel means of patches of which facts (n, R) are said, and of their
        centres.
        """
        row = np.argmax(facts[:, :1] == self.ids, axis=1)
        looks = facts[:, [COLUMN[look] for look in ADJECTIVES]] >= 0
        look = np.where(looks.any(axis=1), 1 + looks.argmax(axis=1), 0)
        noise = rng.standard_normal((len(facts), 1, self.mean.shape[2])).astype(np.float32)
        drawn = self.mean[row, look] + (noise @ self.root[row, look])[:, 0]
        return torch.from_numpy(drawn.reshape(len(facts), 2, -1))


def means_of(patches: Tensor) -> Tensor:
    """(n, 2·d) channel means of patches (n, p, p, d), then of their middle 3×3 pixels."""
    first, last = middle(patches.shape[1])
    centre = patches[:, first:last, first:last]
    return torch.cat([patches.mean(dim=(1, 2)), centre.mean(dim=(1, 2))], dim=1)


def middle(side: int) -> tuple[int, int]:
    """The first of the middle three pixels of a patch, and the one after the last; of a patch of
    three, its middle pixel.
    """
    reach = 1 if side > 3 else 0
    return side // 2 - reach, side // 2 + reach + 1


def _gaussian(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (d,) of values (m, d), and a square root (d, d) of their covariance."""
    mean = values.mean(axis=0)
    _, spread, axes = np.linalg.svd(values - mean, full_matrices=False)
    root = np.zeros((len(mean), len(mean)))
    root[: len(spread)] = spread[:, None] * axes / np.sqrt(max(1, len(values) - 1))
    return mean, root


def with_means(denoise: Denoise, means: Tensor, variance: Tensor) -> Denoise:
    """A denoiser of cosine coefficients of patches whose channel means and those of their centres
    are known.

    At every noise level the estimate is changed to have them, where it is least certain: by the
    Gaussian of independent coefficients.

    Parameters
    ----------
    means : Tensor (n, 2, d)
        Of the patch and of its centre; NaN = not known.
    variance : Tensor (p, p, d)
        Of the coefficients.
    """
    side = len(variance)
    first, last = middle(side)
    inside = torch.zeros(1, side, side, 1, device=variance.device)
    inside[:, first:last, first:last] = 1
    # The mean of the centre is the sum of the coefficients with these weights.
    weight = to_frequencies(inside / inside.sum())[0]
    whole, centre = means.unbind(dim=1)
    known = ~whole.isnan()
    # A coefficient that is known, the first, has no variance left.
    free = variance.expand(len(means), -1, -1, -1).clone()
    free[:, 0, 0] = torch.where(known, 0, free[:, 0, 0])
    gain = free * weight
    gain = gain / (gain * weight).sum(dim=(1, 2), keepdim=True).clamp(min=1e-12)

    def given(x: Tensor, level: float) -> Tensor:
        clean = denoise(x, level)
        clean[:, 0, 0] = torch.where(known, side * whole, clean[:, 0, 0])
        missing = (centre - (clean * weight).sum(dim=(1, 2))).nan_to_num()
        return clean + gain * missing[:, None, None]

    return given
