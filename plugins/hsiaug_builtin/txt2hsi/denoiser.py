"""The denoiser: a Transformer over pixels with visual–linguistic cross-attention and adaLN time conditioning.

The paper states a Transformer with visual–linguistic cross-attention; depth, width, the prediction target and all else
are this project's choice. adaLN-Zero after Peebles & Xie, "Scalable Diffusion Models with Transformers" (ICCV 2023).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from hsiaug_builtin.diffusion.schedule import sinusoid
from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.txt2hsi.params import Params
from hsiaug_builtin.txt2hsi.texts import Texts

NULL_TOKENS = 4
"""Length of the learnt null text."""


class Denoiser(nn.Module):
    """v(z_t, t, text) for latents z (n, d, p, p) at steps t (n,), each told a row of a table of texts.

    text: (P, L, E) the table; mask: (P, L) bool, True at words; rows: (n,) what each latent is told, P = the learnt null
    text. Words are projected once per text. A token is a square of ``token`` × ``token`` latent pixels; latents are
    padded with 0 to whole tokens.
    """

    def __init__(
        self, channels: int, side: int, text: int, width: int, depth: int, heads: int, token: int
    ) -> None:
        super().__init__()
        self.side, self.token = side, token
        self.enter = nn.Linear(channels * token**2, width)
        self.register_buffer("place", positions(-(-side // token), width), persistent=False)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.word = nn.Linear(text, width)
        self.null = nn.Parameter(0.02 * torch.randn(NULL_TOKENS, text))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.shift = zero_weights(nn.Linear(width, 2 * width))
        self.leave = zero_weights(nn.Linear(width, channels * token**2))

    def forward(self, z: Tensor, t: Tensor, text: Tensor, mask: Tensor, rows: Tensor) -> Tensor:
        x = self.enter(self._tokens(z)) + self.place  # (n, N, D)
        time = self.time(sinusoid(t))  # (n, D)
        blank = nn.functional.pad(self.null, (0, 0, 0, text.shape[1] - NULL_TOKENS))
        words = self.word(torch.cat([text, blank[None]]))  # (P + 1, L, D)
        seen = torch.cat([mask, torch.arange(text.shape[1], device=mask.device)[None] < NULL_TOKENS])[rows]
        for block in self.blocks:
            x = block(x, time, words, seen, rows)
        scale, shift = self.shift(nn.functional.silu(time)).chunk(2, dim=1)
        return self._pixels(self.leave(self.norm(x) * (1 + scale[:, None]) + shift[:, None]))

    def _tokens(self, z: Tensor) -> Tensor:
        """(n, d, p, p) → (n, N, d·q²) of N squares of q × q pixels, row by row."""
        n, channels, p, _ = z.shape
        q, grid = self.token, -(-p // self.token)
        z = nn.functional.pad(z, (0, q * grid - p, 0, q * grid - p))
        return z.reshape(n, channels, grid, q, grid, q).permute(0, 2, 4, 1, 3, 5).reshape(n, grid**2, -1)

    def _pixels(self, x: Tensor) -> Tensor:
        """(n, N, d·q²) → (n, d, p, p), what :meth:`_tokens` took apart."""
        q, grid = self.token, -(-self.side // self.token)
        z = x.reshape(len(x), grid, grid, -1, q, q).permute(0, 3, 1, 4, 2, 5)
        return z.reshape(len(x), -1, q * grid, q * grid)[:, :, : self.side, : self.side]


def denoiser_of(params: Params, side: int, texts: Texts) -> Denoiser:
    """An untrained denoiser of patches side × side under these texts."""
    text, size = texts.tokens.shape[2], params.network
    return Denoiser(params.latent, side, text, size.width, size.depth, size.heads, size.token)


class Block(nn.Module):
    """adaLN-Zero self-attention, then cross-attention to words, then adaLN-Zero MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(3))
        self.modulation = zero_weights(nn.Linear(width, 6 * width))
        self.qkv = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.cross = zero_weights(nn.Linear(width, width))
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, time: Tensor, words: Tensor, mask: Tensor, rows: Tensor) -> Tensor:
        changes = self.modulation(nn.functional.silu(time))[:, None].chunk(6, dim=2)
        h = self.norms[0](x) * (1 + changes[0]) + changes[1]
        q, k, v = (split(part, self.heads) for part in self.qkv(h).chunk(3, dim=2))  # (n, h, N, D/h)
        x = x + changes[2] * self.merge(join(scaled_dot_product_attention(q, k, v)))
        q = split(self.query(self.norms[1](x)), self.heads)
        k, v = (split(part, self.heads) for part in self.key_value(words)[rows].chunk(2, dim=2))
        x = x + self.cross(join(scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])))
        h = self.norms[2](x) * (1 + changes[3]) + changes[4]
        out: Tensor = x + changes[5] * self.mlp(h)
        return out


def split(x: Tensor, heads: int) -> Tensor:
    """(n, N, D) → (n, heads, N, D/heads)."""
    n, tokens, width = x.shape
    return x.reshape(n, tokens, heads, width // heads).transpose(1, 2)


def join(x: Tensor) -> Tensor:
    """(n, heads, N, D/heads) → (n, N, D)."""
    return x.transpose(1, 2).flatten(2)


def positions(side: int, width: int) -> Tensor:
    """(side², width) fixed 2-D sine–cosine positions."""
    quarter = width // 4
    rates = torch.exp(-math.log(100.0) * torch.arange(quarter) / max(1, quarter - 1))
    angles = torch.arange(side)[:, None] * rates
    one = torch.cat([angles.sin(), angles.cos()], dim=1)  # (side, width/2)
    rows = one[:, None].expand(side, side, -1)
    columns = one[None].expand(side, side, -1)
    return torch.cat([rows, columns], dim=2).reshape(side * side, 4 * quarter)
