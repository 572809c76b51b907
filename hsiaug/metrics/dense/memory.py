"""Does a generator repeat its training tiles? Nearest neighbours over flips and rotations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.dense.extractor import axis_maps
from hsiaug.metrics.measures import Round, Values
from hsiaug.metrics.neighbours import COPY, nearest_turned, rank_nearer
from hsiaug.metrics.spectra import Space

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

AXES = 8


def memory_audit(
    train: Float32, held: Float32, made: Float32, space: Space
) -> tuple[Round, tuple[tuple[int, int, float], ...]]:
    """Audit images (n, T, B, H, W) of one size; ``space`` is of spectra of both dates stacked, of training tiles.

    Distances are per pixel, on z-scored principal axes, the least over the 8 flips and rotations. nearer: share of
    (made, held) pairs in which the made tile is nearer to training. copies: share of made tiles within a thousandth of
    the usual distance of held-out ones. copying: C_T, below −3 for a generator that copies. The second answer is the
    nearest training tile of each made one, as (made, training, distance), the likeliest copies first.
    """
    known, real, new = (np.stack(list(axis_maps(images, space, AXES))) for images in (train, held, made))
    (distance, which), (usual, _) = (nearest_turned(maps, known) for maps in (new, real))
    side = np.sqrt(known.shape[2] * known.shape[3])
    distance, usual = distance / side, usual / side
    limit = COPY * float(np.median(usual))
    values: Values = {
        "nearer": rank_nearer(distance, usual),
        "copying": copying_statistic(distance, usual),
        "copies": float((distance <= limit).mean()),
    }
    floors: Values = {"nearer": 0.5, "copying": 0.0, "copies": float((usual <= limit).mean())}
    order = np.argsort(distance, kind="stable")
    return (values, floors, len(made)), tuple((int(i), int(which[i]), float(distance[i])) for i in order)


def copying_statistic(made: Array, held: Array) -> float:
    """C_T of Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675: the z-score of Mann–Whitney's U, in one cell.

    Of distances made (n,) and held (m,) to the training set. Far below 0: made tiles lie nearer than fresh real ones.
    """
    n, m = len(made), len(held)
    u = n * m * (1 - rank_nearer(made, held))
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
