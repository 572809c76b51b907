"""How sure a difference is, and what it is called: spread, intervals and the sign-flip test over
paired draws; and the rule by which every report and command speaks of a gain or a loss.

The pairs are draws (seeds), never pixels: neighbouring pixels are not independent, so a test over
pixels (McNemar's) finds significance where there is none.

Two tests give a difference its interval: :func:`correct` for the arms of a table, :func:`student`
for differences that are looked at one by one. Of the rule, numbers go in and a typed finding comes
out. Gains and losses need the same evidence, so exchanging an arm and what it is measured against
exchanges the words and nothing else. docs/read-a-report.md says the rule in prose.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hsiaug.base.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


ALPHA = 0.05
"""A corrected p below this carries a claim."""
MIN_PAIRS = 6
"""Fewest draws with which a two-sided sign-flip test can reach .05 (2 / 2**6 = .031)."""
ENOUGH = f"at least {MIN_PAIRS} are needed"
"""What is said wherever draws are too few."""
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
Shown = Literal["above", "below", "< 1 point", "open", "too few draws"]
"""What one difference of paired draws shows; terminal, page, picture and files have these words.
``above`` and ``below``: shown by the test. ``< 1 point``: the whole interval lies below MARGIN.
``open``: enough draws for a large difference, and none of these is shown.
"""
Finding = Literal[
    "helps",
    "helps, at a loss",
    "gains",
    "hurts",
    "equivalent",
    "not better",
    "open",
    "too few draws",
    "nothing made",
    "failed",
]
"""Verdicts on a generator, measured against its controls."""

Confirmation = Literal["helps", "open", "no"]
"""Verdicts of fresh draws on a candidate."""
TINY = 1e-12
"""Value below which a difference of one draw is rounding."""
MARGIN = 0.01
"""Difference, as a fraction, that does not matter: one point of AA."""
POWER = 0.8
"""Power with which a difference is called detectable."""


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
        return 1.0 - 2.0 * bits
    rng = np.random.default_rng(0)
    signs = np.ones((PATTERNS, draws))
    # Row by row: all integers at once would take twice the memory of the signs.
    for row in signs:
        row -= 2.0 * rng.integers(2, size=draws)
    signs[0] = 1
    return signs


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


# The rule


@dataclass(frozen=True)
class Evidence:
    """One metric of an arm minus that of a control, over the draws that both share, and the test of
    the differences.

    Attributes
    ----------
    differences : tuple of float
        Fractions, one per draw.
    draws : tuple of Hashable
        What names each draw.
    p, p_corrected : float or None
        Of the sign-flip test by itself, and corrected for its family, as in
        :class:`hsiaug.metrics.significance.FlipTest`; set by :func:`correct`.
    critical : float or None
        Standard errors between the mean and the ends of its interval; set by :func:`correct` or
        :func:`student`.
    family : int
        Of how many tested comparisons, this one among them, ``p_corrected`` and the interval are;
        set by :func:`correct`.
    """

    differences: tuple[float, ...] = ()
    draws: tuple[Hashable, ...] = ()
    p: float | None = None
    p_corrected: float | None = None
    critical: float | None = None
    family: int = 1

    @classmethod
    def paired(cls, values: Mapping[Any, float], over: Mapping[Any, float]) -> Evidence:
        """Values by draw minus others, over the draws that both have."""
        return cls.of({draw: values[draw] - over[draw] for draw in values if draw in over})

    @classmethod
    def of(cls, differences: Mapping[Any, float]) -> Evidence:
        """Differences by draw."""
        return cls(tuple(differences.values()), tuple(differences))

    @property
    def by_draw(self) -> dict[Hashable, float]:
        """The difference of each draw."""
        return dict(zip(self.draws, self.differences, strict=True))

    @cached_property
    def summary(self) -> MeanStd:
        """The effect: mean difference with its spread."""
        return mean_std(self.differences)

    @property
    def mean(self) -> float:
        """The mean difference."""
        return self.summary.mean

    @cached_property
    def shown(self) -> Shown:
        """What the differences show.

        ``above`` and ``below`` need a corrected p < .05 and a mean that does not print as 0.0
        points. Without a p, the draws were too few to show anything.
        """
        if self.p_corrected is None:
            return "too few draws"
        if self.p_corrected < ALPHA and round(100 * self.mean, 1) != 0:
            return "above" if self.mean > 0 else "below"
        return "open" if equivalence(self.interval) == "open" else "< 1 point"

    @property
    def clear(self) -> bool:
        """Whether the mean is farther from 0 than the ends of its interval, of few draws too."""
        if self.critical is None:
            return False
        low, high = interval_of(self.summary, self.critical)
        return low * high > 0

    @property
    def interval(self) -> tuple[float, float] | None:
        """mean ± critical · std / √n: after :func:`correct` it excludes 0 exactly where the
        corrected p is below .05; None where it is endless, and below MIN_PAIRS draws.
        """
        if self.critical is None or len(self.differences) < MIN_PAIRS:
            return None
        return interval_of(self.summary, self.critical)

    @property
    def ends(self) -> Ends | None:
        """What stands beside the mean: the interval, or of few draws the smallest and the largest
        difference.
        """
        return ends_of(self.differences, self.interval)


def correct(family: Sequence[Evidence]) -> list[Evidence]:
    """The same with the sign-flip test, corrected for all of the family; draws of one name change
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
    """A finding, and what it rests on.

    Attributes
    ----------
    against : mapping of str to Shown
        Control → what is shown against it.
    draws : int
        Of the control that shares fewest.
    waits_for : str
        Of an arm that gains, its rival (:func:`rival_control`), where that shares too few draws
        and the arm is above all others.
    failed, of : int
        Draws that failed, of those that were run.
    hardest : str
        Of an arm that gains, or is equivalent, not better or open, the control that decides
        (:func:`deciding`).
    detectable : float
        The difference that so many draws could show, in points.
    """

    finding: Finding
    against: Mapping[str, Shown] = field(default_factory=dict)
    draws: int = 0
    failed: int = 0
    of: int = 0
    waits_for: str = ""
    hardest: str = ""
    detectable: float = 0.0


