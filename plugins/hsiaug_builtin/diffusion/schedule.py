"""Noise schedules, and how a network is told the noising step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

__all__ = ["Schedule", "guided", "make_schedule", "sinusoid"]

Kind = Literal["linear", "scaled_linear", "cosine"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """alpha_bar: (T,) float32, the share of signal variance left after t + 1 noising steps (Ho et al. 2020)."""

    alpha_bar: Tensor

    @property
    def steps(self) -> int:
        """T."""
        return len(self.alpha_bar)

    def to(self, device: str | torch.device) -> Schedule:
        """On another device."""
        return Schedule(self.alpha_bar.to(device))

    def noised(self, z: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """z_t = √ᾱ_t·z + √(1−ᾱ_t)·noise, for z (n, …) and t (n,) int64."""
        a = self.share(z, t)
        return a.sqrt() * z + (1 - a).sqrt() * noise

    def velocity(self, z: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """v = √ᾱ_t·noise − √(1−ᾱ_t)·z (Salimans & Ho, ICLR 2022, arXiv 2202.00512)."""
        a = self.share(z, t)
        return a.sqrt() * noise - (1 - a).sqrt() * z

    def share(self, z: Tensor, t: Tensor) -> Tensor:
        """ᾱ of each step, (n, 1, …), on the device of z."""
        return self.alpha_bar.to(z.device)[t.to(z.device)].reshape(-1, *[1] * (z.ndim - 1))


def make_schedule(kind: Kind, steps: int, start: float, end: float) -> Schedule:
    """β from ``start`` to ``end``: "linear" (Ho et al. 2020), "scaled_linear" (linear in √β, which latent diffusion
    code calls linear), or "cosine" (Nichol & Dhariwal 2021, which ignores both ends)."""
    if kind == "cosine":
        x = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
        f = torch.cos((x + 0.008) / 1.008 * torch.pi / 2) ** 2
        betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    elif kind == "scaled_linear":
        betas = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64) ** 2
    else:
        betas = torch.linspace(start, end, steps, dtype=torch.float64)
    return Schedule(torch.cumprod(1 - betas, dim=0).float())


def guided(conditional: Tensor, unconditional: Tensor, omega: float) -> Tensor:
    """(1 + ω)·conditional − ω·unconditional (Ho & Salimans 2022, arXiv 2207.12598); ω = 0 is purely conditional."""
    return (1 + omega) * conditional - omega * unconditional


def sinusoid(t: Tensor, width: int = 256) -> Tensor:
    """(n,) steps → (n, width) features: cosines and sines of geometric rates (Vaswani et al. 2017; Ho et al. 2020)."""
    half = width // 2
    rates = torch.exp(-math.log(10000.0) * torch.arange(half, device=t.device) / half)
    angles = t[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)
