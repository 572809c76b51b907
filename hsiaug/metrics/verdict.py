"""The rule by which a difference is called a gain or a loss, in every report and command, and the
two tests that give a difference its interval: :func:`correct` for the arms of a table,
:func:`student` for differences that are looked at one by one.

Plain numbers in, a typed finding out. Gains and losses need the same evidence, so exchanging an arm
and what it is measured against exchanges the words and nothing else. docs/read-a-report.md says the
rule in prose.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal

from hsiaug.metrics.significance import (
    ALPHA,
    MIN_PAIRS,
    Ends,
    MeanStd,
    ends_of,
    interval_of,
    max_t,
    mean_std,
    t_quantile,
)

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
    """

    differences: tuple[float, ...] = ()
    draws: tuple[Hashable, ...] = ()
    p: float | None = None
    p_corrected: float | None = None
    critical: float | None = None

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
    return [
        replace(evidence, p=test.p, p_corrected=test.corrected, critical=test.critical)
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
        Of an arm that gains, the control with which it shares too few draws, where it is above
        all others.
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
        waits_for = next(control for control in every if against[control] == "too few draws")
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
        detectable=100 * detectable_difference(spread.std or 0.0, spread.n, least.critical),
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
    return f"too few draws ({draws or 'none in common'}: at least {MIN_PAIRS} are needed)"


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


def detectable_difference(std: float, draws: int, critical: float | None = None) -> float:
    """The mean difference that is found with a power of 80 % where the mean must be beyond
    ``critical`` standard errors.

    Parameters
    ----------
    std : float
        Standard deviation of the paired differences.
    critical : float or None
        None for that of a two-sided t test at 5 %. Infinite for fewer than two draws.
    """
    if draws < 2:
        return math.inf
    beyond = t_quantile(draws - 1, 1 - ALPHA / 2) if critical is None else critical
    return (beyond + t_quantile(draws - 1, POWER)) * std / math.sqrt(draws)