def deciding(compared: Mapping[str, Evidence]) -> str:
    """The name of the control that decides about an arm: of those that the arm is shown below, or
    else not shown above, or else of all, the one over which it gains least.
    """
    below = [name for name, evidence in compared.items() if evidence.shown == "below"]
    not_above = [name for name, evidence in compared.items() if evidence.shown != "above"]
    return min(below or not_above or compared, key=lambda name: compared[name].mean)


def rival_control(others: Mapping[str, Evidence]) -> str | None:
    """The name of the control other than ``none`` that decides whether an arm is better than all of
    them; None where it has no other.

    As :func:`deciding` has it; but where one of them shares too few draws and no other rules a gain
    out, that one: of several the one with the fewest draws, and of these the one over which the arm
    gains least.

    Parameters
    ----------
    others : mapping of str to Evidence
        What is shown against each of these, without a difference where no draw is shared.
    """
    compared = {name: evidence for name, evidence in others.items() if evidence.differences}
    if not compared:
        return next(iter(others), None)
    decides = deciding(compared)
    least = min(compared.values(), key=attrgetter("mean"))
    waiting = [name for name, evidence in others.items() if evidence.shown == "too few draws"]
    if not waiting or compared[decides].shown == "below" or least.shown == "< 1 point":
        return decides

    def draws_and_mean(name: str) -> tuple[int, float]:
        differences = others[name].differences
        return len(differences), others[name].mean if differences else 0.0

    return min(waiting, key=draws_and_mean)


