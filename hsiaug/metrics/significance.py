"""How sure a difference is, and what it is called: spread, intervals and the sign-flip test over
paired splits; and the rule by which every report and command speaks of a gain or a loss.

The pairs are splits (seeds), never pixels: neighbouring pixels are not independent, so a test over
pixels (McNemar's) finds significance where there is none.

Two tests give a difference its interval: :func:`correct` for the configurations of a table,
:func:`student` for differences that are looked at one by one. Of the rule, numbers go in and a
typed finding comes out. Gains and losses need the same evidence, so exchanging the two sides of a
comparison exchanges the words and nothing else. docs/read-a-report.md says the rule in prose.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import InputError

if TYPE_CHECKING:
    pass


ALPHA = 0.05
"""A corrected p below this carries a claim."""
MIN_PAIRS = 6
"""Fewest splits with which a two-sided sign-flip test can reach .05 (2 / 2**6 = .031)."""
USUAL_DRAWS = 7
"""Splits of a benchmark that names no number: one more than the fewest, so that one split may go
the other way a little.
"""
EXACT_DRAWS = 12
"""Up to so many splits all patterns of signs are counted; beyond it PATTERNS of them."""
PATTERNS = 4096
"""Patterns of signs that stand for all of them, the one seen among them."""
SAME = 12
"""Decimals after which two differences are the same number: 0.3 - 0.2 must tie with 0.2 - 0.1."""
TIE = 1e-9
"""Difference of two statistics that is rounding."""
Word = Literal["better", "worse", "no gain", "unclear"]
"""What is said of a difference between two configurations, and of a configuration: one set of words
for terminal, page, pictures, files, ``compare`` and ``advise``.
"""
TINY = 1e-12
"""Value below which a difference of one split is rounding."""
SMALLEST_GAIN = 0.01
"""The smallest gain that matters, as a fraction: one point of AA. A smaller one is never called
``better``, however sure it is.
"""


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

    Every screen, file and picture that shows a mean over splits has what this gives.
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
        For all comparisons of the family; both None below MIN_PAIRS splits, where neither could
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

    All patterns of signs are counted up to EXACT_DRAWS splits, so p is at least 2 / 2**n however
    many comparisons there are; beyond it PATTERNS random ones with a fixed seed. Patterns that
    tie with what was seen count against it. Raises InputError for a comparison without a split,
    or a difference that is not finite.

    Under the null hypothesis the differences of a split are as likely as their negatives, so that
    all comparisons of a split may change sign together, which keeps their correlation (P. H.
    Westfall and S. S. Young, Resampling-Based Multiple Testing, Wiley 1993; J. P. Romano and M.
    Wolf, Exact and approximate stepdown methods for multiple hypothesis testing, Journal of the
    American Statistical Association 100, 2005). The statistic is |Σ d| / √(Σ d²) over the splits
    that the comparison has: it rises with |t|, and is finite for equal differences too. A split
    that a comparison lacks adds nothing to either sum.

    Parameters
    ----------
    family : sequence of mapping of Hashable to float
        For each comparison, split → difference; a split may be missing in some.
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
def _signs(draws: int) -> AnyArray:
    """(patterns, splits) signs; the first row is +1, and of two opposite patterns there is one."""
    import numpy as np

    if draws <= EXACT_DRAWS:
        bits = np.arange(2 ** (draws - 1))[:, None] >> np.arange(draws) & 1
        return 1.0 - 2.0 * bits
    rng = np.random.default_rng(0)
    signs = np.ones((PATTERNS, draws))
    # Row by row: all integers at once would take twice the memory of the signs.
    for row in signs:
        row -= 2.0 * rng.integers(2, size=draws)
    signs[0] = 1
    return signs


def told_apart(differences: Sequence[float]) -> bool:
    """Whether one candidate of a choice is clearly better than another, by paired differences.

    True if the mean difference is larger than its standard error. If no two candidates differ, for
    example because a judge makes the same few errors with all of them, take the weakest, and say
    so.

    Parameters
    ----------
    differences : sequence of float
        Differences of two scores, one per fold, class or split.

    Returns
    -------
    bool
        False for a single difference.

    See Also
    --------
    spatial_folds : makes folds.

    Examples
    --------
    >>> from hsiaug.api import told_apart
    >>> told_apart([1.0, 1.2, 0.9]), told_apart([1.0, -1.2, 0.1])
    (True, False)
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


# The rule


