"""Samplers of networks that predict the velocity."""

from collections.abc import Callable

import torch
from torch import Tensor

from hsiaug_builtin.diffusion.schedule import make_schedule, sample

SCHEDULE = make_schedule(1000, 0.0015, 0.0155)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def perfect(mean: float, std: float) -> Callable[[Tensor, Tensor], Tensor]:
    """A perfect model of normal data."""

    def velocity(z: Tensor, t: Tensor) -> Tensor:
        a = SCHEDULE.alpha_bar[t].reshape(-1, 1)
        noise = (1 - a).sqrt() * (z - a.sqrt() * mean) / (a * std**2 + 1 - a)
        return (noise - (1 - a).sqrt() * z) / a.sqrt()

    return velocity


def test_the_sampler_follows_the_flow_whose_end_is_known() -> None:
    """That end is (z − √ᾱ·μ)/σ_t·σ + μ; steps of first order would end 0.07 away."""
    z = drawn(1000, 1)
    a = SCHEDULE.alpha_bar[-1]
    exact = (z - a.sqrt() * 2.0) / (a * 0.5**2 + 1 - a).sqrt() * 0.5 + 2.0
    made = sample(SCHEDULE, perfect(2.0, 0.5), z, 20)

    assert (made - exact).abs().mean() < 0.01


def test_the_velocity_tells_the_clean_latent_from_the_noise() -> None:
    clean, noise, t = drawn(5, 3), drawn(5, 3, seed=1), torch.full((5,), 400)
    found = SCHEDULE.apart(
        SCHEDULE.add_noise(clean, t, noise), t, SCHEDULE.velocity(clean, t, noise)
    )

    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, (clean, noise), strict=True))