def judge(
    main: Mapping[str, Evidence],
    second: Mapping[str, Evidence] | None = None,
    *,
    of: int,
    failed: int = 0,
    nothing_made: int = 0,
    further: Mapping[str, Evidence] | None = None,
) -> Verdict:
    """The verdict on an arm.

    Parameters
    ----------
    main : mapping of str to Evidence
        What its main metric shows against the controls that every arm is measured against.
    second : mapping of str to Evidence or None
        The other metric, against all controls.
    further : mapping of str to Evidence or None
        The main one against controls that an arm must be above as well to help; they say
        nothing of harm, and an arm that is not above the others is decided without them. The
        first question is whether it is above ``none``: what is, and is not shown to be above
        the rest or without use beside them, gains.
    of : int
        Draws that were run; of these, failed ended in an error, and in nothing_made λ asked for
        no sample.
    """
    if failed + nothing_made >= of:
        return Verdict("failed" if failed else "nothing made", failed=failed, of=of)
    every = {**main, **(further or {})}
    against = {control: evidence.shown for control, evidence in every.items()}
    verdict = partial(Verdict, against=against, failed=failed, of=of)
    shown_anywhere = set(against.values())
    shown_in_main = {against[control] for control in main}
    above_none = against.get("none") == "above"
    draws = min(len(evidence.differences) for evidence in main.values())
    if shown_anywhere == {"above"}:
        lost = any(evidence.shown == "below" for evidence in (second or {}).values())
        return verdict("helps, at a loss" if lost else "helps", draws=draws)
    if above_none and shown_anywhere == {"above", "too few draws"}:
        rival = rival_control({name: one for name, one in every.items() if name != "none"})
        waits_for = rival or ""
        return verdict("gains", draws=len(every[waits_for].differences), waits_for=waits_for)
    if "too few draws" in shown_in_main:
        return verdict("too few draws", draws=draws)
    if shown_in_main == {"below"}:
        return verdict("hurts", draws=draws)
    compared = {name: evidence for name, evidence in every.items() if evidence.differences}
    hardest = deciding(compared)
    least = compared[hardest]
    spread = least.summary
    finding: Finding = equivalence(least.interval)
    if finding == "open" and above_none and "below" not in shown_anywhere:
        finding = "gains"
    return verdict(
        finding,
        draws=spread.n,
        hardest=hardest,
        detectable=100 * detectable_difference(spread.std or 0.0, spread.n, least.critical or 0.0),
    )


def confirm(against: Sequence[Evidence], most: int) -> Confirmation:
    """The verdict of confirming draws on a candidate that other draws chose.

    It helps where the interval lies above 0 against every control, on at least ``MIN_PAIRS``
    draws: on fewer, no test without the assumption of normal differences could reach .05. It does
    not where the mean over the better control is no gain, or after ``most`` draws. :func:`judge` is
    stricter, for tables in which nothing was chosen before.

    Parameters
    ----------
    against : sequence of Evidence
        Its differences to each control, on the draws that all share.
    """
    draws = min((len(evidence.differences) for evidence in against), default=0)
    if draws < MIN_PAIRS:
        return "open"
    intervals = [evidence.interval for evidence in against]
    if all(interval is not None and interval[0] > TINY for interval in intervals):
        return "helps"
    mean = min(evidence.mean for evidence in against)
    return "no" if mean <= TINY or draws >= most else "open"


def too_few(draws: int) -> str:
    """``too few draws (3: at least 6 are needed)``."""
    return f"too few draws ({draws or 'none in common'}: {ENOUGH})"


def equivalence(
    interval: tuple[float, float] | None,
) -> Literal["equivalent", "not better", "open"]:
    """The claim of a difference whose ends are printed, as fractions.

    ``equivalent``: all of the interval lies within ±MARGIN. ``not better``: it lies below +MARGIN.
    ``open``: neither, or there is no interval.
    """
    if interval is None or interval[1] >= MARGIN:
        return "open"
    return "equivalent" if interval[0] > -MARGIN else "not better"


def detectable_difference(std: float, draws: int, critical: float = 0.0) -> float:
    """The mean difference that is found with a power of 80 % where the mean must be beyond the
    larger of ``critical`` standard errors and what a two-sided t test at 5 % asks for; infinite for
    fewer than two draws.

    Parameters
    ----------
    std : float
        Standard deviation of the paired differences.
    critical : float
        Of the test that was made. It is small where a single draw stands out, as it need not in
        other draws.
    """
    if draws < 2:
        return math.inf
    beyond = max(t_quantile(draws - 1, 1 - ALPHA / 2), critical)
    return (beyond + t_quantile(draws - 1, POWER)) * std / math.sqrt(draws)
