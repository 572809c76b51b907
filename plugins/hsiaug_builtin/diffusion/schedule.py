"""The noise schedule, DPM-Solver++(2M), and the features of the noising step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Schedule:
    """The noise schedule of a diffusion model.

    Attributes
    ----------
    alpha_bar : (T,) float32 Tensor
        The share of signal variance left after t + 1 noising steps (Ho et al. 2020).
    """

    alpha_bar: Tensor

    @property
    def steps(self) -> int:
        """Number of noising steps T."""
        return len(self.alpha_bar)

    def to(self, device: str | torch.device) -> Schedule:
        """Return the schedule on another device."""
        return Schedule(self.alpha_bar.to(device))

    def add_noise(self, z: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """z_t = √ᾱ_t·z + √(1−ᾱ_t)·noise, for z (n, …) and t (n,) int64."""
        a = self.share(z, t)
        return a.sqrt() * z + (1 - a).sqrt() * noise

    def velocity(self, z: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """v = √ᾱ_t·noise − √(1−ᾱ_t)·z (Salimans & Ho, ICLR 2022, arXiv 2202.00512)."""
        a = self.share(z, t)
        return a.sqrt() * noise - (1 - a).sqrt() * z

    def apart(self, z: Tensor, t: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """The clean latents and the noise of noised z (n, …) at t (n,) int64, whose velocity is
        v.
        """
        a = self.share(z, t)
        return a.sqrt() * z - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * z

    def share(self, z: Tensor, t: Tensor) -> Tensor:
        """ᾱ of each step, (n, 1, …), on the device of z."""
        return self.alpha_bar.to(z.device)[t.to(z.device)].reshape(-1, *[1] * (z.ndim - 1))


def make_schedule(steps: int, start: float, end: float) -> Schedule:
    """β from ``start`` to ``end``, linear in √β, which latent diffusion code calls linear."""
    betas = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64) ** 2
    return Schedule(torch.cumprod(1 - betas, dim=0).float())


def guide(conditional: Tensor, unconditional: Tensor, omega: float) -> Tensor:
    """(1 + ω)·conditional − ω·unconditional (Ho & Salimans 2022, arXiv 2207.12598); ω = 0 is purely
    conditional.
    """
    return (1 + omega) * conditional - omega * unconditional


def sinusoid(t: Tensor) -> Tensor:
    """(n,) steps → (n, 256) features: cosines and sines of geometric rates (Vaswani et al. 2017; Ho
    et al. 2020).
    """
    half = 128
    rates = torch.exp(-math.log(10000.0) * torch.arange(half, device=t.device) / half)
    angles = t[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def sample(
    schedule: Schedule,
    velocity: Callable[[Tensor, Tensor], Tensor],
    z: Tensor,
    count: int,
    first: int | None = None,
) -> Tensor:
    """Clean latents from z (n, …) at step ``first`` in ``count`` deterministic steps; the last one
    gives ẑ_0 itself.

    Steps lie evenly over log(√ᾱ/√(1−ᾱ)); data prediction (Lu et al. 2022, arXiv 2211.01095,
    algorithm 2), the first step and the last of first order, as diffusers has it.

    Parameters
    ----------
    velocity : callable
        v of noised latents z (n, …) at steps t (n,) int64.
    first : int or None
        None = the last step of the schedule, where z is pure noise.
    """
    first = schedule.steps - 1 if first is None else first
    alpha = schedule.alpha_bar.sqrt()
    sigma = (1 - schedule.alpha_bar).sqrt()
    level = (alpha / sigma).log()
    times = _by_level(level, first, count)
    before: tuple[int, Tensor] | None = None

    def denoise(t: int, z: Tensor) -> Tensor:
        at = torch.full((len(z),), t, dtype=torch.int64, device=z.device)
        clean, _ = schedule.apart(z, at, velocity(z, at))
        return clean

    for t, s in pairwise(times):
        clean = denoise(t, z)
        h = level[s] - level[t]
        steered = clean
        if before is not None:
            ratio = (level[t] - level[before[0]]) / h
            steered = clean + (clean - before[1]) / (2 * ratio)
        z = sigma[s] / sigma[t] * z - alpha[s] * torch.expm1(-h) * steered
        before = (t, clean)
    return denoise(times[-1], z)


def _by_level(level: Tensor, first: int, count: int) -> list[int]:
    """Up to ``count`` steps from ``first`` to 0: where they fall together near 0, fewer are
    made.
    """
    spread = torch.linspace(float(level[first]), float(level[0]), count).to(level)
    # Levels rise as t falls.
    return sorted({int((level - target).abs().argmin()) for target in spread}, reverse=True)
