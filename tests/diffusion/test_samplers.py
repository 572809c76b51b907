"""Samplers of a model that predicts noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hsiaug_diffusion.samplers import Sampler, ancestral, clean_from, sampled
from hsiaug_diffusion.schedule import make_schedule, steps_down

SCHEDULE = make_schedule("scaled_linear", 1000, 0.0015, 0.0155)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def noise_of_gaussian(mean: float, std: float):  # type: ignore[no-untyped-def]
    """What a perfect model predicts where the data are normal."""

    def noise_of(z: Tensor, t: Tensor) -> Tensor:
        a = SCHEDULE.alpha_bar[t].reshape(-1, 1)
        return (1 - a).sqrt() * (z - a.sqrt() * mean) / (a * std**2 + 1 - a)

    return noise_of


@pytest.mark.parametrize(("sampler", "count"), [("ddim", 50), ("ddpm", 1000), ("dpm++", 20)])
def test_a_perfect_model_gives_the_data_back(sampler: Sampler, count: int) -> None:
    made = sampled(
        SCHEDULE, noise_of_gaussian(2.0, 0.5), drawn(4000, 1), count, sampler, torch.Generator().manual_seed(1)
    )

    # DDIM's coarse steps leave a tenth of the spread out or so.
    assert made.mean().item() == pytest.approx(2.0, abs=0.05)
    assert made.std().item() == pytest.approx(0.5, rel=0.15)


def test_the_second_order_sampler_needs_fewer_steps() -> None:
    """Both follow the same flow, whose end is known here: (z − √ᾱ·μ)/σ_t·σ + μ."""
    z = drawn(1000, 1)
    a = SCHEDULE.alpha_bar[-1]
    exact = (z - a.sqrt() * 2.0) / (a * 0.5**2 + 1 - a).sqrt() * 0.5 + 2.0
    first, second = (
        sampled(SCHEDULE, noise_of_gaussian(2.0, 0.5), z, 20, kind, torch.Generator())
        for kind in ("ddim", "dpm++")
    )

    assert (second - exact).abs().mean() < (first - exact).abs().mean() / 2


def test_one_ancestral_step_has_the_posterior_s_mean_and_variance() -> None:
    t, z, noise = 600, torch.full((20000,), 0.7), torch.full((20000,), -0.3)
    step = ancestral(SCHEDULE, z, t, t - 1, noise, torch.Generator().manual_seed(0))
    a, b = SCHEDULE.alpha_bar[t].item(), SCHEDULE.alpha_bar[t - 1].item()
    beta = 1 - a / b

    # Ho et al. 2020, eq. 11 and the variance after eq. 7.
    assert step.mean().item() == pytest.approx((0.7 + 0.3 * beta / (1 - a) ** 0.5) / (1 - beta) ** 0.5, abs=2e-3)
    assert step.var().item() == pytest.approx(beta * (1 - b) / (1 - a), rel=0.05)


def test_noise_and_clean_latent_tell_each_other() -> None:
    clean, noise = drawn(5, 3), drawn(5, 3, seed=1)
    z = SCHEDULE.noised(clean, torch.full((5,), 400), noise)

    assert torch.allclose(clean_from(SCHEDULE, z, 400, noise), clean, atol=1e-5)


def test_steps_go_down_evenly_and_end_before_the_clean_latent() -> None:
    assert steps_down(999, 4) == [999, 749, 500, 250]
    assert steps_down(999, 1) == [999]
    assert steps_down(999, 1000)[-1] >= 0 and len(set(steps_down(999, 999))) == 999
