"""Tiles on a place: where one fits, what it shows, and blocks of places for training and for test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.pairs import PairSet
from hsiaug.protocol.split import class_counts

ENOUGH = 100
"""Training tiles below which the stride is halved, down to an eighth of the tile."""

Tile = tuple[int, int, int]
"""Number of the place, first row, first column."""

Side = Sequence[NDArray[np.bool_]]
"""A mask of pixels for each place."""


def counts(pairs: PairSet, side: Side) -> tuple[int, ...]:
    """Pixels of each class, 1 to C, on a side."""
    labels = [place.mask[mask] for place, mask in zip(pairs.places, side, strict=True)]
    return class_counts(np.concatenate(labels), len(pairs.class_names))


def train_tiles(side: Side, patch: int) -> tuple[int, list[Tile]]:
    """Stride, and the tiles wholly inside ``side`` on a grid of that stride."""
    found: list[Tile] = []
    stride = max(1, patch // 2)
    for part in (2, 4, 8):
        stride = max(1, patch // part)
        found = [tile for where, mask in enumerate(side) for tile in _inside(where, mask, patch, stride)]
        if len(found) >= ENOUGH:
            break
    return stride, found


def fits(mask: NDArray[np.bool_], patch: int) -> bool:
    """Whether a tile lies wholly inside ``mask`` (H, W)."""
    return bool(_inside(0, mask, patch, 1))


def _inside(where: int, mask: NDArray[np.bool_], patch: int, stride: int) -> list[Tile]:
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = np.arange(0, mask.shape[0] - patch + 1, stride)[:, None]
    columns = np.arange(0, mask.shape[1] - patch + 1, stride)[None]
    far = (rows + patch, columns + patch)
    area = sums[far] - sums[rows, far[1]] - sums[far[0], columns] + sums[rows, columns]
    return [(where, int(r * stride), int(c * stride)) for r, c in np.argwhere(area == patch * patch)]


def cover(where: int, mask: NDArray[np.bool_], patch: int) -> list[Tile]:
    """Tiles inside ``mask`` that together cover every pixel of it that a tile can cover, with little overlap."""
    corners = [(row, column) for _, row, column in _inside(where, mask, patch, 1)]
    left = mask.copy()
    tiles: list[Tile] = []
    # Row by row, each tile whose first pixel is new; the rims that are left, from their own corners.
    for down in (0, patch - 1):
        for right in (0, patch - 1):
            # From that corner's own side, or every step would bring one new pixel only.
            for row, column in sorted(corners, key=lambda c: (-c[0] if down else c[0], -c[1] if right else c[1])):
                if left[row + down, column + right]:
                    tiles.append((where, row, column))
                    left[row : row + patch, column : column + patch] = False
    return sorted(tiles)
