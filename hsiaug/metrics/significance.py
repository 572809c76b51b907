"""How sure a difference is: spread, intervals, and the sign-flip test over paired draws.

The pairs are draws (seeds), never pixels: neighbouring pixels are not independent, so a test over
pixels (McNemar's) finds significance where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from hsiaug.base.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA = 0.05
"""A corrected p below this carries a claim."""
MIN_PAIRS = 6
"""Fewest draws with which a two-sided sign-flip test can reach .05 (2 / 2**6 = .031)."""
USUAL_DRAWS = 7
"""Draws of a benchmark that names no number: one more than the fewest, so that one draw may go the
other way a little.
"""
EXACT_DRAWS = 12
"""Up to so many draws all patterns of signs are counted; beyond it PATTERNS of them."""
PATTERNS = 4096
"""Patterns of signs that stand for all of them, the one seen among them."""
SAME = 12
"""Decimals after which two differences are the same number: 0.3 - 0.2 must tie with 0.2 - 0.1."""
TIE = 1e-9
"""Difference of two statistics that is rounding."""


class MeanStd(NamedTuple):
    """Mean, sample standard deviation (ddof 1; None for a single value) and how many values."""

    mean: float
    std: float | None
    n: int


def mean_std(values: Sequence[float]) -> MeanStd:
    """Mean and sample standard deviation of ``values``.

    Raises InputError for no value at all, or for one that is not finite: neither has a mean to
    print.
    """
    _check_finite(values)
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return MeanStd(mean, None, 1)
    return MeanStd(mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)), n)


class Ends(NamedTuple):
    """What stands beside a mean.

    Attributes
    ----------
    is_interval : bool
        Whether these are the ends of an interval of the mean, or the smallest and the largest
        value.
    """

    low: float
    high: float
    is_interval: bool


def ends_of(values: Sequence[float], interval: tuple[float, float] | None) -> Ends | None:
    """The ends of an interval from MIN_PAIRS values on, and below the smallest and the largest: no
    interval of so few would be worth its name. None of a single value, and of an endless interval.

    Every screen, file and picture that shows a mean over draws has what this gives.
    """
    if len(values) < MIN_PAIRS:
        return Ends(min(values), max(values), is_interval=False) if len(values) > 1 else None
    return None if interval is None else Ends(*interval, is_interval=True)


def mean_ends(values: Sequence[float]) -> Ends | None:
    """What stands beside the mean of values: Student's t interval, or their range where they are
    few.
    """
    return ends_of(values, t_interval(values)) if len(values) > 1 else None


def t_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's t interval of 95 % for the mean; None for a single value, which says nothing of its
    spread.
    """
    summary = mean_std(values)
    if summary.std is None:
        return None
    return interval_of(summary, t_quantile(summary.n - 1, 1 - ALPHA / 2))


def interval_of(summary: MeanStd, critical: float) -> tuple[float, float]:
    """mean ± critical · std / √n."""
    mean, std, n = summary
    half = critical * (std or 0.0) / math.sqrt(n)
    return mean - half, mean + half


def t_quantile(freedom: int, level: float) -> float:
    """Quantile of Student's t with so many degrees of freedom."""
    # scipy.special alone loads in a third of the time of scipy.stats.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, level))


class FlipTest(NamedTuple):
    """The test of one comparison of a family.

    Attributes
    ----------
    p : float or None
        Of this comparison alone.
    corrected : float or None
        For all comparisons of the family; both None below MIN_PAIRS draws, where neither could
        reach ALPHA.
    critical : float or None
        t value that the mean must be beyond to be shown: mean ± critical · std / √n excludes 0
        exactly where ``corrected`` is below ALPHA. Below MIN_PAIRS draws it is Student's t with
        Bonferroni's correction; None where no value is finite.
    """

    p: float | None
    corrected: float | None
    critical: float | None