@dataclass(frozen=True)
class Evidence:
    """One metric of a configuration minus that of another, over the splits that both share, and the
    test of the differences.

    Attributes
    ----------
    differences : tuple of float
        Fractions, one per split; none where the two share no split.
    draws : tuple of Hashable
        What names each split.
    p, p_corrected : float or None
        Of the sign-flip test by itself, and corrected for its family, as in
        :class:`hsiaug.metrics.significance.FlipTest`; set by :func:`correct`.
    critical : float or None
        Standard errors between the mean and the ends of its interval; set by :func:`correct` or
        :func:`student`.
    family : int
        Of how many tested comparisons, this one among them, ``p_corrected`` and the interval are;
        set by :func:`correct`.
    smallest : float
        The smallest gain that matters.
    """

    differences: tuple[float, ...] = ()
    draws: tuple[Hashable, ...] = ()
    p: float | None = None
    p_corrected: float | None = None
    critical: float | None = None
    family: int = 1
    smallest: float = SMALLEST_GAIN

    @classmethod
    def paired(cls, values: Mapping[Any, float], over: Mapping[Any, float]) -> Evidence:
        """Values by split minus others, over the splits that both have."""
        return cls.of({draw: values[draw] - over[draw] for draw in values if draw in over})

    @classmethod
    def of(cls, differences: Mapping[Any, float]) -> Evidence:
        """Differences by split."""
        return cls(tuple(differences.values()), tuple(differences))

    @property
    def by_draw(self) -> dict[Hashable, float]:
        """The difference of each split."""
        return dict(zip(self.draws, self.differences, strict=True))

    @cached_property
    def summary(self) -> MeanStd:
        """Mean difference with its spread."""
        return mean_std(self.differences)

    @property
    def mean(self) -> float:
        """The mean difference."""
        return self.summary.mean

    @property
    def significant(self) -> bool:
        """Whether the interval excludes 0."""
        if self.p_corrected is not None:
            return self.p_corrected < ALPHA
        interval = self.interval
        return interval is not None and (interval[0] > TINY or interval[1] < -TINY)

    @cached_property
    def word(self) -> Word:
        """What the differences show.

        ``better`` and ``worse`` need an interval that excludes 0 *and* a mean of at least the
        smallest gain that matters. ``no gain``: the whole interval is below that gain. All else is
        ``unclear``, as is any mean over fewer than ``MIN_PAIRS`` splits.
        """
        if self.significant and round(abs(self.mean) - self.smallest, SAME) >= 0:
            return "better" if self.mean > 0 else "worse"
        interval = self.interval
        return "no gain" if interval is not None and interval[1] < self.smallest else "unclear"

    @property
    def interval(self) -> tuple[float, float] | None:
        """mean ± critical · std / √n: after :func:`correct` it excludes 0 exactly where the
        corrected p is below .05; None where it is endless, and below MIN_PAIRS splits.
        """
        if self.critical is None or len(self.differences) < MIN_PAIRS:
            return None
        return interval_of(self.summary, self.critical)

    @property
    def ends(self) -> Ends | None:
        """What is printed with the mean: the interval, or of few splits the smallest and the
        largest difference.
        """
        return ends_of(self.differences, self.interval)


def correct(family: Sequence[Evidence]) -> list[Evidence]:
    """The same with the sign-flip test, corrected for all of the family; splits of one name change
    sign together.
    """
    tests = max_t([evidence.by_draw for evidence in family])
    tested = sum(test.p is not None for test in tests)
    return [
        replace(
            evidence,
            p=test.p,
            p_corrected=test.corrected,
            critical=test.critical,
            family=tested,
        )
        for evidence, test in zip(family, tests, strict=True)
    ]


def student(evidence: Evidence, level: float = 1 - ALPHA) -> Evidence:
    """The same with Student's t interval in place of the sign-flip test: for differences that are
    not corrected for others, as those that all have to hold, or whose number the level holds.
    """
    draws = len(evidence.differences)
    if draws < 2:
        return evidence
    return replace(evidence, critical=t_quantile(draws - 1, (1 + level) / 2))


@dataclass(frozen=True)
class Verdict:
    """What is said of a configuration, and of which comparison.

    Attributes
    ----------
    control : str
        The control that decides: the strongest one; empty where nothing was compared.
    why : str
        Of ``unclear``, what is missing: ``teacher was not run``, ``3 of 6 splits``; else empty.
    """

    word: Word
    control: str = ""
    why: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.why}" if self.why else self.word


NOT_BETTER: tuple[Word, ...] = ("worse", "no gain", "unclear", "better")
"""The words in the order in which one control decides before another."""


def strongest_control(over: Mapping[str, Evidence]) -> str:
    """The name of the control that decides about a configuration: one that is better than it before
    one over which it has no gain, then one that leaves it unclear; of several the one over which
    its mean gain is least. Empty where it shares a split with none.
    """
    compared = {name: evidence for name, evidence in over.items() if evidence.differences}

    def order(name: str) -> tuple[int, float]:
        return NOT_BETTER.index(compared[name].word), compared[name].mean

    return min(compared, key=order, default="")


def judge(over: Mapping[str, Evidence]) -> Verdict:
    """The verdict on a configuration against *all* the controls that it needs. Every report and
    command asks this function: nothing else decides whether samples help.

    A configuration is ``better`` only where it is better than every control (an intersection-union
    test, which needs no further correction: Berger, Technometrics 24, 1982). It is ``worse``, or
    has ``no gain``, where one control suffices to say so. It is ``unclear`` otherwise, and where a
    control was not run, or not on enough of its splits: then ``why`` names the control.

    Parameters
    ----------
    over : mapping of str to Evidence
        The configuration minus each control, tested by :func:`correct` or :func:`student`. It has
        an entry for *every* control that the configuration needs
        (:attr:`hsiaug.report.gains.ArmCell.required`: generators, ``none`` among them, and
        classifiers without samples, as the teacher); of one that was not run, ``Evidence()``.

    Examples
    --------
    >>> sure = student(Evidence.of({seed: 0.05 + 0.001 * seed for seed in range(7)}))
    >>> str(judge({"none": sure, "duplicate": sure}))
    'better'
    >>> str(judge({"none": sure, "teacher": Evidence()}))
    'unclear: teacher was not run'
    """
    control = strongest_control(over)
    found = over[control].word if control else "unclear"
    if found in ("worse", "no gain"):
        return Verdict(found, control)
    for name, evidence in over.items():
        if not evidence.differences:
            return Verdict("unclear", name, f"{name} was not run")
        if len(evidence.differences) < MIN_PAIRS:
            shared = len(evidence.differences)
            return Verdict("unclear", name, f"{shared} of at least {MIN_PAIRS} splits")
    return Verdict(found, control)
