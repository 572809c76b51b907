"""SpecDM's own word on whether image and mask belong together; no other model is needed.

The measure is ours (the paper has none): the denoiser knows p(image, mask), so a mask that does not belong costs it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseSamples, PluginError
from hsiaug_builtin.diffusion.schedule import Schedule
from hsiaug_builtin.specdm.fit import SCHEDULE
from hsiaug_builtin.specdm.fitted import FittedPairs
from hsiaug_builtin.specdm.unet import predicted_noise

__all__ = ["FittedSpecDm"]

BATCH = 64
LEVELS = 8
"""Noise levels that a coupling gap is the mean of."""


class FittedSpecDm(FittedPairs):
    """:class:`FittedPairs` with latents whose streams can be told apart. The denoiser is told no class shares here."""

    @torch.inference_mode()
    def coupling(self, samples: DenseSamples, seed: int) -> NDArray[np.float32]:
        """(n,) coupling gaps E[loss(z_x, another's z_y) − loss(z_x, z_y)], near 0 where mask and image are independent.

        loss: of ε, over 8 noise levels that spread over the schedule; the same noise for both. Another's mask is that
        of a pair drawn without replacement, never its own. Raises PluginError for fewer than 2 pairs.
        """
        n = len(samples)
        if n < 2:
            raise PluginError(
                "a coupling gap takes at least 2 pairs",
                value=str(n),
                hint="Give more: masks are swapped between pairs.",
            )
        draw = torch.Generator().manual_seed(seed)
        z = torch.cat([self.encoded(samples, slice(i, i + BATCH)) for i in range(0, n, BATCH)])
        order = torch.randperm(n, generator=draw)
        other = torch.empty_like(order)
        other[order] = order.roll(1)
        swapped = torch.cat([z[:, : self.codec.split], z[other.to(z.device), self.codec.split :]], dim=1)
        schedule = SCHEDULE.to(self.device)
        gap = torch.zeros(n)
        for level in range(LEVELS):
            at = int((level + 0.5) / LEVELS * schedule.steps)
            for rows in torch.split(torch.arange(n), BATCH):
                noise = torch.randn(z[rows].shape, generator=draw).to(self.device)
                t = torch.full((len(rows),), at, device=self.device)
                own, strange = (
                    (self._noise(schedule, schedule.noised(pair[rows], t, noise), t) - noise)
                    .square()
                    .mean(dim=(1, 2, 3))
                    for pair in (z, swapped)
                )
                gap[rows] += (strange - own).cpu() / LEVELS
        return np.asarray(gap.numpy(), dtype=np.float32)

    def _noise(self, schedule: Schedule, z: Tensor, t: Tensor) -> Tensor:
        return predicted_noise(self.params, schedule, self.denoiser, z, t)
