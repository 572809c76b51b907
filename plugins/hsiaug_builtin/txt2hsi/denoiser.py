"""The denoiser: a Transformer over tokens of 3×3 latent pixels, told the noise level, a code and a text.

The text acts twice: pooled, beside noise level and code (adaLN-Zero, Peebles and Xie, ICCV 2023), and word by word by
visual–linguistic cross-attention with a query for every pixel of a token. Nothing ties a query to the place of a pixel,
so that its maps, which the paper shows by the pixel, are as fine as tokens here. A Transformer-based latent diffusion
model with such an attention is what is known of the paper; layers and sizes are this project's choice, as is the
preconditioning: the network adds to the Wiener filter of a Gaussian with the moments of the patch's code, where Karras
et al. (2022, section 5) have that of a Gaussian with the moments of all data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention, silu

from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.txt2hsi.codebook import Moments
from hsiaug_builtin.txt2hsi.texts import Texts
from hsiaug_builtin.txt2hsi.tokens import Tokens, orbits

PIXEL_HEADS, PIXEL_WIDTH = 4, 8
"""Heads of the cross-attention, and features of a pixel in each."""
STEPS = 10.0
"""Steps that what starts at 0 is multiplied by, so that it learns as much faster than the rest."""
LOSS_POWER = 0.7
"""Power of a coefficient's variance that its error is weighted by."""


@dataclass(frozen=True, eq=False)
class Condition:
    """What the denoiser is told of n patches. code: (n,) row of the moments, the last one = none.

    rows: (n,) prompt of each, −1 = no text. label: (n,) class id, 0 where there is no text.
    """

    code: Tensor
    rows: Tensor
    label: Tensor

    def without_text(self) -> Condition:
        """The same codes alone."""
        return replace(self, rows=torch.full_like(self.rows, -1), label=torch.zeros_like(self.label))


