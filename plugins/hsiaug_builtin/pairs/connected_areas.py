"""Connected components of tiles, and where one of them is set into another tile: the best of some
random positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RING = 2
"""Pixels round a component whose ids say what lies round it."""
TRIES = 16
"""Random positions of which the best is taken."""
UNKNOWN = 0.5
"""Worth of a pixel of unknown surroundings; one whose surroundings agree is worth 1."""
TURNS = 8
"""Symmetries of a square."""


@dataclass(frozen=True, eq=False)
class TileComponents:
    """The K components of n tiles.

    Attributes
    ----------
    number : (n, H, W) int64
        Component of each pixel, from 1; 0 = of none.
    tile, kind, size : (K,) int64
        Tile, id that its pixels share, and pixels, of component k at k − 1.
    """

    number: NDArray[np.int64]
    tile: NDArray[np.int64]
    kind: NDArray[np.int64]
    size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.tile)


def components(ids: NDArray[np.int64], corners: bool = True) -> TileComponents:
    """Connected components of equal ids within each tile of ``ids`` (n, H, W), over corners too or
    not; 0 is in none.
    """
    from scipy.ndimage import find_objects, generate_binary_structure, label

    within = np.zeros((3, 3, 3), dtype=int)
    within[1] = generate_binary_structure(2, 2 if corners else 1)
    number = np.zeros(ids.shape, dtype=np.int64)
    tile: list[int] = []
    kind: list[int] = []
    for c in np.unique(ids[ids > 0]).tolist():
        labelled, count = label(ids == c, within)
        number += np.where(labelled > 0, labelled + len(tile), 0)
        tile += [place[0].start for place in find_objects(labelled)]
        kind += [c] * count
    size = np.bincount(number.ravel(), minlength=len(tile) + 1)[1:]
    return TileComponents(
        number, np.array(tile, np.int64), np.array(kind, np.int64), size.astype(np.int64)
    )


@dataclass(frozen=True, eq=False)
class Piece:
    """A set of pixels that is cut from a tile.

    Attributes
    ----------
    at : (2, K) int64
        Row and column of each.
    ring : (2, R) int64
        Pixels round the set, within the tile.
    """

    at: NDArray[np.int64]
    ring: NDArray[np.int64]


def cut(inside: NDArray[np.bool_]) -> Piece:
    """The piece of the pixels ``inside`` (H, W), at least one of them."""
    from scipy.ndimage import distance_transform_edt

    # Beyond the tile's edge the set goes on.
    out = distance_transform_edt(~np.pad(inside, RING, mode="edge"))[RING:-RING, RING:-RING]
    return Piece(np.array(np.nonzero(inside)), np.array(np.nonzero((out > 0) & (out <= RING))))


def place(
    piece: Piece,
    around: NDArray[np.int64],
    ids: NDArray[np.int64],
    spared: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """(2, K) where the pixels of a piece come to lie: turned by a symmetry, at the best of
    ``TRIES`` positions.

    It stays whole, inside the ground; where the edge of its own tile cut it, it stays at that edge
    (as it lies after the turn), so that no cut side shows.

    Parameters
    ----------
    around : (R,) int64
        Ids of its ring in its own tile, 0 = unknown.
    ids : (H, W) int64
        The same of the ground.
    spared : (H, W) bool
        True where the ground had better not be covered.
    """
    side = ids.shape[0]
    turn = int(rng.integers(TURNS))
    at = turn_pixels(piece.at, turn, side)
    ring = turn_pixels(piece.ring, turn, side)
    low = at.min(axis=1)
    high = at.max(axis=1)
    fixed = (low == 0) | (high == side - 1)
    shifts = rng.integers(
        np.where(fixed, 0, -low), np.where(fixed, 0, side - 1 - high) + 1, size=(TRIES, 2)
    )
    # The overlap of the two rings' shares of ids, of which unknown ones count half, less the share
    # of spared pixels.
    kinds = int(max(around.max(initial=0), ids.max())) + 1
    around_shares = _shares(around[None], np.ones((1, len(around)), bool), kinds)
    row, column = ring[:, None] + shifts.T[:, :, None]
    inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
    place_shares = _shares(ids[row * inside, column * inside], inside, kinds)
    fit = (
        np.minimum(around_shares, place_shares)[:, 1:].sum(axis=1)
        + UNKNOWN * np.maximum(around_shares, place_shares)[:, 0]
    )
    row, column = at[:, None] + shifts.T[:, :, None]
    best = shifts[int(np.argmax(fit - spared[row, column].mean(axis=1)))]
    return np.asarray(at + best[:, None])


def _shares(ids: NDArray[np.int64], counted: NDArray[np.bool_], kinds: int) -> NDArray[np.float64]:
    """(m, kinds) shares of ids (m, R) where ``counted``; all unknown where none is."""
    shares = np.zeros((len(ids), kinds))
    np.add.at(shares, (np.arange(len(ids))[:, None], ids), counted)
    shares[:, 0] += shares.sum(axis=1) == 0
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def turn_pixels(at: NDArray[np.int64], turn: int, side: int) -> NDArray[np.int64]:
    """Rows and columns (2, K) of a square of ``side`` pixels under symmetry 0..7; 0 leaves them."""
    row = side - 1 - at[0] if turn & 1 else at[0]
    column = side - 1 - at[1] if turn & 2 else at[1]
    return np.array([column, row] if turn & 4 else [row, column])
