"""LF-UE, uncertainty estimation of latent features, "without parameters" (the paper's words).

Read as DSU (Li et al., "Uncertainty Modeling for Out-of-Distribution Generalization", ICLR 2022,
arXiv 2202.03958) on latents: the channel mean and deviation of each latent are resampled with
the spread that they have over a class. That reading and the floor of the resampled deviation are
this project's choice.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hsiaug_builtin.nets.seeded import normal, to_device

TINY = 1e-6


def perturb(z: Tensor, group: Tensor, rng: torch.Generator) -> Tensor:
    """Latents z (n, d, p, p) with resampled channel statistics.

    Parameters
    ----------
    group : (n,) Tensor
        Class of each latent, or 0 for unlabelled ones, which form a group of their own; on the
        CPU, so that no GPU is waited for. A class with a single latent takes the mean spread of
        the others.
    """
    if len(z) < 2:
        return z
    mean = z.mean(dim=(2, 3))
    deviation = (z.var(dim=(2, 3), unbiased=False) + TINY).sqrt()
    spread_mean = _spread(mean, group)
    spread_deviation = _spread(deviation, group)
    e = normal((2, *mean.shape), rng, z.device)
    shift = mean + spread_mean * e[0]
    scale = (deviation + spread_deviation * e[1]).clamp(min=1e-3)
    standard = (z - mean[:, :, None, None]) / deviation[:, :, None, None]
    return scale[:, :, None, None] * standard + shift[:, :, None, None]


def _spread(value: Tensor, group: Tensor) -> Tensor:
    """(n, d) standard deviation of ``value`` (n, d) over the rows of the same group."""
    _, index, count = torch.unique(group, return_inverse=True, return_counts=True)
    lone, several = (
        to_device(torch.where(rows)[0], value.device) for rows in (count == 1, count > 1)
    )
    index = to_device(index, value.device)
    count = to_device(count[:, None], value.device)
    empty = value.new_zeros(len(count), value.shape[1])
    mean = empty.index_add(0, index, value) / count
    spread = (empty.index_add(0, index, (value - mean[index]).square()) / count + TINY).sqrt()
    spread[lone] = spread[several].mean(dim=0) if len(several) else 0.0
    return spread[index]
