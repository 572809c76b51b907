"""The hyper-parameters of ``cvae``, ``wgan`` and ``tabddpm``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import defaults, param

__all__ = ["CvaeParams", "TabddpmParams", "WganParams"]


@dataclass(frozen=True)
class _Size:
    """Shared by all three, with defaults of their own."""

    components: int = param(16, "whitened principal components it works on, at most", low=1)
    width: int = param(32, "channels inside", low=1)
    steps: int = param(1000, "optimiser steps", low=1)
    batch: int = param(64, "patches per step", low=1)
    rate: float = param(2e-3, "peak learning rate", low=0)


@dataclass(frozen=True)
class CvaeParams(_Size):
    """Size and training of the VAE."""

    latent: int = param(16, "numbers in the latent", low=1)


@dataclass(frozen=True)
@defaults(batch=48)
class WganParams(_Size):
    """Size and training of the generator and its critic."""

    latent: int = param(32, "numbers in the noise that a sample is made from", low=1)
    steps: int = param(300, "optimiser steps of the generator", low=1)
    critic_steps: int = param(5, "steps of the critic for each", low=1)
    penalty: float = param(10.0, "weight of the gradient penalty", low=0)
    rate: float = param(7e-4, "learning rate", low=0)


@dataclass(frozen=True)
@defaults(components=24, steps=2000, rate=1e-3)
class TabddpmParams(_Size):
    """Size and training of the denoiser."""

    width: int = param(128, "width of the MLP", low=1)
    depth: int = param(3, "hidden layers", low=1)
    batch: int = param(128, "spectra per step", low=1)
    ema: float = param(0.99, "decay of the moving average of weights", low=0, high=1)
    noise_steps: int = param(1000, "noising steps T", low=2)
    sample_steps: int = param(50, "denoising steps", low=1)
