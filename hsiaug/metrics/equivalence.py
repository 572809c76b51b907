"""Verdict of paired draws where no gain is shown: that two arms are equivalent, that one is not better, or too little.

Two one-sided t tests (Schuirmann, A comparison of the two one-sided tests procedure and the power approach for assessing
the equivalence of average bioavailability, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from hsiaug.metrics.significance import ALPHA, mean_std, t_quantile

Equivalence = Literal["equivalent", "not better", "open"]

MARGIN = 0.01
"""Difference, as a fraction, that does not matter: one point of AA."""

POWER = 0.8
"""Power with which a difference is called detectable."""


def equivalence(differences: Sequence[float]) -> Equivalence:
    """The claim of paired differences (fractions, one per draw) at 5 %.

    ``equivalent``: the mean lies within ±MARGIN, by both one-sided tests. ``not better``: it lies below +MARGIN.
    ``open``: neither is shown, as of a single draw.
    """
    mean, std, n = mean_std(differences)
    if std is None:
        return "open"
    half = t_quantile(n - 1, 1 - ALPHA) * std / math.sqrt(n)
    if mean + half >= MARGIN:
        return "open"
    return "equivalent" if mean - half > -MARGIN else "not better"


def detectable_difference(std: float, draws: int, critical: float | None = None) -> float:
    """The mean difference that is found with a power of 80 % where the mean must be beyond ``critical`` standard errors.

    std: standard deviation of the paired differences. critical: None for that of a two-sided t test at 5 %. Infinite for
    fewer than two draws.
    """
    if draws < 2:
        return math.inf
    beyond = t_quantile(draws - 1, 1 - ALPHA / 2) if critical is None else critical
    return (beyond + t_quantile(draws - 1, POWER)) * std / math.sqrt(draws)
