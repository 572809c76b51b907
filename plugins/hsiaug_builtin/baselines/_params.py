"""The hyper-parameters of ``cvae`` and ``wgan``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import defaults, param


@dataclass(frozen=True)
class _Size:
    """Shared by both, with defaults of their own."""

    components: int = param(16, "whitened principal components it works on, at most", low=1)
    width: int = param(32, "channels inside", low=1)
    steps: int = param(1000, "optimiser steps", low=1)
    batch: int = param(64, "patches per step", low=1)
    rate: float = param(2e-3, "peak learning rate", low=0)


@dataclass(frozen=True)
class CvaeParams(_Size):
    """Size and training of the VAE."""

    latent: int = param(16, "dimensions of the latent", low=1)


@dataclass(frozen=True)
@defaults(batch=48)
class WganParams(_Size):
    """Size and training of the generator and its critic."""

    latent: int = param(32, "dimensions of the input noise", low=1)
    steps: int = param(300, "optimiser steps of the generator", low=1)
    critic_steps: int = param(5, "steps of the critic per step of the generator", low=1)
    penalty: float = param(10.0, "weight of the gradient penalty", low=0)
    rate: float = param(7e-4, "learning rate", low=0)
