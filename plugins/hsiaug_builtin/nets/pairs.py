"""What generators share that make pairs of real ones: which of them show a class, and how often each is used."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import PairCounts, PluginError
from hsiaug_builtin.nets.patches import cycled

__all__ = ["drawn", "evenly", "showing"]


def showing(masks: NDArray[np.int64], c: int | None) -> NDArray[np.int64]:
    """Rows of the masks (n, H, W) that show class c; all where it is None. Raises PluginError where there is none."""
    found = np.flatnonzero((masks == c).any(axis=(1, 2))) if c is not None else np.arange(len(masks))
    if not len(found):
        raise PluginError(
            "only classes with training pixels can be made",
            value=f"class {c}",
            hint="Give the class training pixels, or do not ask for it.",
        )
    return found


def drawn(masks: NDArray[np.int64], counts: PairCounts, rng: np.random.Generator) -> NDArray[np.int64]:
    """(counts.total,) rows of the masks (n, H, W): any, and for a class those that show it; each equally often ±1.

    Raises PluginError for a class that no mask shows.
    """
    rows = [cycled(showing(masks, c), n, rng) for c, n in counts.parts()]
    return np.concatenate([np.empty(0, dtype=np.int64), *rows])


def evenly(classes: NDArray[np.int64], counts: PairCounts, rng: np.random.Generator) -> PairCounts:
    """As many pairs; those that may show any class are asked for by class, equally many ±1 of each of ``classes``."""
    asked = Counter(dict(counts.by_class))
    free = counts.total - asked.total()
    if free and len(classes):
        asked.update(cycled(classes, free, rng).tolist())
    return PairCounts(counts.total, asked)
