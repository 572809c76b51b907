"""The networks of ``fc-siam-conc`` and ``fc-siam-diff``."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from hsiaug_builtin.dense.nets.blocks import band_map, dates_as_tiles
from hsiaug_builtin.nets.blocks import convolution

__all__ = ["SiameseU"]

ENCODER = ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8))
"""Widths of the convolutions of each level, in multiples of the first; pooling in between."""

DECODER = ((1,), (2, 1), (4, 4, 2), (8, 8, 4))
"""The same for the decoder, finest level first."""


class SiameseU(nn.Module):
    """Scores of change of every pixel of tiles of two dates.

    difference: skip connections carry |a − b| of both dates' features (diff) in place of both (conc).
    """

    multiple = 2 ** len(ENCODER)

    def __init__(self, bands: int, width: int, difference: bool, classes: int) -> None:
        super().__init__()
        self.difference = difference
        self.map = band_map(bands, 2 * width)
        channels = min(bands, 2 * width)
        self.encoder, self.enlarge, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for down, up in zip(ENCODER, DECODER, strict=True):
            self.encoder.append(_chain(channels, [width * m for m in down]))
            channels = width * down[-1]
            self.enlarge.append(nn.ConvTranspose2d(channels, channels, 2, stride=2))
            self.decoder.append(_chain(channels * (2 if difference else 3), [width * m for m in up]))
        self.head = nn.Conv2d(width, classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.map(dates_as_tiles(x))  # (n, 2, B, H, W) → (2n, channels, H, W)
        skips = []
        for block in self.encoder:
            x = block(x)
            one, two = x.chunk(2)
            skips.append((one - two).abs() if self.difference else torch.cat([one, two], dim=1))
            x = max_pool2d(x, 2)
        x = x.chunk(2)[1]  # as the authors' code has it: the decoder starts from the second date
        for level in reversed(range(len(ENCODER))):
            x = self.decoder[level](torch.cat([self.enlarge[level](x), skips[level]], dim=1))
        scores: Tensor = self.head(x)
        return scores


def _chain(channels: int, widths: list[int]) -> nn.Sequential:
    steps = zip([channels, *widths], widths, strict=False)
    return nn.Sequential(*(convolution(before, after) for before, after in steps))
