"""LF-UE, uncertainty estimation of latent features, "without parameters" (the paper's words).

Read as DSU (Li et al., "Uncertainty Modeling for Out-of-Distribution Generalization", ICLR 2022, arXiv 2202.03958) on
latents: the channel mean and deviation of each latent are resampled with the spread that they have over a class. That
reading and the floor of the resampled deviation are this project's choice.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hsiaug_builtin.nets.seeded import to_device

TINY = 1e-6


def perturb(z: Tensor, group: Tensor, draw: torch.Generator) -> Tensor:
    """Latents z (n, d, p, p) with resampled channel statistics.

    group: (n,) class of each latent, or −1 for unlabelled ones, which form a group of their own;
    on the CPU, so that no GPU is waited for. A class with a single latent takes the mean spread of the others.
    """
    if len(z) < 2:
        return z
    mean = z.mean(dim=(2, 3))
    deviation = (z.var(dim=(2, 3), unbiased=False) + TINY).sqrt()
    groups = _groups(group, z.device)
    spread_mean, spread_deviation = _spread(mean, groups), _spread(deviation, groups)
    e = torch.randn((2, *mean.shape), generator=draw).to(z.device)
    shift = mean + spread_mean * e[0]
    scale = (deviation + spread_deviation * e[1]).clamp(min=1e-3)
    normal = (z - mean[:, :, None, None]) / deviation[:, :, None, None]
    return scale[:, :, None, None] * normal + shift[:, :, None, None]


def _groups(label: Tensor, device: torch.device) -> list[Tensor]:
    """The rows of each label, in the labels' order, on ``device``."""
    order = label.argsort(stable=True)
    sizes = np.unique(label.numpy(), return_counts=True)[1]
    return list(torch.split(to_device(order, device), sizes.tolist()))


def _spread(value: Tensor, groups: list[Tensor]) -> Tensor:
    """(n, d) standard deviation of ``value`` (n, d) over the rows of the same group."""
    out = torch.zeros_like(value)
    known = []
    for rows in groups:
        if len(rows) > 1:
            spread = (value[rows].var(dim=0, unbiased=False) + TINY).sqrt()
            out[rows] = spread
            known.append(spread)
    if known:
        pooled = torch.stack(known).mean(dim=0)
        for rows in groups:
            if len(rows) == 1:
                out[rows] = pooled
    return out
