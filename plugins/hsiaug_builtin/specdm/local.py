"""The denoiser of one level of pairs: ConvNeXt blocks with small kernels.

Image and mask have a noise level each (Bao et al., One Transformer Fits All Distributions in
Multi-Modal Diffusion at Scale, ICML 2023, arXiv 2303.06555). So one network has p(image, mask),
where both have the same level, p(image | mask), where that of the mask is small, and
p(mask | image).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, pixel_shuffle, pixel_unshuffle, silu

from hsiaug_builtin.nets.blocks import zero_weights

KERNEL = 5
"""Side of the depthwise convolutions, in tokens."""
TOKEN = 2
"""Side of what is one token of a finer level, in pixels of it: one pixel of the level before."""
EXPANSION = 2
RATES = 32
"""Frequencies of the features of a noise level."""
KNOWN_SCALE = 20.0
"""Factor of the noise on the coarser level in its features: it is at most about a tenth."""


class Block(nn.Module):
    """A ConvNeXt block (Liu et al., CVPR 2022) with adaLN-Zero (Peebles and Xie, ICCV 2023)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = zero_weights(nn.Linear(width, 3 * width))
        self.widen = nn.Linear(width, EXPANSION * width)
        self.narrow = nn.Linear(EXPANSION * width, width)

    def forward(self, x: Tensor, drive: Tensor) -> Tensor:
        shift, scale, gate = self.modulation(drive)[:, None, None].chunk(3, dim=3)  # (n, 1, 1, D)
        h = self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)  # (n, h, w, D)
        h = torch.addcmul(shift, self.norm(h), 1 + scale)
        return torch.addcmul(x, 1 + gate, self.narrow(gelu(self.widen(h))))


