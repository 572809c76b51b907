"""How a network is told the noising step."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["sinusoid"]


def sinusoid(t: Tensor, width: int = 256) -> Tensor:
    """(n,) steps → (n, width) features: cosines and sines of geometric rates (Vaswani et al. 2017; Ho et al. 2020)."""
    half = width // 2
    rates = torch.exp(-math.log(10000.0) * torch.arange(half, device=t.device) / half)
    angles = t[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)
