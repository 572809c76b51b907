"""Choice of the pixels that are believed among those that were named after a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = 5
"""Pixels of a class that are believed in any case, where so many are named so."""


def margins(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) how far the largest vote of each pixel lies above its second."""
    ranked = np.sort(shares, axis=1)
    return np.asarray(ranked[:, -1] - (ranked[:, -2] if shares.shape[1] > 1 else 0))


def choose_trusted(
    shares: NDArray[np.float64],
    share: float,
    most: int | None = None,
    rng: np.random.Generator | None = None,
    among: NDArray[np.bool_] | None = None,
) -> list[NDArray[np.int64]]:
    """Choose, for each column of ``shares`` (n, k), the rows believed to be of that class, the
    surest first.

    Of the rows that vote most for a column, and are ``among`` (n,) those that may be, the ``share``
    with the widest margin, but never fewer than LEAST; and of these ``most``: the surest, or with
    ``rng`` any of them, for the surest alone teach too narrow a class. Every row has a random
    number of its own, so that a row more or less, as of a vote that another processor rounds
    otherwise, exchanges no others.
    """
    margin = margins(shares)
    winner = shares.argmax(axis=1)
    place = None if rng is None else rng.random(len(shares))
    chosen = []
    for column in range(shares.shape[1]):
        named = np.flatnonzero((winner == column) & (True if among is None else among))
        surest = named[
            np.argsort(-margin[named], kind="stable")[: max(LEAST, round(share * len(named)))]
        ]
        chosen.append((surest if place is None else surest[np.argsort(place[surest])])[:most])
    return chosen
