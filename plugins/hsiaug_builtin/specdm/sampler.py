"""The noise schedule, and the sampler of latents: from noise, or from noised training pairs, to
clean ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hsiaug_builtin.diffusion.schedule import guide, make_schedule, sample
from hsiaug_builtin.specdm.params import NOISE_STEPS, LatentParams, knows_shares, predicts_noise
from hsiaug_builtin.specdm.unet import UNet

SCHEDULE = make_schedule(NOISE_STEPS, 0.0015, 0.0155)
"""β from 0.0015 to 0.0155, linear in √β: what latent diffusion code, and so the paper, calls
linear.
"""


def sample_latents(
    denoiser: UNet, noise: Tensor, shares: Tensor, begin: Tensor, params: LatentParams, omega: float
) -> Tensor:
    """Latents (n, d, h, w), normalised, made of ``noise`` of this shape by DPM-Solver++(2M).

    Parameters
    ----------
    shares : (n, K + 1) Tensor
        As the denoiser is told them, with guidance ω.
    begin : Tensor
        Latents of training pairs, which are noised where ``strength`` < 1 (SDEdit, Meng et al.,
        ICLR 2022).
    """
    schedule = SCHEDULE.to(noise.device)

    nothing = torch.zeros_like(shares)
    conditions = shares if knows_shares(params) else nothing

    def velocity(z: Tensor, t: Tensor) -> Tensor:
        velocities: Tensor = denoiser(z, t, conditions)
        if omega and knows_shares(params):
            velocities = guide(velocities, denoiser(z, t, nothing), omega)
        if not predicts_noise(params):
            return velocities
        share = schedule.share(z, t)
        return (velocities - (1 - share).sqrt() * z) / share.sqrt()

    z = noise
    steps = min(params.sample_steps, schedule.steps)
    first = None
    if params.strength < 1:
        first = max(0, round(params.strength * schedule.steps) - 1)
        steps = max(1, round(params.strength * steps))
        z = schedule.add_noise(begin, torch.full((len(z),), first, device=z.device), noise)
    return sample(schedule, velocity, z, steps, first)
