"""Samplers of a model that predicts the noise ε: DDIM, DDPM and DPM-Solver++(2M).

DDIM and DDPM walk down the evenly spread steps of :func:`hsiaug_diffusion.schedule.ddim`, the last of which gives the
clean latent; DPM-Solver++ spreads them evenly over log(√ᾱ/√(1−ᾱ)), as its authors do. With as many steps as the
schedule has, "ddpm" is the sampler of Ho et al. (2020) with its posterior variance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from hsiaug_diffusion.schedule import Schedule, ddim, steps_down

__all__ = ["Sampler", "ancestral", "clean_from", "noise_from", "sampled"]

Sampler = Literal["ddim", "ddpm", "dpm++"]
Noise = Callable[[Tensor, Tensor], Tensor]


def clean_from(schedule: Schedule, z: Tensor, t: int, noise: Tensor) -> Tensor:
    """ẑ_0 = (z_t − √(1−ᾱ_t)·ε) / √ᾱ_t."""
    a = schedule.alpha_bar[t]
    return (z - (1 - a).sqrt() * noise) / a.sqrt()


def noise_from(schedule: Schedule, z: Tensor, t: Tensor, velocity: Tensor) -> Tensor:
    """ε = √ᾱ·v + √(1−ᾱ)·z, for a model that predicts v; t (n,) int64."""
    a = schedule.share(z, t)
    return a.sqrt() * velocity + (1 - a).sqrt() * z


def ancestral(
    schedule: Schedule, z: Tensor, t: int, s: int | None, noise: Tensor, draw: torch.Generator
) -> Tensor:
    """From z at step t to step s < t by q(z_s | z_t, ẑ_0) (Ho et al. 2020, eq. 7); s = None gives ẑ_0 itself.

    noise: what the model predicts at t. draw: a generator of the CPU.
    """
    clean = clean_from(schedule, z, t, noise)
    if s is None:
        return clean
    a, b = schedule.alpha_bar[t], schedule.alpha_bar[s]
    kept = a / b
    mean = b.sqrt() * (1 - kept) / (1 - a) * clean + kept.sqrt() * (1 - b) / (1 - a) * z
    spread = ((1 - kept) * (1 - b) / (1 - a)).sqrt()
    return mean + spread * torch.randn(z.shape, generator=draw).to(z.device)


def sampled(
    schedule: Schedule,
    noise_of: Noise,
    z: Tensor,
    count: int,
    sampler: Sampler,
    draw: torch.Generator,
    first: int | None = None,
) -> Tensor:
    """Clean latents from z (n, …) at step ``first`` in ``count`` steps. noise_of(z, t): ε at z and t (n,) int64.

    first: None = the last step of the schedule, where z is pure noise. Only "ddpm" draws from ``draw``, a generator of
    the CPU.
    """
    first = schedule.steps - 1 if first is None else first
    if sampler == "ddim":
        return ddim(schedule, lambda z, t: _velocity(schedule, z, t, noise_of(z, t)), z, first, count)
    if sampler == "dpm++":
        return _dpm(schedule, noise_of, z, count, first)
    times = steps_down(first, count)
    for t, s in zip(times, [*times[1:], None], strict=True):
        z = ancestral(schedule, z, t, s, noise_of(z, _all_at(t, z)), draw)
    return z


def _velocity(schedule: Schedule, z: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """v = (ε − √(1−ᾱ)·z) / √ᾱ, from which DDIM finds the same ẑ_0 and ε."""
    a = schedule.share(z, t)
    return (noise - (1 - a).sqrt() * z) / a.sqrt()


def _dpm(schedule: Schedule, noise_of: Noise, z: Tensor, count: int, first: int) -> Tensor:
    """DPM-Solver++(2M), data prediction (Lu et al. 2022, arXiv 2211.01095, algorithm 2); the first step and the last
    are of first order, as diffusers has it."""
    alpha, sigma = schedule.alpha_bar.sqrt(), (1 - schedule.alpha_bar).sqrt()
    level = (alpha / sigma).log()
    spread = torch.linspace(float(level[first]), float(level[0]), count).to(level)
    # Levels rise as t falls. Where steps fall together near t = 0, fewer are made.
    times = sorted({int((level - one).abs().argmin()) for one in spread}, reverse=True)
    before: tuple[int, Tensor] | None = None
    for t, s in zip(times, [*times[1:], None], strict=True):
        clean = clean_from(schedule, z, t, noise_of(z, _all_at(t, z)))
        if s is None:
            return clean
        h = level[s] - level[t]
        steered = clean
        if before is not None:
            ratio = (level[t] - level[before[0]]) / h
            steered = clean + (clean - before[1]) / (2 * ratio)
        z = sigma[s] / sigma[t] * z - alpha[s] * torch.expm1(-h) * steered
        before = (t, clean)
    return z


def _all_at(t: int, z: Tensor) -> Tensor:
    return torch.full((len(z),), t, dtype=torch.int64, device=z.device)
