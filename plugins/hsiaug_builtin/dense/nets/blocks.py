"""What the networks for tiles share: a band map, padding, both dates as one batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

__all__ = ["Padded", "band_map", "dates_as_tiles", "larger"]


def band_map(bands: int, width: int) -> nn.Module:
    """A learned linear map of each pixel's bands to ``width`` channels, where there are more bands than that.

    With it the 3×3 convolutions behind cost the same for 200 bands as for ``width``.
    """
    return nn.Conv2d(bands, width, 1) if bands > width else nn.Identity()


class Padded(nn.Module):
    """A network for any tile side of 16 pixels or more: pads by reflection to its ``multiple``, crops its scores."""

    def __init__(self, net: Any) -> None:
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


def larger(x: Tensor, like: Tensor) -> Tensor:
    """Bilinearly interpolated to the height and width of another."""
    return interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
