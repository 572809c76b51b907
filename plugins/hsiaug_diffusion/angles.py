"""The spectral angle as torch computes it."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["angles", "norm"]


def angles(x: Tensor, y: Tensor, dim: int) -> Tensor:
    """Angles in radians between spectra x and y along ``dim``, which is kept with length 1 (Kruse et al. 1993).

    As 2·atan2(|x̂ − ŷ|, |x̂ + ŷ|), whose gradient is finite at equality, where that of an arccosine is not.
    """
    x, y = _unit(x, dim), _unit(y, dim)
    return 2 * torch.atan2(norm(x - y, dim), norm(x + y, dim))


def _unit(x: Tensor, dim: int) -> Tensor:
    return x / norm(x, dim).clamp(min=1e-4)


def norm(x: Tensor, dim: int) -> Tensor:
    """Several times as fast as torch's own along a dimension that is not the last, and with a gradient of 0 at 0."""
    return (x.square().sum(dim=dim, keepdim=True) + 1e-12).sqrt()
