"""The spectral angle as torch computes it."""

from __future__ import annotations

import torch
from torch import Tensor

NO_DATA = 1e-3


def angles(x: Tensor, y: Tensor, dim: int) -> Tensor:
    """Angles in radians between spectra x and y along ``dim``, which is kept with length 1 (Kruse
    et al. 1993).

    As 2·atan2(|x̂ − ŷ|, |x̂ + ŷ|), whose gradient is finite at equality, where that of an arccosine
    is not.
    """
    x = _unit(x, dim)
    y = _unit(y, dim)
    return 2 * torch.atan2(_norm(x - y, dim), _norm(x + y, dim))


def mean_angle(x: Tensor, y: Tensor, dim: int) -> Tensor:
    """Mean angle in radians between spectra x and y along ``dim``, 0..π/2 (SpecDM, eq. 1).

    Both are non-negative reflectance: what lies below 0 counts as 0. Spectra x of a norm below
    0.001 hold no data and do not count.
    """
    x = x.clamp(min=0)
    y = y.clamp(min=0)
    valid = _norm(x, dim) >= NO_DATA
    # Replaced before the angle is taken: a product with 0 afterwards would keep a NaN in the
    # gradient.
    angle = angles(torch.where(valid, x, 1.0), torch.where(valid, y, 1.0), dim)
    return (angle * valid).sum() / valid.sum().clamp(min=1)


def _unit(x: Tensor, dim: int) -> Tensor:
    return x / _norm(x, dim).clamp(min=1e-4)


def _norm(x: Tensor, dim: int) -> Tensor:
    """Several times as fast as torch's own along a dimension that is not the last, and with a
    gradient of 0 at 0.
    """
    return (x.square().sum(dim=dim, keepdim=True) + 1e-12).sqrt()
