"""Denoisers of all levels of pairs, from cells of many pixels to single pixels.

The coarsest level has at most 8×8 cells. Each level after it has cells of half the side, and starts
from the one before: it denoises what is left when that one, enlarged, is taken away. In training
the level before is the true one with a little noise, so that in sampling its faults can be mended
(Ho et al., Cascaded Diffusion Models, JMLR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from hsiaug.api import derive_seed
from hsiaug_builtin.diffusion.edm import Denoise, guided, noise_levels, sample_with_noise
from hsiaug_builtin.diffusion.training import bf16_is_faster, randomness, train
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.specdm.crops import Cropping, crops
from hsiaug_builtin.specdm.local import TOKEN, LocalDenoiser
from hsiaug_builtin.specdm.params import LdmParams, levels_of
from hsiaug_builtin.specdm.training_pairs import PairRun, turned

CROP = 32
"""Cells along a side of what a level is trained on, at most."""
TOLD = 0.5
"""Share of tiles in training that the network is told one class of: of these rare classes are drawn
more often, the others are drawn alike.
"""
FEWER_STEPS, LEAST_STEPS = 2 / 3, 1 / 2
"""Steps of a level in those of the next finer one, and in those of the finest at least."""
BLUR = 0.15
"""Most noise on the level before in training, in units of its spread."""
KNOWN_BLUR = 0.05
"""The same in sampling."""
TWO_DATES = "; two dates: layout falls short, mosaic has it (of training pieces)"
"""Said at each level of a fit on two dates."""
LEVEL_MEAN, LEVEL_SPREAD = -0.2, 1.4
"""Of the logarithm of noise levels in training."""
HIGHEST, HIGHEST_FINER, LOWEST = 40.0, 10.0, 0.02
"""Noise that sampling begins and ends at, beside a spread of 1: that of the coarsest level, and of
the finer ones.
"""


class Cascade(nn.Module):
    """A :class:`LocalDenoiser` for each level, the coarsest first."""

    def __init__(self, channels: int, classes: int, side: int, params: LdmParams) -> None:
        super().__init__()
        size = params.network
        self.levels = nn.ModuleList(
            LocalDenoiser(
                channels,
                classes,
                size.local_width[min(index, 1)],
                size.local_depth[min(index, 1)],
                finer=index > 0,
            )
            for index in range(levels_of(side))
        )

    @property
    def denoisers(self) -> list[LocalDenoiser]:
        """The networks of the levels, the coarsest first."""
        return [cast(LocalDenoiser, level) for level in self.levels]

    def cells(self, joint: Tensor) -> list[Tensor]:
        """Means of the cells of each level, of joint latents (n, C, P, P)."""
        return [
            avg_pool2d(joint, TOKEN**power) if power else joint
            for power in reversed(range(len(self.levels)))
        ]

    @torch.inference_mode()
    def sample(
        self,
        begin: Tensor,
        told: Tensor,
        *,
        steps: int,
        strength: float,
        omega: float,
        rng: torch.Generator,
    ) -> Tensor:
        """Joint latents (n, C, P, P) from noise.

        Parameters
        ----------
        begin : (n, C, P, P) Tensor
            Of training pairs, which shine through where ``strength`` is below 1.
        told : (n,) int64 Tensor
            1 + the class that each shall show, or 0.
        steps : int
            Denoising steps of each level.
        omega : float
            Guidance by what is told.
        """
        result: Tensor | None = None
        device = begin.device
        nothing = torch.zeros_like(told)
        for level, cells in zip(self.denoisers, self.cells(begin), strict=True):
            coarser = result
            blur = torch.full((len(begin),), KNOWN_BLUR if coarser is not None else 0.0).to(device)
            if coarser is not None:
                coarser = _blurred(level, coarser, blur, normal(coarser.shape, rng, device))
            most = HIGHEST if coarser is None else HIGHEST_FINER
            most = LOWEST * (most / LOWEST) ** strength
            x = most * normal(cells.shape, rng, device)
            if strength < 1:
                x = x + level.inward(cells, coarser)
            clean = guided(
                _denoise(level, told, coarser, blur),
                _denoise(level, nothing, coarser, blur),
                omega if bool((told > 0).any()) else 0.0,
                0.0,
                most,
            )
            levels = noise_levels(steps, most, LOWEST)
            fresh_noise = partial(normal, x.shape, rng, device)
            x = sample_with_noise(clean, x, levels, fresh_noise)
            result = level.outward(x, coarser)
        assert result is not None
        return result


def train_cascade(run: PairRun, joint: Tensor, weights: Tensor, masks: int) -> Cascade:
    """Train the levels one after the other on joint latents (n, C, P, P) of the training pairs.

    Parameters
    ----------
    weights : (C,) Tensor
        Of the channels in the loss; their sum is 1.
    masks : int
        How many of the last channels are those of the mask alone.
    """
    params = run.params
    assert isinstance(params, LdmParams)
    classes = run.pairs.shares.shape[1]
    cascade = fresh(lambda: Cascade(joint.shape[1], classes, joint.shape[-1], params), run.seed)
    cells = cascade.cells(joint)
    for index, level in enumerate(cascade.denoisers):
        level.fit_input(cells[index], cells[index - 1] if index else None)
    cascade = cascade.to(run.device)
    trained = [
        _train_level(run, level, index, cells, weights, masks)
        for index, level in enumerate(cascade.denoisers)
    ]
    cascade.levels = nn.ModuleList(trained)
    return cascade


def steps_of(params: LdmParams, above: int) -> int:
    """Optimiser steps of the level so many levels above the finest: coarser levels have fewer
    places to learn from, and learn them by heart sooner.
    """
    return max(1, round(params.level_steps * max(LEAST_STEPS, FEWER_STEPS**above)))


def _train_level(
    run: PairRun,
    level: LocalDenoiser,
    index: int,
    cells: Sequence[Tensor],
    weights: Tensor,
    masks: int,
) -> LocalDenoiser:
    params = run.params
    assert isinstance(params, LdmParams)
    own = cells[index]
    side = own.shape[-1]
    crop = min(side, CROP)
    finer = min(index + 1, len(cells) - 1)
    how = Cropping(
        factor=TOKEN ** (finer - index),
        side=crop,
        masks=masks,
        turned=turned(params),
        rotated=params.rotated,
    )
    tokens = (crop // TOKEN if index else crop) ** 2
    batch = max(2, params.network.local_tokens // tokens)
    shows = run.pairs.shares.gt(0).double()
    said = TWO_DATES if run.format.dates > 1 else ""
    seed = derive_seed("level", run.seed, index)

    def loss(step: int) -> Tensor:
        rng = randomness(seed, step)
        tells = torch.rand(batch, generator=rng) < TOLD
        rows = torch.where(
            tells,
            torch.multinomial(run.pairs.weight, batch, replacement=True, generator=rng),
            torch.randint(len(own), (batch,), generator=rng),
        )
        x, inside = crops(cells[finer][to_device(rows, run.device)], how, rng)
        told = (1 + torch.multinomial(shows[rows], 1, generator=rng)[:, 0]) * tells
        sigma = (LEVEL_MEAN + LEVEL_SPREAD * torch.randn(batch, generator=rng)).exp()
        blur = BLUR * torch.rand(batch, generator=rng) * (index > 0)
        told, sigma, blur = (to_device(values, run.device) for values in (told, sigma, blur))
        coarser = None
        if index:
            coarser = avg_pool2d(x, TOKEN)
            coarser = _blurred(level, coarser, blur, normal(coarser.shape, rng, run.device))
        aim = level.inward(x, coarser)
        noise = normal(aim.shape, rng, run.device)
        return level.loss(aim, sigma, noise, told, coarser, blur, weights, inside)

    return train(
        level,
        loss,
        steps=steps_of(params, len(cells) - 1 - index),
        rate=params.rate,
        progress=run.progress,
        note=f"level {index + 1} of {len(cells)}{said}",
        ema=params.network.ema,
        half=bf16_is_faster(run.device),
        fused=True,
        checkpoint=run.file(f"level-{index + 1}"),
    )


def _blurred(level: LocalDenoiser, coarser: Tensor, blur: Tensor, noise: Tensor) -> Tensor:
    """The level before with noise on it."""
    return coarser + blur[:, None, None, None] * level.known_spread[:, None, None] * noise


def _denoise(level: LocalDenoiser, told: Tensor, coarser: Tensor | None, blur: Tensor) -> Denoise:
    """A denoiser as the samplers know it."""

    def denoise(x: Tensor, sigma: float) -> Tensor:
        out: Tensor = level(x, blur.new_full((len(x),), sigma), told, coarser, blur)
        return out

    return denoise