def max_t(family: Sequence[Mapping[Hashable, float]]) -> list[FlipTest]:
    """Two-sided sign-flip tests of paired differences, corrected for their number by step-down
    max-T.

    All patterns of signs are counted up to EXACT_DRAWS draws, so p is at least 2 / 2**n however
    many comparisons there are; beyond it PATTERNS random ones with a fixed seed. Patterns that
    tie with what was seen count against it. Raises InputError for a comparison without a draw,
    or a difference that is not finite.

    Under the null hypothesis the differences of a draw are as likely as their negatives, so that
    all comparisons of a draw may change sign together, which keeps their correlation (P. H.
    Westfall and S. S. Young, Resampling-Based Multiple Testing, Wiley 1993; J. P. Romano and M.
    Wolf, Exact and approximate stepdown methods for multiple hypothesis testing, Journal of the
    American Statistical Association 100, 2005). The statistic is |Σ d| / √(Σ d²) over the draws
    that the comparison has: it rises with |t|, and is finite for equal differences too. A draw that
    a comparison lacks adds nothing to either sum.

    Parameters
    ----------
    family : sequence of mapping of Hashable to float
        For each comparison, draw → difference; a draw may be missing in some.
    """
    import numpy as np

    if not family:
        return []
    for comparison in family:
        _check_finite(list(comparison.values()))
    draws = dict.fromkeys(draw for comparison in family for draw in comparison)
    row_of = {draw: i for i, draw in enumerate(draws)}
    differences = np.zeros((len(draws), len(family)))
    for j, comparison in enumerate(family):
        # 0.3 - 0.2 must tie with 0.2 - 0.1.
        rows = [row_of[draw] for draw in comparison]
        differences[rows, j] = np.round(list(comparison.values()), SAME)
    length = np.sqrt((differences**2).sum(axis=0))
    # (patterns, comparisons); the first pattern is as seen.
    z = np.abs(_signs(len(draws)) @ differences) / np.where(length > 0, length, 1)
    order = np.argsort(-z[0], kind="stable")
    observed = z[0, order] - TIE
    # Of each comparison and those of smaller z.
    highest = np.maximum.accumulate(z[:, order[::-1]], axis=1)[:, ::-1]
    corrected = np.maximum.accumulate((highest >= observed).mean(axis=0))
    rank = len(z) - math.ceil(ALPHA * len(z))
    needed = np.partition(highest, rank, axis=0)[rank]
    first_kept = int(np.append(corrected < ALPHA, False).argmin())
    needed[first_kept:] = needed[min(first_kept, len(family) - 1)]
    uncorrected = (z >= z[0] - TIE).mean(axis=0)
    tests = {}
    for place, j in enumerate(order):
        pairs = len(family[j])
        if pairs < MIN_PAIRS:
            tests[j] = FlipTest(None, None, _bonferroni_t(pairs, len(family)))
        else:
            tests[j] = FlipTest(
                p=float(uncorrected[j]),
                corrected=float(corrected[place]),
                critical=_critical_t(pairs, float(needed[place])),
            )
    return [tests[j] for j in range(len(family))]


def _bonferroni_t(pairs: int, comparisons: int) -> float | None:
    """The t value that the mean of so few pairs must be beyond; None for one pair."""
    return t_quantile(pairs - 1, 1 - ALPHA / 2 / comparisons) if pairs > 1 else None


def _critical_t(pairs: int, statistic: float) -> float | None:
    """The t value at which |Σ d| / √(Σ d²) of so many pairs has this value; None where t is
    infinite.
    """
    if pairs - statistic**2 <= TIE:
        return None
    return statistic * math.sqrt((pairs - 1) / (pairs - statistic * statistic))


@lru_cache(maxsize=1)
def _signs(draws: int) -> NDArray[Any]:
    """(patterns, draws) signs; the first row is +1, and of two opposite patterns there is one."""
    import numpy as np

    if draws <= EXACT_DRAWS:
        bits = np.arange(2 ** (draws - 1))[:, None] >> np.arange(draws) & 1
    else:
        bits = np.random.default_rng(0).integers(2, size=(PATTERNS, draws))
        bits[0] = 0
    return 1.0 - 2.0 * bits


def told_apart(differences: Sequence[float]) -> bool:
    """Whether paired differences tell one candidate of a choice from another: their mean is beyond
    its standard error.

    Where no candidate is told apart, as inside a clump in which a judge makes the same few errors
    with all of them, take the weakest, and say so.

    Parameters
    ----------
    differences : sequence of float
        Of the two scores, one per fold, class of a fold, or draw; of a single one nothing
        is known.
    """
    mean, std, n = mean_std(differences)
    return std is not None and round(abs(mean), SAME) > round(std / math.sqrt(n), SAME)


def _check_finite(values: Sequence[float]) -> None:
    bad = [v for v in values if not math.isfinite(v)]
    if bad or not values:
        hint = "Leave out what is missing, and say how many are left."
        raise InputError(
            "a mean is over finite numbers, at least one",
            value=bad[0] if bad else "none",
            hint=hint,
        )