class Words(nn.Module):
    """How texts enter: pooled into the vector that drives every block, and word by word into every pixel."""

    def __init__(self, text: int, width: int, pixels: int) -> None:
        super().__init__()
        inner = PIXEL_HEADS * PIXEL_WIDTH
        self.pixels = pixels
        self.pooled = zero_weights(nn.Linear(text, width))
        self.key_value = nn.Linear(text, 2 * inner)
        self.query = nn.Linear(width, pixels * inner)
        self.leave = zero_weights(nn.Linear(pixels * inner, width))

    def attend(
        self, x: Tensor, tokens: Tensor, mask: Tensor, rows: Tensor, shares: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Tokens x (n, N, D) after their pixels looked at the words of prompts ``rows`` (n,); and where they looked.

        tokens: (P, L, E) of all prompts; mask: (P, L). Returns (n, N, D) and, where they are asked for, the shares
        (n, heads, N·pixels, L).
        """
        n, count, _ = x.shape
        query = self.query(x).reshape(n, count * self.pixels, PIXEL_HEADS, PIXEL_WIDTH).transpose(1, 2)
        key, value = self.key_value(tokens)[rows].reshape(n, -1, 2, PIXEL_HEADS, PIXEL_WIDTH).permute(2, 0, 3, 1, 4)
        # A sum is faster than a mask, and one product than the shares by themselves.
        hidden = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).masked_fill(~mask, -torch.inf)[rows]
        seen = scaled_dot_product_attention(query, key, value, attn_mask=hidden[:, None, None])
        share = None
        if shares:
            share = (query @ key.transpose(2, 3) / math.sqrt(PIXEL_WIDTH) + hidden[:, None, None]).softmax(dim=3)
        return STEPS * self.leave(seen.transpose(1, 2).reshape(n, count, -1)), share


class Denoiser(nn.Module):
    """tokens: between latents and tokens. moments: by what it is told. text: features of a word, 0 = it takes no text."""

    kinds: Tensor
    mean: Tensor
    variance: Tensor
    index: Tensor
    worth: Tensor

    def __init__(self, tokens: Tokens, moments: Moments, width: int, depth: int, heads: int, text: int = 0) -> None:
        super().__init__()
        count = tokens.size
        self.register_buffer("kinds", orbits(tokens.grid), persistent=False)
        for name in ("mean", "variance", "index"):
            self.register_buffer(name, getattr(moments, name))
        weight = moments.variance[moments.no_code, 0] ** LOSS_POWER
        self.register_buffer("worth", weight / weight.mean(), persistent=False)
        self.enter = nn.Linear(count, width)
        self.place = nn.Parameter(0.02 * torch.randn(tokens.grid**2, width))
        self.level = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.code = nn.Embedding(moments.no_code + 1, width)
        nn.init.normal_(self.code.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.last = zero_weights(nn.Linear(width, 2 * width))
        self.leave = zero_weights(nn.Linear(width, count))
        self.words = Words(text, width, tokens.side**2) if text else None

    def forward(
        self, x: Tensor, sigma: Tensor, told: Condition, texts: Texts | None = None, *, shares: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Clean tokens of x (n, N, k), which hold noise of deviations sigma (n,); and the shares of attention, where they
        are asked for."""
        mean, variance = self._moments(told)
        sigma = sigma[:, None, None]
        total, kinds = variance + sigma**2, self.kinds
        mean = mean[:, kinds]
        apart = x - mean
        out, share = self._network(apart * total.rsqrt()[:, kinds], sigma, told, texts, shares)
        clean = torch.addcmul(mean, (variance / total)[:, kinds], apart)
        return clean.addcmul((sigma * (variance / total).sqrt())[:, kinds], out), share

    def begin(self, noise: Tensor, sigma: float, told: Condition) -> Tensor:
        """Tokens at noise level ``sigma`` by the Gaussians of class and code, from standard noise (n, N, k)."""
        mean, variance = (moment[:, self.kinds] for moment in self._moments(told))
        return mean + (variance + sigma**2).sqrt() * noise

    def loss(self, x: Tensor, sigma: Tensor, told: Condition, noise: Tensor, texts: Texts | None = None) -> Tensor:
        """Mean weighted squared error of what the network adds, whose target has variance 1 or less."""
        mean, variance = self._moments(told)
        sigma = sigma[:, None, None]
        total, kinds = variance + sigma**2, self.kinds
        apart = x - mean[:, kinds]
        noised = apart + sigma * noise
        target = (apart - (variance / total)[:, kinds] * noised) / (sigma * (variance / total).sqrt())[:, kinds]
        out, _ = self._network(noised * total.rsqrt()[:, kinds], sigma, told, texts)
        return torch.as_tensor(((out.float() - target).square() * self.worth).mean())

    def _moments(self, told: Condition) -> tuple[Tensor, Tensor]:
        """(n, kinds of tokens, k) means and variances."""
        row = self.index[told.label, told.code]
        return self.mean[row], self.variance[row]

    def _network(
        self, x: Tensor, sigma: Tensor, told: Condition, texts: Texts | None, shares: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        vector = self.level(waves(sigma[:, 0, 0])) + self.code(told.code)
        share, spoken = None, (told.rows >= 0)[:, None].to(x.dtype)
        if self.words is not None and texts is not None:
            vector = vector + STEPS * self.words.pooled(texts.pooled)[told.rows] * spoken
        drive = silu(vector)
        x = self.enter(x)
        # Of one type, so that what is added up block by block is as short as its parts.
        x = x + self.place.to(x.dtype)
        for index, block in enumerate(self.blocks):
            x = block(x, drive)
            if self.words is not None and texts is not None and index == len(self.blocks) // 2:
                seen, share = self.words.attend(x, texts.tokens, texts.mask, told.rows, shares)
                x = x + seen * spoken[:, None]
        scale, shift = self.last(drive)[:, None].chunk(2, dim=2)
        return self.leave(self.norm(x) * (1 + scale) + shift), share


class Block(nn.Module):
    """adaLN-Zero self-attention, then adaLN-Zero MLP, both driven by one vector a patch."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = zero_weights(nn.Linear(width, 6 * width))
        self.qkv = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, drive: Tensor) -> Tensor:
        n, count, width = x.shape
        change = self.modulation(drive)[:, None].chunk(6, dim=2)
        h = torch.addcmul(change[1], self.norm(x), 1 + change[0])
        q, k, v = self.qkv(h).reshape(n, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, count, width)
        x = torch.addcmul(x, change[2], self.merge(seen))
        h = torch.addcmul(change[4], self.norm(x), 1 + change[3])
        # Its approximation by tanh takes four times as long on a CPU.
        return torch.addcmul(x, change[5], self.narrow(gelu(self.widen(h))))


def waves(sigma: Tensor) -> Tensor:
    """(n,) noise levels → (n, 64) cosines and sines of their logarithms."""
    rates = 8 * torch.exp(-math.log(100.0) * torch.arange(32, device=sigma.device) / 31)
    angle = (sigma.log() / 4)[:, None] * rates
    return torch.cat([angle.cos(), angle.sin()], dim=1)