class LocalDenoiser(nn.Module):
    """Clean latents of a level from noised ones, preconditioned as by Karras et al. (2022).

    Of the coarsest level these are the latents less their mean; of a finer one what is left of them
    when the level before, enlarged, is taken away. Both in units of their own deviation, channel by
    channel, so that the noise is the same beside every channel.

    Parameters
    ----------
    channels : int
        Of the joint latents.
    masks : int
        The last ones of these, which have a noise level of their own; 0 where image and mask
        share their latents.
    classes : int
        That a pair may be asked to show.
    width, depth : int
        Features of a token, and blocks.
    finer : bool
        Whether a coarser level is known.

    Attributes
    ----------
    mean, spread : (C,) float32 Tensor
        Of the latents, or of the rest.
    known_mean, known_spread : (C,) float32 Tensor
        Of the level before.
    """

    mean: Tensor
    spread: Tensor
    known_mean: Tensor
    known_spread: Tensor

    def __init__(
        self, channels: int, masks: int, classes: int, width: int, depth: int, *, finer: bool
    ) -> None:
        super().__init__()
        self.finer = finer
        self.images = channels - masks
        self.streams = 2 if masks else 1
        for name, value in (("mean", 0.0), ("spread", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))
            self.register_buffer(f"known_{name}", torch.full((channels,), value))
        values = channels * (TOKEN**2 if finer else 1)
        self.enter = nn.Linear(values + channels * finer, width)
        features = 2 * RATES * (self.streams + 1)
        self.level = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))
        self.shown = nn.Embedding(classes + 1, width)
        nn.init.normal_(self.shown.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = zero_weights(nn.Linear(width, values))

    def fit_input(self, cells: Tensor, coarser: Tensor | None) -> None:
        """Take means and deviations of training cells (n, C, G, G), and of the level before."""
        rest = cells
        if coarser is not None:
            rest = cells - enlarged(coarser)
            self.known_mean.copy_(_flat(coarser).mean(dim=1))
            self.known_spread.copy_(_flat(coarser).std(dim=1).clamp(min=1e-3))
        else:
            self.mean.copy_(_flat(cells).mean(dim=1))
        self.spread.copy_(_flat(rest).std(dim=1).clamp(min=1e-3))

    def inward(self, cells: Tensor, coarser: Tensor | None) -> Tensor:
        """Latents of this level (n, C, G, G) as they are denoised."""
        base = self.mean[:, None, None] if coarser is None else enlarged(coarser)
        return (cells - base) / self.spread[:, None, None]

    def outward(self, x: Tensor, coarser: Tensor | None) -> Tensor:
        """The inverse of :meth:`inward`."""
        base = self.mean[:, None, None] if coarser is None else enlarged(coarser)
        return base + x * self.spread[:, None, None]

    def forward(
        self, x: Tensor, sigma: Tensor, shown: Tensor, coarser: Tensor | None, blur: Tensor
    ) -> Tensor:
        """Clean x.

        Parameters
        ----------
        x : Tensor (n, C, G, G)
            With noise.
        sigma : Tensor (n, S)
            Its deviation in the image and in the mask, or in both where they share latents (S = 1).
        shown : Tensor (n,) of int64
            1 + a class that the pair shows, or 0 where it may show any.
        coarser : Tensor (n, C, G/2, G/2) or None
            The level before.
        blur : Tensor (n,)
            Deviation of the noise on it, in units of its spread.
        """
        level = self._by_channel(sigma, x)
        variance = level.square() + 1
        out = self._network(x * variance.rsqrt(), sigma, shown, coarser, blur)
        return x / variance + level * variance.rsqrt() * out

    def loss(
        self,
        x: Tensor,
        sigma: Tensor,
        noise: Tensor,
        shown: Tensor,
        coarser: Tensor | None,
        blur: Tensor,
        weights: Tensor,
        inside: Tensor,
    ) -> Tensor:
        """Squared error of what the network gives, of unit variance at every noise level; channels
        are weighted by (n, C) numbers, and places count where ``inside`` (n, 1, G, G) is 1.
        """
        level = self._by_channel(sigma, x)
        variance = level.square() + 1
        noised = x + level * noise
        out = self._network(noised * variance.rsqrt(), sigma, shown, coarser, blur)
        aim = (x - noised / variance) * variance.sqrt() / level
        error = ((out - aim).square() * inside).mean(dim=(2, 3))
        return (error * weights).sum(dim=1).mean() / inside.mean()

    def _by_channel(self, sigma: Tensor, x: Tensor) -> Tensor:
        """Noise levels (n, S) as (n, C, 1, 1)."""
        sizes = [self.images, x.shape[1] - self.images][: self.streams]
        parts = [sigma[:, [i]].expand(-1, size) for i, size in enumerate(sizes)]
        return torch.cat(parts, dim=1)[:, :, None, None]

    def _network(
        self, x: Tensor, sigma: Tensor, shown: Tensor, coarser: Tensor | None, blur: Tensor
    ) -> Tensor:
        h = pixel_unshuffle(x, TOKEN) if self.finer else x
        if coarser is not None:
            known = (coarser - self.known_mean[:, None, None]) / self.known_spread[:, None, None]
            h = torch.cat([h, known], dim=1)
        levels = [_features(one.log() / 4) for one in sigma.unbind(dim=1)]
        drive = silu(
            self.level(torch.cat([*levels, _features(KNOWN_SCALE / 4 * blur)], dim=1))
            + self.shown(shown)
        )
        h = self.enter(h.permute(0, 2, 3, 1))
        for block in self.blocks:
            h = block(h, drive)
        out: Tensor = self.leave(self.norm(h)).permute(0, 3, 1, 2)
        return pixel_shuffle(out, TOKEN) if self.finer else out


def enlarged(cells: Tensor) -> Tensor:
    """(n, C, G, G) → (n, C, 2G, 2G)."""
    return interpolate(cells, scale_factor=TOKEN, mode="bilinear", align_corners=False)


def _flat(cells: Tensor) -> Tensor:
    """(n, C, G, G) → (C, n·G·G)."""
    return cells.transpose(0, 1).flatten(1)


def _features(value: Tensor) -> Tensor:
    """Cosines and sines: (n,) → (n, 64)."""
    steps = torch.arange(RATES, device=value.device) / (RATES - 1)
    angle = value[:, None] * 8 * torch.exp(-math.log(100.0) * steps)
    return torch.cat([angle.cos(), angle.sin()], dim=1)
