"""Networks for tiles, as torch modules, and what they share: a band map, padding, both dates as one batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from hsiaug_builtin.nets.blocks import convolution

LEVELS = 4
ENCODER = ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8))
"""Widths of the convolutions of each level of a siamese U-Net, in multiples of the first; pooling in between."""
DECODER = ((1,), (2, 1), (4, 4, 2), (8, 8, 4))
"""The same for the decoder, finest level first."""


class TileNet(nn.Module):
    """Scores (n, k, H, W) of tiles (n, T, B, H, W) whose sides are a multiple of ``multiple``."""

    multiple: int


class Padded(nn.Module):
    """A network for any tile side of 16 pixels or more: pads by reflection to its ``multiple``, crops its scores."""

    def __init__(self, net: TileNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """(n, T, B, H, W) → (n, k, H, W)."""
        height, width = x.shape[-2:]
        # Half on either side, because a reflection can be no wider than the tile.
        lack_h, lack_w = -height % self.net.multiple, -width % self.net.multiple
        top, left = lack_h // 2, lack_w // 2
        if lack_h or lack_w:
            sides = (left, lack_w - left, top, lack_h - top)
            x = torch.stack([pad(date, sides, mode="reflect") for date in x.unbind(1)], dim=1)
        scores: Tensor = self.net(x)
        return scores[..., top : top + height, left : left + width]


def dates_as_tiles(x: Tensor) -> Tensor:
    """(n, T, B, H, W) → (T·n, B, H, W), all tiles of the first date before those of the second; ``chunk(T)`` undoes it.

    Both dates then go through a shared network as one batch, and share the statistics of its normalisations.
    """
    return torch.cat(x.unbind(1))


class UShaped(TileNet):
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


class SiameseU(TileNet):
    """Scores of change of every pixel of tiles of two dates; skip connections carry |a − b| of both dates' features."""

    multiple = 2 ** len(ENCODER)

    def __init__(self, bands: int, width: int, classes: int) -> None:
        super().__init__()
        channels = min(bands, 2 * width)
        # With fewer channels than bands the 3×3 convolutions behind cost the same for 200 bands as for ``2 * width``.
        self.map = nn.Conv2d(bands, channels, 1) if bands > channels else nn.Identity()
        self.encoder, self.enlarge, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for down, up in zip(ENCODER, DECODER, strict=True):
            self.encoder.append(_chain(channels, [width * m for m in down]))
            channels = width * down[-1]
            self.enlarge.append(nn.ConvTranspose2d(channels, channels, 2, stride=2))
            self.decoder.append(_chain(2 * channels, [width * m for m in up]))
        self.head = nn.Conv2d(width, classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.map(dates_as_tiles(x))  # (n, 2, B, H, W) → (2n, channels, H, W)
        skips = []
        for block in self.encoder:
            x = block(x)
            one, two = x.chunk(2)
            skips.append((one - two).abs())
            x = max_pool2d(x, 2)
        x = x.chunk(2)[1]  # as the authors' code has it: the decoder starts from the second date
        for level in reversed(range(len(ENCODER))):
            x = self.decoder[level](torch.cat([self.enlarge[level](x), skips[level]], dim=1))
        scores: Tensor = self.head(x)
        return scores


def _chain(channels: int, widths: list[int]) -> nn.Sequential:
    steps = zip([channels, *widths], widths, strict=False)
    return nn.Sequential(*(convolution(before, after) for before, after in steps))
