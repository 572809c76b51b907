"""Comparing several methods over several data sets by their ranks: Friedman's test, and Nemenyi's critical difference.

J. Demšar, *Statistical comparisons of classifiers over multiple data sets*, JMLR 7, 2006, sections 3.2.2 and 3.2.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.significance import ALPHA

__all__ = ["average_ranks", "cliques", "critical_difference", "friedman_p"]


def average_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) mean rank of each method over the data sets, 1 for the highest score; ties share their mean rank.

    scores: (N, k), a row per data set.
    """
    return _ranks(scores).mean(axis=0)  # type: ignore[no-any-return]


def friedman_p(scores: NDArray[np.float64]) -> float:
    """p of Friedman's test that all methods are alike, in the form of Iman and Davenport (Demšar, section 3.2.2).

    χ² is corrected for ties. 1.0 where all methods tie in every data set.
    """
    from scipy.special import fdtrc

    ranks = _ranks(scores)
    sets, methods = ranks.shape
    centred = ranks - (methods + 1) / 2
    spread = float((centred**2).sum())
    if spread < 1e-12:
        return 1.0
    chi2 = (methods - 1) * float((centred.sum(axis=0) ** 2).sum()) / spread
    left = sets * (methods - 1) - chi2
    if left < 1e-9:
        return 0.0
    f = (sets - 1) * chi2 / left
    return float(fdtrc(methods - 1, (methods - 1) * (sets - 1), f))


def critical_difference(methods: int, sets: int, alpha: float = ALPHA) -> float:
    """Nemenyi's: average ranks of two methods differ where they lie at least this far apart (Demšar, section 3.2.2)."""
    return _studentized(methods, alpha) * math.sqrt(methods * (methods + 1) / (12 * sets))


@lru_cache
def _studentized(methods: int, alpha: float) -> float:
    """Point of the studentized range of infinite degrees of freedom, which takes a third of a second to find."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, methods, math.inf))


def cliques(ranks: Sequence[float], distance: float) -> list[tuple[int, int]]:
    """First and last place of every longest run of methods of which no two differ. ranks: in rising order."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = max(i for i in range(first, len(ranks)) if ranks[i] - ranks[first] < distance)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    # Scores that print alike tie, as differences of draws do.
    return np.asarray(rankdata(-np.round(scores, 12), axis=1), dtype=np.float64)
