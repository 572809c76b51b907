"""Building blocks of the VAEs and the denoiser."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention, silu

from hsiaug_builtin.nets.blocks import zero_weights


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation with up to 8 groups."""
    return nn.GroupNorm(math.gcd(channels, 8), channels)


class ResidualBlock(nn.Module):
    """A residual block (n, inside, h, w) → (n, outside, h, w); with ``conditioning`` also scaled
    and shifted by a vector (n, conditioning).
    """

    def __init__(self, inside: int, outside: int, conditioning: int = 0) -> None:
        super().__init__()
        self.norms = nn.ModuleList([norm(inside), norm(outside)])
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(inside, outside, 3, padding=1),
                zero_weights(nn.Conv2d(outside, outside, 3, padding=1)),
            ]
        )
        self.skip = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1)
        self.told = nn.Linear(conditioning, 2 * outside) if conditioning else None

    def forward(self, x: Tensor, vector: Tensor | None = None) -> Tensor:
        h = self.norms[1](self.convs[0](silu(self.norms[0](x))))
        if self.told is not None and vector is not None:
            scale, shift = self.told(silu(vector))[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        out: Tensor = self.skip(x) + self.convs[1](silu(h))
        return out


class SelfAttention(nn.Module):
    """Self-attention between the pixels of (n, c, h, w), in heads of 32 channels where they fit."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // 32 if channels % 32 == 0 else 1
        self.norm = norm(channels)
        self.read = nn.Conv2d(channels, 3 * channels, 1)
        self.write = zero_weights(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        q, k, v = (
            self.read(self.norm(x)).reshape(n, 3, self.heads, c // self.heads, h * w).mT.unbind(1)
        )
        out: Tensor = x + self.write(scaled_dot_product_attention(q, k, v).mT.reshape(n, c, h, w))
        return out


class Upsample(nn.Conv2d):
    """Nearest neighbours at twice the size, then a convolution."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(interpolate(x, scale_factor=2.0, mode="nearest"))
