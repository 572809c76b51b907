"""The denoiser: ConvNeXt blocks over the pixels of a patch, conditioned on noise level and text.

A pixel is a token, so that edges and the shapes of fields can be learnt, and so that a map of the
cross-attention to words has a value of its own for each pixel, as the paper shows. A text is a few
*mentions*, each a noun and a relation: "woods", "to the north". The mention of the centre drives
all blocks (adaLN-Zero, Peebles and Xie, ICCV 2023); each pixel reads all mentions by
visual-linguistic cross-attention, which learns from known layouts which pixels a noun is of.

A latent diffusion model with such an attention is what is known of the paper. Layers and sizes are
this project's choice, and so is the preconditioning: the network adds to the Wiener filter of the
Gaussian of all patches of the scene, where Karras et al. (2022, section 5) have that of one
Gaussian with the same variance everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import gelu, silu

from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.nets.seeded import to_device
from hsiaug_builtin.text.layout import RELATIONS
from hsiaug_builtin.txt2hsi.frequencies import cosines, to_frequencies, to_pixels

HEADS = 2
"""Heads of the cross-attention."""
HEAD_WIDTH = 16
"""Features of a pixel in each head."""
NOUN = 96
"""Features of a noun, and of a relation."""
KERNEL = 5
"""Side of the depthwise convolutions, in pixels."""
LEVEL_FEATURES = 64
RELATION_SPREAD = 0.6
"""Deviation of the vectors of relations before training."""
ATTENTION_WEIGHT = 0.4
"""What the loss of attention counts beside that of denoising."""


@dataclass(frozen=True, eq=False)
class Said:
    """What is said of n patches, in up to M mentions; no text where there is none.

    Attributes
    ----------
    noun : (n, M) int64 Tensor
        Row of the table of nouns; the first mention is of the centre. -1 = no mention.
    relation : (n, M) int64 Tensor
        Row of the table of relations, in the order of RELATIONS.
    clipped : (n,) float32 Tensor
        1 where a polygon of another patch was set in (RPSC).
    """

    noun: Tensor
    relation: Tensor
    clipped: Tensor

    def take(self, some: slice) -> Said:
        """What is said of some of the patches."""
        return Said(self.noun[some], self.relation[some], self.clipped[some])

    def silent(self) -> Said:
        """The same patches without a text."""
        return replace(self, noun=torch.full_like(self.noun, -1))

    def to(self, device: str) -> Said:
        """The same on another device."""
        return Said(self.noun.to(device), self.relation.to(device), self.clipped.to(device))


class Attention(nn.Module):
    """Cross-attention of pixels to mentions, and to a place that says nothing.

    Parameters
    ----------
    width : int
        Features of a pixel.
    pixels : int
        Of a patch.
    """

    def __init__(self, width: int, pixels: int) -> None:
        super().__init__()
        inner = HEADS * HEAD_WIDTH
        # Where a mention is expected before anything is to be seen: in much noise it is all there
        # is.
        self.expected = zero_weights(nn.Linear(NOUN, pixels))
        self.nothing = nn.Parameter(0.02 * torch.randn(NOUN))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.query = nn.Linear(width, inner)
        self.key_value = nn.Linear(NOUN, 2 * inner)
        self.out_proj = zero_weights(nn.Linear(inner, width))

    def forward(self, x: Tensor, mentions: Tensor, absent: Tensor) -> tuple[Tensor, Tensor]:
        """What pixels read, and where they looked.

        Parameters
        ----------
        x : Tensor (n, N, D)
            Pixels.
        mentions : Tensor (n, M, NOUN)
            Mentions.
        absent : Tensor (n, M) of bool
            True where there is no mention.

        Returns
        -------
        Tensor (n, N, D)
            To be added to the pixels.
        Tensor (n, heads, N, M + 1)
            Logarithms of the attention; the last column is that of the place that says nothing.
        """
        n, count, _ = x.shape
        nothing = self.nothing.to(mentions.dtype).expand(n, 1, -1)
        tokens = torch.cat([mentions, nothing], dim=1)
        query = self.query(self.norm(x)).reshape(n, count, HEADS, HEAD_WIDTH).transpose(1, 2)
        key_value = self.key_value(tokens).reshape(n, -1, 2, HEADS, HEAD_WIDTH)
        key, value = key_value.permute(2, 0, 3, 1, 4)
        expected = self.expected(tokens).transpose(1, 2)[:, None]
        scores = query @ key.transpose(2, 3) / math.sqrt(HEAD_WIDTH) + expected
        hidden = torch.cat([absent, absent.new_zeros(n, 1)], dim=1)[:, None, None]
        shares = scores.masked_fill(hidden, -1e4).float().log_softmax(dim=3)
        read = shares.exp().to(value.dtype) @ value
        return self.out_proj(read.transpose(1, 2).reshape(n, count, -1)), shares


class Examples(nn.Module):
    """The vector of a noun from pixels that it names: the mean of their features (Deep Sets, Zaheer
    et al., NeurIPS 2017).

    Parameters
    ----------
    features : int
        Of a pixel, see :func:`hsiaug_builtin.txt2hsi.groups.pixel_features`.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.each = nn.Sequential(
            nn.Linear(features, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU()
        )
        self.all = nn.Linear(128, NOUN)

    def forward(self, features: Tensor, group: Tensor, groups: int) -> Tensor:
        """(G, NOUN) vectors of ``groups`` nouns.

        Parameters
        ----------
        features : Tensor (m, F)
            Of pixels.
        group : Tensor (m,) of int64
            The noun of each.
        """
        each = self.each(features)
        total = each.new_zeros(groups, each.shape[1]).index_add(0, group, each)
        count = torch.bincount(group, minlength=groups).clamp(min=1)[:, None]
        return torch.as_tensor(self.all(total / count))

    def of_pixels(
        self,
        features: Tensor,
        pixels: NDArray[np.integer],
        group: NDArray[np.integer],
        groups: int,
    ) -> Tensor:
        """(G, NOUN) vectors of ``groups`` nouns of a scene.

        Parameters
        ----------
        features : Tensor (H, W, F)
            Of all its pixels.
        pixels : array (m, 2)
            The examples.
        group : array (m,)
            The noun of each.
        """
        rows = to_device(torch.from_numpy(group.astype(np.int64)), str(features.device))
        return torch.as_tensor(self(features[tuple(pixels.T.astype(np.int64))], rows, groups))


class ConvBlock(nn.Module):
    """A ConvNeXt block (Liu et al., CVPR 2022) with adaLN-Zero, driven by one vector a patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = zero_weights(nn.Linear(width, 3 * width))
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, drive: Tensor) -> Tensor:
        shift, scale, gate = self.modulation(drive)[:, None, None].chunk(3, dim=3)  # (n, 1, 1, D)
        h = self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)  # (n, p, p, D)
        h = torch.addcmul(shift, self.norm(h), 1 + scale)
        # The approximation of GELU by tanh takes four times as long on a CPU.
        return torch.addcmul(x, 1 + gate, self.narrow(gelu(self.widen(h))))


class Denoiser(nn.Module):
    """Clean cosine coefficients of patches from noised ones.

    Parameters
    ----------
    mean, variance : Tensor (p, p, d)
        Of the coefficients of all patches of the scene.
    weight : Tensor (d,)
        What an error counts in each channel.
    width, depth : int
        Features of a pixel, and blocks.
    features : int
        Of an example of a noun.
    text : int
        Features of an embedded phrase.

    Attributes
    ----------
    noun : Linear
        From the embedded phrase of a class to its noun: replaced by what is learnt in a split.
    """

    mean: Tensor
    variance: Tensor
    weight: Tensor
    basis: Tensor

    def __init__(
        self,
        mean: Tensor,
        variance: Tensor,
        weight: Tensor,
        *,
        width: int,
        depth: int,
        features: int,
        text: int,
    ) -> None:
        super().__init__()
        side, _, channels = mean.shape
        self.register_buffer("mean", mean)
        self.register_buffer("variance", variance)
        self.register_buffer("weight", weight)
        self.register_buffer("basis", cosines(side), persistent=False)
        # The whitened coefficients, and the estimate that the Wiener filter gives.
        self.in_proj = nn.Linear(2 * channels, width)
        self.place = nn.Parameter(0.02 * torch.randn(side, side, width))
        self.level = nn.Sequential(
            nn.Linear(LEVEL_FEATURES, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.examples = Examples(features)
        self.relation = nn.Parameter(RELATION_SPREAD * torch.randn(len(RELATIONS), NOUN))
        self.noun = nn.Linear(text, NOUN)
        self.mention = nn.Sequential(
            nn.Linear(2 * NOUN, 2 * NOUN), nn.SiLU(), nn.Linear(2 * NOUN, NOUN)
        )
        self.centre = nn.Linear(NOUN, width)
        self.clipped = nn.Parameter(torch.zeros(width))
        self.silence = nn.Parameter(torch.zeros(width))
        self.blocks = nn.ModuleList(ConvBlock(width) for _ in range(depth))
        self.reading = sorted({0, depth // 2})
        self.attend = nn.ModuleList(Attention(width, side * side) for _ in self.reading)
        self.norm = nn.LayerNorm(width)
        self.out_proj = zero_weights(nn.Linear(width, channels))

    def forward(self, x: Tensor, sigma: Tensor, said: Said, nouns: Tensor) -> tuple[Tensor, Tensor]:
        """Denoise coefficients.

        Parameters
        ----------
        x : Tensor (n, p, p, d)
            Coefficients with noise.
        sigma : Tensor (n,)
            Deviation of the noise of each patch.
        said : Said
            What is said of them.
        nouns : Tensor (G, NOUN)
            The table of nouns.

        Returns
        -------
        Tensor (n, p, p, d)
            Clean coefficients.
        Tensor (n, p·p, M + 1)
            Logarithms of the attention of the pixels to the mentions and to nothing, mean over
            heads, of the last attention.
        """
        estimate, scale, whitened = self._filter(x, sigma)
        out, shares = self._network(whitened, estimate, sigma, said, nouns)
        clean = torch.addcmul(estimate, scale, to_frequencies(out.float(), self.basis))
        return clean, shares[-1].exp().mean(dim=1).log()

    def loss(
        self,
        x: Tensor,
        sigma: Tensor,
        said: Said,
        noise: Tensor,
        nouns: Tensor,
        own: Tensor,
    ) -> Tensor:
        """Mean weighted squared error of clean coefficients of x (n, p, p, d), and of attention.

        A coefficient counts as in Karras et al. (2022, table 1): by its variance where the noise is
        large, so that layout counts most, and all alike where the noise is small. Attention is
        asked for where the layout is known: a pixel shall look at a mention of its own noun, and at
        nothing where nothing is said of it.

        Parameters
        ----------
        own : Tensor (n, p·p, M + 1) of bool
            Where each pixel may look; nowhere = not known.
        """
        estimate, scale, whitened = self._filter(x + sigma[:, None, None, None] * noise, sigma)
        out, shares = self._network(whitened, estimate, sigma, said, nouns)
        error = to_frequencies(out.float(), self.basis) - (x - estimate) / scale
        level = sigma.square()[:, None, None, None]
        counts = self.weight * self.variance * (level + 1) / (level + self.variance)
        denoising = (error.square() * counts).mean()
        known = own.any(dim=2)
        looked = torch.zeros_like(denoising)
        for share in shares:
            right = (share.exp().mean(dim=1) * own).sum(dim=2).clamp(min=1e-6).log()
            looked = looked - (right * known).sum() / known.sum().clamp(min=1)
        return denoising + ATTENTION_WEIGHT * looked / len(shares)

    def _filter(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The Wiener estimate, the scale of what the network adds to it, and the whitened x."""
        sigma = sigma[:, None, None, None]
        total = self.variance + sigma.square()
        residual = x - self.mean
        estimate = torch.addcmul(self.mean, self.variance / total, residual)
        return estimate, sigma * (self.variance / total).sqrt(), residual * total.rsqrt()

    def _network(
        self,
        whitened: Tensor,
        estimate: Tensor,
        sigma: Tensor,
        said: Said,
        nouns: Tensor,
    ) -> tuple[Tensor, list[Tensor]]:
        """What the network adds, in pixels (n, p, p, d), and its attentions."""
        absent = said.noun < 0
        noun = nouns[said.noun.clamp(min=0)]
        mentions = self.mention(torch.cat([noun, self.relation[said.relation]], dim=2))
        has_text = ~absent[:, :1]
        vector = self.level(level_features(sigma)) + said.clipped[:, None] * self.clipped
        vector = vector + torch.where(has_text, self.centre(noun[:, 0]), self.silence)
        drive = silu(vector)
        inputs = [to_pixels(latents, self.basis) for latents in (whitened, estimate)]
        x = self.in_proj(torch.cat(inputs, dim=3))
        # Of one type, so that what is added up block by block is as short as its terms.
        x = x + self.place.to(x.dtype)
        shares = []
        for index, block in enumerate(self.blocks):
            if index in self.reading:
                attend = self.attend[self.reading.index(index)]
                read, share = attend(x.flatten(1, 2), mentions, absent)
                x = x + read.reshape(x.shape)
                shares.append(share)
            x = block(x, drive)
        return self.out_proj(self.norm(x)), shares


def level_features(sigma: Tensor) -> Tensor:
    """Cosines and sines of the logarithm of noise levels: (n,) → (n, 64)."""
    half = LEVEL_FEATURES // 2
    rates = 8 * torch.exp(-math.log(100.0) * torch.arange(half, device=sigma.device) / (half - 1))
    angle = (sigma.log() / 4)[:, None] * rates
    return torch.cat([angle.cos(), angle.sin()], dim=1)
