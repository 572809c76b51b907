"""Sampling by noise levels, on data whose best denoiser is known."""

import pytest
import torch
from torch import Tensor

from hsiaug_builtin.diffusion.edm import guided, noise_levels, sample, sample_with_noise

MEAN, SPREAD = 0.3, 0.5


def wiener(x: Tensor, sigma: float) -> Tensor:
    """The best denoiser of a Gaussian."""
    return MEAN + SPREAD**2 / (SPREAD**2 + sigma**2) * (x - MEAN)


def test_levels_fall_from_the_most_to_the_least() -> None:
    levels = noise_levels(10, 30.0, 0.03)

    assert levels[0] == pytest.approx(30) and levels[-1] == pytest.approx(0.03)
    assert levels == sorted(levels, reverse=True) and len(set(levels)) == 10


@pytest.mark.parametrize("fresh", [False, True])
def test_samples_of_the_best_denoiser_have_the_moments_of_the_data(fresh: bool) -> None:
    rng = torch.Generator().manual_seed(0)

    def noise() -> Tensor:
        return torch.randn(20_000, generator=rng)

    start, levels = noise() * 30, noise_levels(12, 30.0, 0.03)
    if fresh:
        made = sample_with_noise(wiener, start, levels, noise)
    else:
        made = sample(wiener, start, levels)

    assert float(made.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(made.std()) == pytest.approx(SPREAD, rel=0.1)


def test_fresh_noise_mends_what_a_step_got_wrong() -> None:
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(20_000, generator=rng) * 30
    levels = noise_levels(20, 30.0, 0.03)

    def wrong_at_first(x: Tensor, sigma: float) -> Tensor:
        return wiener(x, sigma) + (5.0 if sigma > 10 else 0.0)

    def noise() -> Tensor:
        return torch.randn(20_000, generator=rng)

    kept = sample(wrong_at_first, start, levels).mean()
    mended = sample_with_noise(wrong_at_first, start, levels, noise).mean()
    assert abs(float(mended) - MEAN) < 0.2 * abs(float(kept) - MEAN)


def test_guidance_leads_away_within_its_interval_alone() -> None:
    led = guided(wiener, lambda x, sigma: torch.zeros_like(x), 2.0, 0.1, 1.0)
    x = torch.ones(3)

    assert torch.allclose(led(x, 0.5), 3 * wiener(x, 0.5))
    assert torch.equal(led(x, 2.0), wiener(x, 2.0)) and torch.equal(led(x, 0.05), wiener(x, 0.05))
    assert torch.equal(guided(wiener, wiener, 0.0, 0.0, 100.0)(x, 0.5), wiener(x, 0.5))
