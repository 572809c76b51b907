"""Does a generator repeat its training tiles? Nearest neighbours over flips and rotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.neighbours import COPY, rank_nearer
from hsiaug.metrics.spectra import Space

__all__ = ["Memory", "copying_statistic", "memory_audit", "nearest_turned", "turned"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

AXES = 8
WORST = 8


@dataclass(frozen=True, eq=False)
class Memory:
    """Distances are per pixel, on z-scored principal axes, the least over the 8 flips and rotations.

    made, held: (n,) and (m,) to the nearest training tile. nearest: (n,) which one that is.
    nearer: share of (made, held) pairs in which the made tile is nearer, ½ for fresh real tiles. copies: share of made
    tiles within a thousandth of the usual distance of held-out ones, floor: of held-out tiles. statistic: C_T, below −3
    for a generator that copies. worst: (made, training, distance) of the pairs to look at, the nearest first.
    """

    made: Array
    held: Array
    nearest: NDArray[np.int64]
    nearer: float
    copies: float
    copies_floor: float
    statistic: float
    worst: tuple[tuple[int, int, float], ...]


def memory_audit(train: Float32, held: Float32, made: Float32, space: Space) -> Memory:
    """Audit images (n, T, B, H, W) of one size; ``space`` is of spectra of both dates stacked, of training tiles."""
    known, real, new = (_maps(images, space) for images in (train, held, made))
    (distance, which), (usual, _) = nearest_turned(new, known), nearest_turned(real, known)
    limit = COPY * float(np.median(usual))
    worst = np.argsort(distance, kind="stable")[:WORST]
    return Memory(
        distance,
        usual,
        which,
        rank_nearer(distance, usual),
        float((distance <= limit).mean()),
        float((usual <= limit).mean()),
        copying_statistic(distance, usual),
        tuple((int(i), int(which[i]), float(distance[i])) for i in worst),
    )


def copying_statistic(made: Array, held: Array) -> float:
    """C_T of Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675: the z-score of Mann–Whitney's U, in one cell.

    Of distances made (n,) and held (m,) to the training set. Far below 0: made tiles lie nearer than fresh real ones.
    """
    n, m = len(made), len(held)
    u = n * m * (1 - rank_nearer(made, held))
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))


def turned(maps: Array) -> list[Array]:
    """The flips and rotations of maps (..., H, W): 8 of square ones, 4 of others; the first is as it was."""
    flips = [maps, maps[..., ::-1], maps[..., ::-1, :], maps[..., ::-1, ::-1]]
    if maps.shape[-1] != maps.shape[-2]:
        return flips
    return flips + [np.swapaxes(f, -1, -2) for f in flips]


def nearest_turned(maps: Array, known: Array) -> tuple[Array, NDArray[np.int64]]:
    """Distance (n,) and index (n,) of the nearest of ``known`` (m, k, H, W) to each of maps (n, k, H, W), over turns.

    The distance is the root mean square over pixels, exact also where it is 0.
    """
    flat = known.reshape(len(known), -1)
    turns = [t.reshape(len(maps), -1) for t in turned(maps)]
    length = (flat**2).sum(axis=1)
    squares = np.stack([(t**2).sum(axis=1)[:, None] + length - 2 * t @ flat.T for t in turns])
    best = squares.min(axis=2).argmin(axis=0)
    rows = np.arange(len(maps))
    which = squares[best, rows].argmin(axis=1)
    # Expanded squares leave a copy at a distance above 0, so the one found is measured again.
    gap = np.stack([turns[t][i] for i, t in enumerate(best)]) - flat[which]
    distance: Array = np.sqrt((gap**2).sum(axis=1) / (maps.shape[2] * maps.shape[3]))
    return distance, which.astype(np.int64)


def _maps(images: Float32, space: Space) -> Array:
    """(n, k, H, W) scores on the first axes."""
    dates, bands, high, wide = images.shape[1:]
    parts = []
    for image in images:
        stacked = np.moveaxis(image.reshape(dates * bands, high, wide), 0, -1).astype(np.float64)
        parts.append(np.moveaxis(space.project(stacked)[..., :AXES], -1, 0))
    return np.stack(parts)
