"""The network of ``siamcrnn``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug_builtin.dense.nets.blocks import band_map, dates_as_tiles, larger
from hsiaug_builtin.nets.blocks import Residual, convolution

__all__ = ["OverDates", "SiameseRecurrent"]

LEVELS = 4


class OverDates(nn.Module):
    """A convolutional LSTM over two dates, and its last hidden state (Shi et al., NeurIPS 2015, arXiv:1506.04214).

    Without the connections from the cell to the gates.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.see = nn.Conv2d(channels, 4 * hidden, 3, padding=1)
        self.recall = nn.Conv2d(hidden, 4 * hidden, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.see(x).chunk(2)  # (2n, channels, h, w) → gates of n tiles each
        take, _, show, new = first.chunk(4, dim=1)  # nothing to forget yet
        cell = take.sigmoid() * new.tanh()
        gates = second + self.recall(show.sigmoid() * cell.tanh())
        take, keep, show, new = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * cell + take.sigmoid() * new.tanh()
        state: Tensor = show.sigmoid() * cell.tanh()  # (n, hidden, h, w)
        return state


class SiameseRecurrent(nn.Module):
    """Scores of change of every pixel of tiles of two dates."""

    multiple = 2**LEVELS

    def __init__(self, bands: int, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        channels = min(bands, 2 * width)
        self.map = band_map(bands, 2 * width)
        self.entry = convolution(channels, width)
        self.stages = nn.ModuleList(
            Residual(above, own, stride=2) for above, own in zip([width, *widths], widths, strict=False)
        )
        self.recurrent = nn.ModuleList(OverDates(own, hidden) for own in widths)
        self.smooth = nn.ModuleList(convolution(hidden, hidden) for _ in widths[:-1])
        self.finish = convolution(hidden + 2 * width, hidden)
        self.head = nn.Conv2d(hidden, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = fine = self.entry(self.map(dates_as_tiles(x)))  # (n, 2, B, H, W) → (2n, width, H, W)
        states = []
        for stage, over_dates in zip(self.stages, self.recurrent, strict=True):
            x = stage(x)
            states.append(over_dates(x))
        found = states[-1]
        for level in reversed(range(LEVELS - 1)):
            found = self.smooth[level](states[level] + larger(found, states[level]))
        one, two = fine.chunk(2)
        scores: Tensor = self.head(self.finish(torch.cat([larger(found, fine), one, two], dim=1)))
        return scores
