"""DDIM and DPM-Solver++(2M), for models of one convention: ``denoise(z, t)`` gives the clean latent and the noise.

A network that predicts v or ε is wrapped once, by :func:`from_velocity` or :func:`from_noise`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from hsiaug_builtin.diffusion.schedule import Schedule

__all__ = ["Denoise", "Sampler", "from_noise", "from_velocity", "sample"]

Sampler = Literal["ddim", "dpm++"]
Network = Callable[[Tensor, Tensor], Tensor]
Denoise = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Of noised latents z (n, …) at steps t (n,) int64: ẑ_0 and ε, with z = √ᾱ·ẑ_0 + √(1−ᾱ)·ε."""


def from_velocity(schedule: Schedule, velocity: Network) -> Denoise:
    """Of a network that predicts v = √ᾱ·ε − √(1−ᾱ)·z_0 (Salimans & Ho, ICLR 2022)."""

    def denoise(z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        a, v = schedule.share(z, t), velocity(z, t)
        return a.sqrt() * z - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * z

    return denoise


def from_noise(schedule: Schedule, noise: Network) -> Denoise:
    """Of a network that predicts ε (Ho et al. 2020)."""

    def denoise(z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        a, epsilon = schedule.share(z, t), noise(z, t)
        return (z - (1 - a).sqrt() * epsilon) / a.sqrt(), epsilon

    return denoise


def sample(
    schedule: Schedule,
    denoise: Denoise,
    z: Tensor,
    count: int,
    sampler: Sampler = "ddim",
    first: int | None = None,
) -> Tensor:
    """Clean latents from z (n, …) at step ``first`` in ``count`` deterministic steps; the last one gives ẑ_0 itself.

    first: None = the last step of the schedule, where z is pure noise. "ddim": steps evenly spread (Song et al. 2021,
    η = 0). "dpm++": evenly over log(√ᾱ/√(1−ᾱ)); data prediction (Lu et al. 2022, arXiv 2211.01095, algorithm 2), the
    first step and the last of first order, as diffusers has it.
    """
    first = schedule.steps - 1 if first is None else first
    alpha, sigma = schedule.alpha_bar.sqrt(), (1 - schedule.alpha_bar).sqrt()
    level = (alpha / sigma).log()
    times = _evenly(first, count) if sampler == "ddim" else _by_level(level, first, count)
    before: tuple[int, Tensor] | None = None
    for t, s in pairwise(times):
        clean, noise = denoise(z, _all_at(t, z))
        if sampler == "ddim":
            z = alpha[s] * clean + sigma[s] * noise
            continue
        h = level[s] - level[t]
        steered = clean
        if before is not None:
            ratio = (level[t] - level[before[0]]) / h
            steered = clean + (clean - before[1]) / (2 * ratio)
        z = sigma[s] / sigma[t] * z - alpha[s] * torch.expm1(-h) * steered
        before = (t, clean)
    return denoise(z, _all_at(times[-1], z))[0]


def _evenly(first: int, count: int) -> list[int]:
    """``count`` steps from ``first`` downwards, evenly spread; the clean latent comes after the last."""
    return torch.linspace(first, 0, count + 1).round().long()[:-1].tolist() if count > 1 else [first]


def _by_level(level: Tensor, first: int, count: int) -> list[int]:
    """Up to ``count`` steps from ``first`` to 0: where they fall together near 0, fewer are made."""
    spread = torch.linspace(float(level[first]), float(level[0]), count).to(level)
    # Levels rise as t falls.
    return sorted({int((level - one).abs().argmin()) for one in spread}, reverse=True)


def _all_at(t: int, z: Tensor) -> Tensor:
    return torch.full((len(z),), t, dtype=torch.int64, device=z.device)
