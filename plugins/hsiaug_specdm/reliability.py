"""SpecDM's own word on whether image and mask belong together; no other model is needed.

Both measures are ours (the paper has none): the denoiser knows p(image, mask), so a mask that does not belong costs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseSamples, PluginError
from hsiaug_diffusion.samplers import ancestral
from hsiaug_diffusion.schedule import Schedule, steps_down
from hsiaug_specdm.fit import schedule_of
from hsiaug_specdm.fitted import FittedPairs
from hsiaug_specdm.unet import predicted_noise

__all__ = ["FittedSpecDm", "Reinferred"]

BATCH = 64
LEVELS = 8
"""Noise levels that a coupling gap is the mean of."""


@dataclass(frozen=True, eq=False)
class Reinferred:
    """entropy: (n, H, W) float32 of the regenerated classes, in nats. agreement: (n, H, W) float32, the share of
    regenerations that name the class which the mask names."""

    entropy: NDArray[np.float32]
    agreement: NDArray[np.float32]


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
        schedule = schedule_of(self.params).to(self.device)
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

    @torch.inference_mode()
    def reinfer(self, samples: DenseSamples, seed: int, times: int = 8) -> Reinferred:
        """Regenerate masks ``times`` times for the images as they are.

        The mask's latents are noised to t = T/2 and denoised by DDPM steps; the image's are put back at every step, as
        RePaint does (Lugmayr et al., CVPR 2022), without its jumps back.
        """
        draw = torch.Generator().manual_seed(seed)
        entropy, agreement = [], []
        for start in range(0, len(samples), BATCH):
            rows = slice(start, start + BATCH)
            z = self.encoded(samples, rows)
            votes = torch.zeros(len(z), len(self.format.ids), self.format.side, self.format.side)
            for _ in range(times):
                votes += self._mask_again(z, draw).cpu()
            share = votes / times
            entropy.append(-(share * share.clamp(min=1e-12).log()).sum(dim=1))
            side = self.format.side
            named = self.format.masks(samples.masks[rows])[:, None, :side, :side]
            agreement.append(share.gather(1, named)[:, 0])
        empty = [torch.empty(0, self.format.side, self.format.side)]
        return Reinferred(torch.cat(empty + entropy).numpy(), torch.cat(empty + agreement).numpy())

    def _noise(self, schedule: Schedule, z: Tensor, t: Tensor) -> Tensor:
        return predicted_noise(self.params, schedule, self.denoiser, z, t)

    def _mask_again(self, z: Tensor, draw: torch.Generator) -> Tensor:
        """(n, K, H, H) one-hot masks, regenerated once from latents z."""
        split, schedule = self.codec.split, schedule_of(self.params).to(self.device)
        middle = schedule.steps // 2
        times = steps_down(middle, max(1, min(middle, self.params.sample_steps // 2)))

        def noised(t: int) -> Tensor:
            noise = torch.randn(z.shape, generator=draw).to(self.device)
            return schedule.noised(z, torch.full((len(z),), t, device=self.device), noise)

        now = noised(times[0])
        for t, s in zip(times, [*times[1:], None], strict=True):
            noise = self._noise(schedule, now, torch.full((len(z),), t, device=self.device))
            now = ancestral(schedule, now, t, s, noise, draw)
            image = z if s is None else noised(s)
            now = torch.cat([image[:, :split], now[:, split:]], dim=1)
        _, shares = self.codec.decode(self.norm.back(now))
        side = self.format.side
        return self.format.one_hot(shares.argmax(dim=1))[..., :side, :side]
