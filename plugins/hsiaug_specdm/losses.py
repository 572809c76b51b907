"""Loss terms of the autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor

from hsiaug_diffusion.angles import angles, norm

__all__ = ["divergence", "spectral_angle"]

NO_DATA = 1e-3


def spectral_angle(x: Tensor, y: Tensor, dim: int) -> Tensor:
    """Mean angle in radians between spectra x and y along ``dim``, 0..π/2 (SpecDM, eq. 1).

    Both are non-negative reflectance: what lies below 0 counts as 0. Spectra x of a norm below 0.001 hold no data and do
    not count.
    """
    x, y = x.clamp(min=0), y.clamp(min=0)
    valid = norm(x, dim) >= NO_DATA
    # Replaced before the angle is taken: a product with 0 afterwards would keep a NaN in the gradient.
    angle = angles(torch.where(valid, x, 1.0), torch.where(valid, y, 1.0), dim)
    return (angle * valid).sum() / valid.sum().clamp(min=1)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from a standard normal, the mean per latent number."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
