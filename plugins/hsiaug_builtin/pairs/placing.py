"""Where a piece of one tile is set into another: at the best of some random positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug_builtin.pairs.components import Piece

__all__ = ["Surroundings", "place", "turned"]

UNKNOWN = 0.5
"""What a pixel of unknown surroundings is worth; one whose surroundings agree is worth 1."""

TURNS = 8
"""Symmetries of a square."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a position is judged by.

    around: (R,) ids of the ring of the piece in its own tile, 0 = unknown. ids: (H, W) the same of the ground.
    spared: (H, W) True where the ground had better not be covered.
    """

    around: NDArray[np.int64]
    ids: NDArray[np.int64]
    spared: NDArray[np.bool_]

    def scores(
        self, inside: NDArray[np.int64], ring: NDArray[np.int64], shifts: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(tries,) how well a piece fits at each of the ``shifts`` (tries, 2); inside (2, K), ring (2, R).

        The overlap of the two rings' shares of ids, of which unknown ones count half, less the share of ``inside`` that
        would cover spared pixels.
        """
        kinds = int(max(self.around.max(initial=0), self.ids.max())) + 1
        own = _shares(self.around[None], np.ones((1, len(self.around)), bool), kinds)
        row, column = ring[:, None] + shifts.T[:, :, None]
        shown = (row >= 0) & (row < self.ids.shape[0]) & (column >= 0) & (column < self.ids.shape[1])
        theirs = _shares(self.ids[row * shown, column * shown], shown, kinds)
        fit = np.minimum(own, theirs)[:, 1:].sum(axis=1) + UNKNOWN * np.maximum(own, theirs)[:, 0]
        row, column = inside[:, None] + shifts.T[:, :, None]
        return np.asarray(fit - self.spared[row, column].mean(axis=1))


def _shares(ids: NDArray[np.int64], counted: NDArray[np.bool_], kinds: int) -> NDArray[np.float64]:
    """(m, kinds) shares of ids (m, R) where ``counted``; all unknown where none is."""
    found = np.zeros((len(ids), kinds))
    np.add.at(found, (np.arange(len(ids))[:, None], ids), counted)
    found[:, 0] += found.sum(axis=1) == 0
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def place(
    piece: Piece, surroundings: Surroundings, tries: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Turn a piece by one of the eight symmetries and move it to the best of ``tries`` positions.

    It stays whole: its pixels lie inside the ground. Where the edge of its own tile cut it, it stays at that edge (as it
    lies after the turn), so that no cut side shows.

    Returns at: (2, K) where its pixels come to lie, and shown: (K,) False for those of the border that leave the ground.
    """
    side = surroundings.ids.shape[0]
    turn = int(rng.integers(TURNS))
    at, ring = turned(piece.at, turn, side), turned(piece.ring, turn, side)
    inside = at[:, piece.inside]
    low, high = inside.min(axis=1), inside.max(axis=1)
    fixed = (low == 0) | (high == side - 1)
    shifts = rng.integers(np.where(fixed, 0, -low), np.where(fixed, 0, side - 1 - high) + 1, size=(tries, 2))
    best = shifts[int(np.argmax(surroundings.scores(inside, ring, shifts)))]
    moved = at + best[:, None]
    return moved, ((moved >= 0) & (moved < side)).all(axis=0)


def turned(at: NDArray[np.int64], turn: int, side: int) -> NDArray[np.int64]:
    """Rows and columns (2, K) of a square of ``side`` pixels under symmetry 0..7; 0 leaves them."""
    row = side - 1 - at[0] if turn & 1 else at[0]
    column = side - 1 - at[1] if turn & 2 else at[1]
    return np.array([column, row] if turn & 4 else [row, column])
