"""What the levels of a cascade are trained on: crops of training tiles, in any turn.

Few tiles are soon learnt by heart, whole areas of them at the coarse levels most of all. So a share
of the crops is turned by any angle, enlarged or reduced a little, and moved by parts of a cell.
What lies outside the tile is its reflection, and does not count in the loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

ZOOM = 0.2
"""Largest logarithm of the scale of a crop at any angle."""
STRAY = 0.125
"""How far such a crop is moved at most from where it fits into its tile, in its sides."""


@dataclass(frozen=True)
class Cropping:
    """How the crops of a level are cut.

    Attributes
    ----------
    factor : int
        Cells of the source along a side of a cell of the crop: the source may be finer.
    side : int
        Cells along a side of a crop.
    masks : int
        How many of the last channels are one-hot, and keep their values.
    turned : bool
        Whether crops are shown in the eight turns of a square.
    rotated : float
        Share that is turned by any angle.
    """

    factor: int
    side: int
    masks: int
    turned: bool
    rotated: float


def crops(source: Tensor, how: Cropping, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """One crop (n, C, G, G) of each of some tiles (n, C, P, P), and where it lies inside the tile,
    (n, 1, G, G) of 0 or 1.
    """
    n, channels, length, _ = source.shape
    side = how.side * how.factor
    free = torch.rand(n, generator=rng) < how.rotated
    turn = torch.randint(4, (n,), generator=rng) * how.turned
    mirror = 1 - 2.0 * torch.randint(2, (n,), generator=rng) * how.turned
    bend, scale, *at, right, down = torch.rand(6, n, generator=rng)
    angle = (turn + free * (bend - 0.5)) * (math.pi / 2)
    size = (free * ZOOM * (2 * scale - 1)).exp() * side / length
    place = torch.stack(at, dim=1)
    # Cells that are no finer than the crop's own begin where those of coarser levels do too.
    step = 2 * how.factor
    straight = step * torch.floor(place * ((length - side) // step + 1))
    stray = side * STRAY * (2 * torch.stack([right, down], dim=1) - 1)
    corner = torch.where(free[:, None], place * (length - side) + stray, straight)
    middle = 2 * (corner + side / 2) / length - 1
    cos, sin = (size * f(angle).round(decimals=6) for f in (torch.cos, torch.sin))
    rows = [
        torch.stack([cos * mirror, -sin, middle[:, 0]], dim=1),
        torch.stack([sin * mirror, cos, middle[:, 1]], dim=1),
    ]
    grid = affine_grid(torch.stack(rows, dim=1), [n, 1, side, side], align_corners=False)
    grid = grid.to(source)
    parts = [
        grid_sample(part, grid, mode=mode, padding_mode="reflection", align_corners=False)
        for part, mode in (
            (source[:, : channels - how.masks], "bicubic"),
            (source[:, channels - how.masks :], "nearest"),
        )
        if part.shape[1]
    ]
    cut = torch.cat(parts, dim=1)
    inside = (grid.abs() <= 1).all(dim=3)[:, None].to(source)
    if how.factor > 1:
        cut = avg_pool2d(cut, how.factor)
        inside = (avg_pool2d(inside, how.factor) == 1).to(source)
    return cut, inside
