"""The network of ``fpn``."""

from __future__ import annotations

from torch import Tensor, nn

from hsiaug_builtin.dense.nets.blocks import larger
from hsiaug_builtin.nets.blocks import Residual, convolution

__all__ = ["Pyramid"]

LEVELS = 4


class Pyramid(nn.Module):
    """Scores of every pixel of tiles of one date, from the sum of the levels of a feature pyramid."""

    multiple = 2 ** (LEVELS - 1)

    def __init__(self, bands: int, width: int, pyramid: int, classes: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        self.bands = convolution(bands, width, kernel=1)
        self.stages = nn.ModuleList(
            Residual(above, own, stride=1 if level == 0 else 2)
            for level, (above, own) in enumerate(zip([width, *widths], widths, strict=False))
        )
        self.lateral = nn.ModuleList(nn.Conv2d(own, pyramid, 1) for own in widths)
        self.smooth = nn.ModuleList(convolution(pyramid, pyramid) for _ in widths)
        self.head = nn.Conv2d(pyramid, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bands(x[:, 0])  # (n, 1, B, H, W) → (n, width, H, W)
        levels = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            levels.append(lateral(x))
        for level in reversed(range(LEVELS - 1)):  # semantics flow from coarse to fine
            levels[level] = levels[level] + larger(levels[level + 1], levels[level])
        smoothed = [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]
        scores: Tensor = self.head(sum(larger(level, smoothed[0]) for level in smoothed))
        return scores
