"""Diffusion by noise levels σ (Karras et al., Elucidating the Design Space of Diffusion-Based
Generative Models, NeurIPS 2022, arXiv 2206.00364): a model gives ``denoised = model(x, sigma)``,
and samplers know no more of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Denoise = Callable[[Tensor, float], Tensor]
"""Clean values of x (n, …) that hold noise of deviation σ."""


def noise_levels(count: int, most: float, least: float, rho: float = 7.0) -> list[float]:
    """``count`` falling noise levels (Karras et al. 2022, equation 5)."""
    ends = [most ** (1 / rho), least ** (1 / rho)]
    return [(ends[0] + i / max(1, count - 1) * (ends[1] - ends[0])) ** rho for i in range(count)]


def sample(denoise: Denoise, x: Tensor, levels: list[float]) -> Tensor:
    """Clean values from x (n, …) at the first of the falling noise ``levels``; the last one gives
    the result.

    DPM-Solver++(2M) for data prediction, where x = clean + σ·noise (Lu et al. 2022, arXiv
    2211.01095, algorithm 2).
    """
    before: tuple[Tensor, float] | None = None
    for level, after in pairwise(levels):
        clean = denoise(x, level)
        h = math.log(level / after)
        steered = clean
        if before is not None:
            steered = clean + (clean - before[0]) * (h / (2 * before[1]))
        x = after / level * x - math.expm1(-h) * steered
        before = clean, h
    return denoise(x, levels[-1])


def sample_with_noise(
    denoise: Denoise, x: Tensor, levels: list[float], noise: Callable[[], Tensor]
) -> Tensor:
    """Clean values from x at the first of the falling noise ``levels``, with fresh noise at each
    step.

    The stochastic form of DPM-Solver++(2M), as k-diffusion has it (``sample_dpmpp_2m_sde``,
    midpoint). New noise lets later steps mend what earlier ones got wrong, which the deterministic
    form keeps.

    Parameters
    ----------
    denoise : callable
        The model.
    x : Tensor (n, …)
        Values at the first level.
    levels : list of float
        Falling noise levels; the last one gives the result.
    noise : callable
        Standard noise of the shape of x, new at each call.
    """
    previous: tuple[Tensor, float] | None = None
    for level, after in pairwise(levels):
        clean = denoise(x, level)
        h = math.log(level / after)
        gain = -math.expm1(-2 * h)
        steered = clean
        if previous is not None:
            steered = clean + (clean - previous[0]) * (h / (2 * previous[1]))
        x = after / level * math.exp(-h) * x + gain * steered + after * math.sqrt(gain) * noise()
        previous = clean, h
    return denoise(x, levels[-1])


def guided(conditioned: Denoise, away: Denoise, omega: float, least: float, most: float) -> Denoise:
    """(1 + ω)·conditioned − ω·away where the noise level lies in [least, most], else conditioned.

    Classifier-free guidance where ``away`` is the same model without its condition (Ho & Salimans
    2022), autoguidance where it is a weaker one (Karras et al., NeurIPS 2024, arXiv 2406.02507);
    the interval is that of Kynkäänniemi et al., NeurIPS 2024, arXiv 2404.07724.
    """

    def denoise(x: Tensor, level: float) -> Tensor:
        clean = conditioned(x, level)
        if omega == 0 or not least <= level <= most:
            return clean
        return torch.lerp(away(x, level), clean, 1 + omega)

    return denoise
