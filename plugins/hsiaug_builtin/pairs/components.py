"""Connected components of tiles, and what is needed to set one of them into another tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RING", "Components", "Piece", "blended", "components", "cut"]

RING = 2
"""Pixels round a component whose ids say what lies round it."""


@dataclass(frozen=True, eq=False)
class Components:
    """The K components of n tiles.

    number: (n, H, W) int64, component of each pixel, from 1; 0 = of none. tile, kind, size: (K,) int64 tile, id that its
    pixels share, and pixels, of component k at k − 1.
    """

    number: NDArray[np.int64]
    tile: NDArray[np.int64]
    kind: NDArray[np.int64]
    size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.tile)


def components(ids: NDArray[np.int64]) -> Components:
    """Connected components (8 neighbours) of equal ids within each tile of ``ids`` (n, H, W); 0 is in none."""
    from scipy.ndimage import find_objects, label

    within = np.zeros((3, 3, 3), dtype=int)
    within[1] = 1
    number = np.zeros(ids.shape, dtype=np.int64)
    tile: list[int] = []
    kind: list[int] = []
    for c in np.unique(ids[ids > 0]).tolist():
        found, count = label(ids == c, within)
        number += np.where(found > 0, found + len(tile), 0)
        tile += [place[0].start for place in find_objects(found)]
        kind += [c] * count
    size = np.bincount(number.ravel(), minlength=len(tile) + 1)[1:]
    return Components(number, np.array(tile, np.int64), np.array(kind, np.int64), size.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Piece:
    """A set of pixels that is cut from a tile, with a blended border.

    at: (2, K) row and column of every pixel that it changes. read: (2, K) where that pixel's spectrum is read: at the
    pixel itself, and outside of the set at its nearest pixel. share: (K,) float32 share of that spectrum, in 0..1;
    above ½ in the set and below it outside. ring: (2, R) pixels round the set, within the tile.
    """

    at: NDArray[np.int64]
    read: NDArray[np.int64]
    share: NDArray[np.float32]
    ring: NDArray[np.int64]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(K,) True for the pixels of the set."""
        return self.share > 0.5


def cut(inside: NDArray[np.bool_], blend: float) -> Piece:
    """The piece of the pixels ``inside`` (H, W), at least one of them.

    The share rises linearly with the distance from the border, over ``blend`` pixels to either side of it: a pixel on a
    border between two surfaces shows both. 0 = a hard border. Where the tile cuts the set, there is no border.
    """
    from scipy.ndimage import distance_transform_edt

    edge = int(np.ceil(blend)) + RING
    wide = np.pad(inside, edge, mode="edge")
    out, nearest = distance_transform_edt(~wide, return_indices=True)
    distance = np.where(wide, distance_transform_edt(wide) if not wide.all() else np.inf, -out)
    share = (distance > 0).astype(np.float32)
    if blend > 0:
        share = np.clip(0.5 + (distance - 0.5 * np.sign(distance)) / (2 * blend), 0, 1).astype(np.float32)
    core = (slice(edge, -edge),) * 2
    at = np.array(np.nonzero(share[core] > 0))
    last = np.array(inside.shape)[:, None] - 1
    read = np.clip(nearest[:, *core][:, *at] - edge, 0, last).astype(np.int64)
    ring = np.array(np.nonzero((out[core] > 0) & (out[core] <= RING)))
    return Piece(at, read, share[core][*at], ring)


def blended(
    ground: NDArray[np.float32], pixels: NDArray[np.float32], at: NDArray[np.int64], share: NDArray[np.float32]
) -> None:
    """Mix ``pixels`` (…, K) into ``ground`` (…, H, W) at the K pixels ``at`` (2, K), linearly; ``ground`` is changed."""
    row, column = at
    below = ground[..., row, column]
    ground[..., row, column] = below + share * (pixels - below)
