"""The network of ``unet``."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from hsiaug_builtin.nets.blocks import convolution

__all__ = ["UShaped"]

LEVELS = 4


class UShaped(nn.Module):
    """Scores of every pixel of tiles of one date."""

    multiple = 2 ** (LEVELS - 1)

    def __init__(self, bands: int, width: int, classes: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        self.bands = convolution(bands, width, kernel=1)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(above, own), convolution(own, own))
            for above, own in zip([width, *widths], widths, strict=False)
        )
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * own, own, 2, stride=2) for own in widths[:-1])
        self.up = nn.ModuleList(
            nn.Sequential(convolution(2 * own, own), convolution(own, own)) for own in widths[:-1]
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bands(x[:, 0])  # (n, 1, B, H, W) → (n, width, H, W)
        skips = []
        for level, block in enumerate(self.down):
            x = block(max_pool2d(x, 2) if level else x)
            skips.append(x)
        for level in reversed(range(LEVELS - 1)):
            x = self.up[level](torch.cat([skips[level], self.enlarge[level](x)], dim=1))
        scores: Tensor = self.head(x)
        return scores
