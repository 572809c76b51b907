"""Which real samples a synthetic one is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import PluginError, derive_seed

__all__ = ["classes_asked", "cycled", "lone_classes", "made_by_class"]


def classes_asked(y: NDArray[np.int64], counts: Mapping[int, int]) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """(class id, number asked for, rows of its real samples) for each class that is asked for, by id.

    y: (n,) class ids of the real samples. Raises PluginError for a class that has none.
    """
    for c, count in sorted(counts.items()):
        rows = np.flatnonzero(y == c)
        if count > 0 and not len(rows):
            raise PluginError(
                "synthetic samples can be made for classes with real training samples only",
                value=f"{count} of class {c}, which has none",
                hint=f"Ask for classes among {np.unique(y).tolist()}.",
            )
        if count > 0:
            yield c, count, rows


def cycled(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count,) of ``rows``: random permutations one after the other, so that each is used equally often ±1."""
    rounds = -(-count // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(rounds)])[:count]


def made_by_class(
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    counts: Mapping[int, int],
    make: Callable[[int, int, NDArray[np.int64], int], NDArray[np.float32]],
    name: str,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What ``make(class id, count, rows of its real samples, seed of its own)`` makes, class after class, and its ids.

    x: (n, B, p, p) real patches, for their shape. A class gets the same samples whatever else is asked for.
    """
    made = [np.empty((0, *x.shape[1:]), dtype=np.float32)]
    ids = [np.empty(0, dtype=np.int64)]
    for c, count, rows in classes_asked(y, counts):
        made.append(make(c, count, rows, derive_seed(name, c, seed)))
        ids.append(np.full(count, c))
    return np.concatenate(made), np.concatenate(ids)


def lone_classes(y: NDArray[np.int64]) -> list[int]:
    """Ids of the classes with one real sample, between which and itself there is nothing."""
    ids, sizes = np.unique(y, return_counts=True)
    return [int(c) for c in ids[sizes == 1]]
