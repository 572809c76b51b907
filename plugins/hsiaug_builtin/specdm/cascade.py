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
ASKED = 0.5
"""Share of tiles in training with which the network gets a class that they show: of these rare
classes are drawn more often, the others are drawn alike.
"""
FEWER_STEPS, LEAST_STEPS = 2 / 3, 1 / 2
"""Steps of a level in those of the next finer one, and in those of the finest at least."""
BLUR = 0.15
"""Most noise on the level before in training, in units of its spread."""
KNOWN_BLUR = 0.05
"""The same in sampling."""
LEVEL_MEAN, LEVEL_SPREAD = -0.2, 1.4
"""Of the logarithm of noise levels in training."""
HIGHEST, HIGHEST_FINER, LOWEST = 40.0, 10.0, 0.02
"""Noise that sampling begins and ends at, in units of the latents' spread: that of the coarsest
level, and of the finer ones.
"""
GIVEN, GIVEN_MOST = 0.02, 0.15
"""Noise on a stream that the other one is sampled for, and the most of it in training."""
FOR_MASK, FOR_IMAGE = 0.45, 0.1
"""Share of tiles in training whose image is learnt for a given mask, and of those whose mask is
learnt for a given image; of the others both have the same noise, as in the paper.
"""


class Cascade(nn.Module):
    """A :class:`LocalDenoiser` for each level, the coarsest first."""

    def __init__(
        self, channels: int, masks: int, classes: int, side: int, params: LdmParams
    ) -> None:
        super().__init__()
        size = params.network
        self.masks = masks
        self.levels = nn.ModuleList(
            LocalDenoiser(
                channels,
                masks,
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
        start: Tensor,
        shown: Tensor,
        *,
        steps: int,
        strength: float,
        omega: float,
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """Joint latents (n, C, P, P) from noise.

        Parameters
        ----------
        start : (n, C, P, P) Tensor
            Of training pairs, which shine through where ``strength`` is below 1.
        shown : (n,) int64 Tensor
            1 + the class that each shall show, or 0.
        steps : int
            Denoising steps of each level.
        omega : float
            Guidance by ``shown``.
        given : (n, K, P, P) Tensor or None
            Latents of masks that images are sampled for; None = the mask is sampled too.
        """
        result: Tensor | None = None
        device = start.device
        guided_by = omega if bool((shown > 0).any()) else 0.0
        fixed = [None] * len(self.levels) if given is None else self.cells(given)
        for level, cells, mask in zip(self.denoisers, self.cells(start), fixed, strict=True):
            coarser = result
            blur = torch.full((len(start),), KNOWN_BLUR if coarser is not None else 0.0).to(device)
            if coarser is not None:
                coarser = _blurred(level, coarser, blur, normal(coarser.shape, rng, device))
            known = None
            if mask is not None:
                filled = torch.cat([torch.zeros_like(cells[:, : level.images]), mask], dim=1)
                known = level.inward(filled, coarser)[:, level.images :]
            free = cells if known is None else cells[:, : level.images]
            most = HIGHEST if coarser is None else HIGHEST_FINER
            most = LOWEST * (most / LOWEST) ** strength
            x = most * normal(free.shape, rng, device)
            if strength < 1:
                x = x + level.inward(cells, coarser)[:, : free.shape[1]]
            clean = guided(
                _denoise(level, shown, coarser, blur, known),
                _denoise(level, torch.zeros_like(shown), coarser, blur, known),
                guided_by,
                0.0,
                most,
            )
            levels = noise_levels(steps, most, LOWEST)
            x = sample_with_noise(clean, x, levels, partial(normal, x.shape, rng, device))
            whole = x if known is None else torch.cat([x, known], dim=1)
            result = level.outward(whole, coarser)
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
    cascade = fresh(
        lambda: Cascade(joint.shape[1], masks, classes, joint.shape[-1], params), run.seed
    )
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


def level_note(index: int, levels: int) -> str:
    """The name of a level of a cascade in its progress, the coarsest first."""
    return f"level {index + 1} of {levels}"


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
    seed = derive_seed("level", run.seed, index)

    def loss(step: int) -> Tensor:
        rng = randomness(seed, step)
        asked = torch.rand(batch, generator=rng) < ASKED
        rows = torch.where(
            asked,
            torch.multinomial(run.pairs.weight, batch, replacement=True, generator=rng),
            torch.randint(len(own), (batch,), generator=rng),
        )
        x, inside = crops(cells[finer][to_device(rows, run.device)], how, rng)
        shown = (1 + torch.multinomial(shows[rows], 1, generator=rng)[:, 0]) * asked
        sigma = (LEVEL_MEAN + LEVEL_SPREAD * torch.randn(batch, generator=rng)).exp()
        blur = BLUR * torch.rand(batch, generator=rng) * (index > 0)
        sigmas, counted = sigma[:, None], weights.expand(batch, -1)
        if masks:
            sigmas, counted = _modes(sigma, weights, masks, rng)
        shown, sigmas, blur = (to_device(one, run.device) for one in (shown, sigmas, blur))
        coarser = None
        if index:
            coarser = avg_pool2d(x, TOKEN)
            coarser = _blurred(level, coarser, blur, normal(coarser.shape, rng, run.device))
        aim = level.inward(x, coarser)
        noise = normal(aim.shape, rng, run.device)
        return level.loss(aim, sigmas, noise, shown, coarser, blur, counted, inside)

    return train(
        level,
        loss,
        steps=steps_of(params, len(cells) - 1 - index),
        rate=params.rate,
        progress=run.progress,
        note=level_note(index, len(cells)),
        ema=params.network.ema,
        half=bf16_is_faster(run.device),
        fused=True,
        checkpoint=run.file(f"level-{index + 1}"),
    )


def _modes(
    sigma: Tensor, weights: Tensor, masks: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """What each tile of a batch teaches: an image for a mask, a mask for an image, or both.

    Parameters
    ----------
    sigma : (n,) Tensor
        Noise level of what is sampled.
    weights : (C,) Tensor
        Of the channels in the loss; their sum is 1.

    Returns
    -------
    (n, 2) Tensor
        Noise levels of image and mask.
    (n, C) Tensor
        Weights of the channels, 0 where a stream is given; their sum is 1.
    """
    draw = torch.rand(len(sigma), generator=rng)
    given = GIVEN * (GIVEN_MOST / GIVEN) ** torch.rand(len(sigma), generator=rng)
    for_mask = draw < FOR_MASK
    for_image = (draw >= FOR_MASK) & (draw < FOR_MASK + FOR_IMAGE)
    sigmas = torch.stack(
        [torch.where(for_image, given, sigma), torch.where(for_mask, given, sigma)], dim=1
    )
    counted = weights.expand(len(sigma), -1).clone()
    counted[to_device(for_mask, weights.device), -masks:] = 0
    counted[to_device(for_image, weights.device), :-masks] = 0
    return sigmas, counted / counted.sum(dim=1, keepdim=True)


def _blurred(level: LocalDenoiser, coarser: Tensor, blur: Tensor, noise: Tensor) -> Tensor:
    """The level before with noise on it."""
    return coarser + blur[:, None, None, None] * level.known_spread[:, None, None] * noise


def _denoise(
    level: LocalDenoiser, shown: Tensor, coarser: Tensor | None, blur: Tensor, known: Tensor | None
) -> Denoise:
    """A denoiser as the samplers know it: of both streams, or of the image for a known mask."""

    def denoise(x: Tensor, sigma: float) -> Tensor:
        levels = blur.new_full((len(x), level.streams), sigma)
        if known is None:
            out: Tensor = level(x, levels, shown, coarser, blur)
            return out
        levels[:, 1] = GIVEN
        both: Tensor = level(torch.cat([x, known], dim=1), levels, shown, coarser, blur)
        return both[:, : level.images]

    return denoise
