"""The denoiser: ConvNeXt blocks over the pixels of a patch, conditioned on noise level, code and
text.

A pixel is a token, so that edges and the shapes of fields can be learnt, and so that a map of the
cross-attention to words has a value of its own for each pixel, as the paper shows. The text acts
twice: pooled, beside noise level and code (adaLN-Zero, Peebles and Xie, ICCV 2023), and word by
word by visual-linguistic cross-attention.

A latent diffusion model with such an attention is what is known of the paper. Layers and sizes are
this project's choice, and so is the preconditioning: the network adds to the Wiener filter of the
patch's Gaussian (`Gaussians`), where Karras et al. (2022, section 5) have that of one Gaussian with
the same variance everywhere. So an untrained network gives samples with the second-order layout of
real patches, and training is spent on what a Gaussian lacks: edges.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention, silu

from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.txt2hsi.codebook import Conditioning, Gaussians
from hsiaug_builtin.txt2hsi.frequencies import cosines, to_frequencies, to_pixels
from hsiaug_builtin.txt2hsi.texts import Texts

HEADS = 4
"""Heads of the cross-attention."""
HEAD_WIDTH = 8
"""Features of a pixel in each head."""
TEXT_GAIN = 10.0
"""Factor of what the text adds, which starts at 0: it learns as much faster than the rest."""
KERNEL = 5
"""Side of the depthwise convolutions, in pixels."""
LEVEL_FEATURES = 64


class Words(nn.Module):
    """Where texts enter: pooled for every block, and word by word for every pixel.

    Parameters
    ----------
    text : int
        Features of a word.
    width : int
        Features of a pixel.
    """

    def __init__(self, text: int, width: int) -> None:
        super().__init__()
        inner = HEADS * HEAD_WIDTH
        self.pooled = zero_weights(nn.Linear(text, width))
        self.key_value = nn.Linear(text, 2 * inner)
        self.query = nn.Linear(width, inner)
        self.out_proj = zero_weights(nn.Linear(inner, width))

    def attend(
        self, x: Tensor, tokens: Tensor, mask: Tensor, rows: Tensor, shares: bool
    ) -> tuple[Tensor, Tensor | None]:
        """What pixels read in the words of their prompts, and where they looked.

        Parameters
        ----------
        x : Tensor (n, N, D)
            Pixels.
        tokens : Tensor (P, L, E)
            Words of all prompts.
        mask : Tensor (P, L) of bool
            True at words.
        rows : Tensor (n,) of int64
            The prompt of each patch.
        shares : bool
            Whether the attention is wanted too.

        Returns
        -------
        Tensor (n, N, D)
            To be added to the pixels.
        Tensor (n, heads, N, L) or None
            Attention of each pixel; over the words it sums to 1.
        """
        n, count, _ = x.shape
        query = self.query(x).reshape(n, count, HEADS, HEAD_WIDTH).transpose(1, 2)
        key_value = self.key_value(tokens)[rows].reshape(n, -1, 2, HEADS, HEAD_WIDTH)
        key, value = key_value.permute(2, 0, 3, 1, 4)
        # A sum is faster than a mask, and one product than the shares by themselves.
        hidden = torch.zeros(mask.shape, dtype=x.dtype, device=x.device)
        hidden = hidden.masked_fill(~mask, -torch.inf)[rows][:, None, None]
        attended = scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        share = None
        if shares:
            share = (query @ key.transpose(2, 3) / math.sqrt(HEAD_WIDTH) + hidden).softmax(dim=3)
        return TEXT_GAIN * self.out_proj(attended.transpose(1, 2).reshape(n, count, -1)), share


class TransformerBlock(nn.Module):
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
    gaussians : Gaussians
        Of codes, and of classes where texts are read.
    weight : Tensor (d,)
        What an error counts in each channel.
    width, depth : int
        Features of a pixel, and blocks.
    text : int
        Features of a word; 0 = it reads no text.
    """

    weight: Tensor
    basis: Tensor

    def __init__(
        self, gaussians: Gaussians, weight: Tensor, width: int, depth: int, text: int = 0
    ) -> None:
        super().__init__()
        codes, side, _, channels = gaussians.mean.shape
        self.gaussians = gaussians
        self.register_buffer("weight", weight)
        self.register_buffer("basis", cosines(side), persistent=False)
        # The whitened coefficients, and the estimate that the Wiener filter gives.
        self.in_proj = nn.Linear(2 * channels, width)
        self.place = nn.Parameter(0.02 * torch.randn(side, side, width))
        self.level = nn.Sequential(
            nn.Linear(LEVEL_FEATURES, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.code = nn.Embedding(codes, width)
        nn.init.normal_(self.code.weight, std=0.02)
        self.blocks = nn.ModuleList(TransformerBlock(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.out_proj = zero_weights(nn.Linear(width, channels))
        self.words = Words(text, width) if text else None

    def forward(
        self,
        x: Tensor,
        sigma: Tensor,
        condition: Conditioning,
        texts: Texts | None = None,
        *,
        shares: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Denoise coefficients.

        Parameters
        ----------
        x : Tensor (n, p, p, d)
            Coefficients with noise.
        sigma : Tensor (n,)
            Deviation of the noise of each patch.
        condition : Conditioning
            Codes, prompts and classes of the patches.
        texts : Texts, optional
            All prompts.
        shares : bool
            Whether the attention is wanted too.

        Returns
        -------
        Tensor (n, p, p, d)
            Clean coefficients.
        Tensor (n, heads, p·p, L) or None
            Attention of the pixels to the words.
        """
        estimate, scale, whitened = self._filter(x, sigma, condition)
        out, share = self._network(whitened, estimate, sigma, condition, texts, shares)
        return torch.addcmul(estimate, scale, to_frequencies(out.float(), self.basis)), share

    def loss(
        self,
        x: Tensor,
        sigma: Tensor,
        condition: Conditioning,
        noise: Tensor,
        texts: Texts | None = None,
    ) -> Tensor:
        """Mean weighted squared error of the clean coefficients of x (n, p, p, d).

        A coefficient counts as in Karras et al. (2022, table 1): by its variance where the noise is
        large, so that layout counts most, and all alike where the noise is small.
        """
        estimate, scale, whitened = self._filter(
            x + sigma[:, None, None, None] * noise, sigma, condition
        )
        out, _ = self._network(whitened, estimate, sigma, condition, texts)
        error = to_frequencies(out.float(), self.basis) - (x - estimate) / scale
        variance = self.gaussians.variance[self.gaussians.no_code]
        level = sigma.square()[:, None, None, None]
        counts = self.weight * variance * (level + 1) / (level + variance)
        return torch.as_tensor((error.square() * counts).mean())

    def _filter(
        self, x: Tensor, sigma: Tensor, condition: Conditioning
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The Wiener estimate, the scale of what the network adds to it, and the whitened x."""
        mean, variance = self.gaussians.moments(condition)
        sigma = sigma[:, None, None, None]
        total = variance + sigma.square()
        residual = x - mean
        estimate = torch.addcmul(mean, variance / total, residual)
        return estimate, sigma * (variance / total).sqrt(), residual * total.rsqrt()

    def _network(
        self,
        whitened: Tensor,
        estimate: Tensor,
        sigma: Tensor,
        condition: Conditioning,
        texts: Texts | None,
        shares: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """What the network adds, in pixels (n, p, p, d), and its attention where that is wanted."""
        has_text = (condition.rows >= 0)[:, None].to(whitened.dtype)
        vector = self.level(level_features(sigma)) + self.code(condition.code)
        if self.words is not None and texts is not None:
            vector = vector + TEXT_GAIN * self.words.pooled(texts.pooled)[condition.rows] * has_text
        drive = silu(vector)
        inputs = [to_pixels(latents, self.basis) for latents in (whitened, estimate)]
        x = self.in_proj(torch.cat(inputs, dim=3))
        # Of one type, so that what is added up block by block is as short as its terms.
        x = x + self.place.to(x.dtype)
        share = None
        for index, block in enumerate(self.blocks):
            x = block(x, drive)
            if self.words is not None and texts is not None and index == len(self.blocks) // 2:
                attended, share = self.words.attend(
                    x.flatten(1, 2), texts.tokens, texts.mask, condition.rows, shares
                )
                x = x + (attended * has_text[:, None]).reshape(x.shape)
        return self.out_proj(self.norm(x)), share


def level_features(sigma: Tensor) -> Tensor:
    """Cosines and sines of the logarithm of noise levels: (n,) → (n, 64)."""
    half = LEVEL_FEATURES // 2
    rates = 8 * torch.exp(-math.log(100.0) * torch.arange(half, device=sigma.device) / (half - 1))
    angle = (sigma.log() / 4)[:, None] * rates
    return torch.cat([angle.cos(), angle.sin()], dim=1)
