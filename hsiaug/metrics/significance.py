"""How sure a difference is: spread, intervals, paired tests over draws, and Holm's correction.

The pairs are draws (seeds), never pixels: neighbouring pixels are not independent, so a test over pixels
(McNemar's) finds significance where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hsiaug.base.errors import InputError

ALPHA = 0.05
"""A corrected p below this carries a claim."""

MIN_PAIRS = 6
"""Fewest pairs with which a two-sided Wilcoxon signed-rank test can reach .05 (2 / 2**6 = .031)."""

EXACT_PAIRS = 50
"""Up to this many pairs the null distribution is counted out; beyond it the normal one is as good."""

Z = 1.959963984540054
"""Quantile of the normal distribution that 95 % lie within."""

SAME = 12
"""Decimals after which two differences are the same number: 0.3 - 0.2 must tie with 0.2 - 0.1."""


class MeanStd(NamedTuple):
    """Mean, sample standard deviation (ddof 1; None for a single value) and how many values."""

    mean: float
    std: float | None
    n: int


def mean_std(values: Sequence[float]) -> MeanStd:
    """Mean and sample standard deviation of ``values``.

    Raises InputError for no value at all, or for one that is not finite: neither has a mean to print.
    """
    _check_finite(values)
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return MeanStd(mean, None, 1)
    return MeanStd(mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)), n)


def t_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's t interval for the mean; None for a single value, which says nothing of its spread."""
    if not 0 < level < 1:
        raise InputError("level must lie between 0 and 1", value=level, hint="Pass 0.95 for 95 %.")
    return summary_interval(mean_std(values), level)


def summary_interval(summary: MeanStd, level: float = 0.95) -> tuple[float, float] | None:
    """The same of values of which only mean, spread and number are at hand."""
    # scipy.special alone loads in a third of the time of scipy.stats.
    from scipy.special import stdtrit

    mean, std, n = summary
    if std is None:
        return None
    half = float(stdtrit(n - 1, (1 + level) / 2)) * std / math.sqrt(n)
    return mean - half, mean + half


def share_interval(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (E. B. Wilson, Journal of the American Statistical Association 22, 1927)."""
    centre, half = (right + Z**2 / 2) / (n + Z**2), Z * math.sqrt(right * (n - right) / n + Z**2 / 4) / (n + Z**2)
    return max(0.0, centre - half), min(1.0, centre + half)


def paired_share_interval(gained: int, lost: int, n: int) -> tuple[float, float]:
    """95 % interval of the difference of two shares of the same n: ``gained`` are right in the first alone, ``lost`` in
    the second alone.

    Half a case is added to each cell of the table: A. Agresti and Y. Min, Simple improved confidence intervals for
    comparing matched proportions, Statistics in Medicine 24, 2005.
    """
    n += 2
    mean = (gained - lost) / n
    half = Z * math.sqrt((gained + lost + 1) / n - mean**2) / math.sqrt(n)
    return mean - half, mean + half


def paired_wilcoxon(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Two-sided p of the Wilcoxon signed-rank test on the pairs (a[i], b[i]).

    Zero differences are dropped (Wilcoxon's own rule), ties share their mean rank, and p is exact up to 50
    pairs, ties or not. 1.0 where all differences are zero; None below MIN_PAIRS pairs, where no data
    whatever could reach .05.
    """
    if len(a) != len(b):
        raise InputError(
            "a paired test needs as many values on either side",
            value=f"{len(a)} and {len(b)}",
            hint="Pass only the draws that both arms share, in the same order.",
        )
    if len(a) < MIN_PAIRS:
        return None
    _check_finite(a)
    _check_finite(b)
    differences = [round(x - y, SAME) for x, y in zip(a, b, strict=True)]
    differences = [d for d in differences if d != 0]
    if not differences:
        return 1.0
    if len(differences) > EXACT_PAIRS:
        from scipy.stats import wilcoxon

        return float(wilcoxon(differences).pvalue)
    return _exact_p(differences)


def smallest_p(pairs: int) -> float:
    """The smallest two-sided p that the test can give with this many pairs: all differences of one sign."""
    return min(1.0, 2.0 ** (1 - pairs))


def draws_needed(tests: int = 1) -> int:
    """The fewest pairs with which one of that many Holm-corrected tests can fall below .05, whatever the others give."""
    return next(n for n in range(1, 64) if tests * smallest_p(n) < ALPHA)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: adjusted p-values in the order given, each at least p and at most 1."""
    for p in p_values:
        if not 0 <= p <= 1:
            raise InputError("a p-value must lie between 0 and 1", value=p, hint="Leave out what was not tested.")
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def told_apart(differences: Sequence[float]) -> bool:
    """Whether paired differences tell one candidate of a choice from another: their mean is beyond its standard error.

    differences: of the two scores, one per fold, class of a fold, or draw; of a single one nothing is known. Where no
    candidate is told apart, as inside a clump in which a judge makes the same few errors with all of them, take the
    weakest, and say so.
    """
    mean, std, n = mean_std(differences)
    return std is not None and round(abs(mean), SAME) > round(std / math.sqrt(n), SAME)


def _check_finite(values: Sequence[float]) -> None:
    bad = [v for v in values if not math.isfinite(v)]
    if bad or not values:
        raise InputError(
            "a mean is over finite numbers, at least one",
            value=bad[0] if bad else "none",
            hint="Leave out what is missing, and say how many are left.",
        )


def _exact_p(differences: Sequence[float]) -> float:
    """Count the sign patterns whose rank sum lies as far out as the one seen; ranks doubled to be whole."""
    ranks = _doubled_ranks([abs(d) for d in differences])
    total = sum(ranks)
    positive = sum(rank for rank, d in zip(ranks, differences, strict=True) if d > 0)
    ways = [1] + [0] * total
    for rank in ranks:
        for s in range(total, rank - 1, -1):
            ways[s] += ways[s - rank]
    tail = sum(ways[: min(positive, total - positive) + 1])
    return min(1.0, 2 * tail / (1 << len(ranks)))


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the mid-ranks of ``values``: whole numbers also where ties share a rank."""
    ordered = sorted(values)
    starts = [0] + [i + 1 for i, (x, y) in enumerate(pairwise(ordered)) if x != y] + [len(ordered)]
    rank = {ordered[lo]: lo + hi + 1 for lo, hi in pairwise(starts)}
    return [rank[v] for v in values]
