"""R5: what change masks are like, and how still the unchanged pixels are, each beside its real-against-real floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.layout import segment_sizes
from hsiaug.metrics.dense.probes import evidence
from hsiaug.metrics.distances import ks_per_band
from hsiaug.metrics.measures import FidelityMeasure

__all__ = ["change_measures"]

CHANGED = 2


def change_measures(train: DenseSamples, held: DenseSamples, made: DenseSamples) -> tuple[FidelityMeasure, ...]:
    """Share of masks without change, Kolmogorov–Smirnov of the sizes of changes, and the 95 % quantile of the angle.

    The share and the quantile are not distances: compare the value of made tiles with the floor, that of held-out ones.
    """
    sizes = [_sizes(part) for part in (train, held, made)]
    empty = [100 * float((part.masks != CHANGED).all(axis=(1, 2)).mean()) for part in (held, made)]
    still = [_still(part) for part in (held, made)]
    gaps = [
        float(ks_per_band(sizes[0], other)[0]) if min(len(sizes[0]), len(other)) else None for other in sizes[1:]
    ]
    few = "" if None not in gaps else "no change in one of the sets"
    return (
        FidelityMeasure("empty", "masks without change", empty[1], empty[0], len(made), "%", "1", "good: as the floor"),
        FidelityMeasure("change_sizes", "sizes of changes, KS", gaps[1], gaps[0], len(sizes[2]), "", "lower", few),
        FidelityMeasure("still", "95 % quantile of the angle in class 1", still[1], still[0], len(made), "°", "1"),
    )  # fmt: skip


def _sizes(samples: DenseSamples) -> NDArray[np.float64]:
    """(changes, 1) pixels of each connected change."""
    return segment_sizes(np.where(samples.masks == CHANGED, CHANGED, 0))[:, None]


def _still(samples: DenseSamples) -> float | None:
    angles = [evidence(samples.images[i : i + 1])[0, 0][samples.masks[i] == 1] for i in range(len(samples))]
    every = np.concatenate(angles)
    return float(np.quantile(every, 0.95)) if len(every) else None
