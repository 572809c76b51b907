"""The rule by which a difference is called a gain or a loss: the only one, for every report and command.

Plain numbers in, a typed finding out. Gains and losses need the same evidence, so exchanging an arm and what it is
measured against exchanges the words and nothing else. docs/statistics.md says the rule in prose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from hsiaug.metrics.equivalence import MARGIN, detectable_difference, equivalence
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS, draws_needed, mean_std, t_interval

Shown = Literal["above", "below", "no difference shown", "undecided"]
"""Verdicts on one difference of paired draws."""

Finding = Literal[
    "helps", "helps, at a loss", "hurts", "equivalent", "not better", "open", "undecided", "nothing made", "failed"
]
"""Verdicts on a generator, measured against its controls."""

Confirmation = Literal["helps", "open", "no"]
"""Verdicts of fresh draws on a candidate."""

TINY = 1e-12
"""Value below which a difference of one draw is rounding."""

MEANINGS: dict[Finding, str] = {
    "helps": "shown above none and above duplicate",
    "helps, at a loss": "helps, and by the same rule loses in the second metric against any control",
    "hurts": "shown below none and below duplicate",
    "equivalent": "shown to lie within ±{margin} of the control over which it gains least",
    "not better": "shown to gain less than {margin} over that control",
    "open": "enough draws for a large gain or loss, and none of this is shown: the draws are too few for a small one",
    "undecided": "fewer draws than any gain or loss could be shown with",
    "nothing made": "λ asked for no synthetic sample in any draw, so there is nothing to judge",
    "failed": "no draw went well",
}
"""Every finding, and what it claims of an arm with two controls."""


def points(margin: float) -> str:
    """``1 point``, ``0.5 points``."""
    return f"{margin:g} point{'' if margin == 1 else 's'}"


def meanings(
    also: Sequence[str] = (), who: str = "an arm that reads unlabelled pixels", margin: float = 100 * MARGIN
) -> dict[Finding, str]:
    """The same of a table in which some arms need a further control to help.

    also: the names of these controls; who: the arms that need them. margin: of equivalence, in points.
    """
    said = {finding: meaning.format(margin=points(margin)) for finding, meaning in MEANINGS.items()}
    if not also:
        return said
    names = " or ".join(also)
    return {
        **said,
        "helps": f"{MEANINGS['helps']}; {who} also above {names}",
        "undecided": f"{MEANINGS['undecided']}, be it against {names} alone",
    }


@dataclass(frozen=True)
class Evidence:
    """One arm minus one control, over the draws that both share.

    differences: fractions, one per draw. p: of the paired Wilcoxon test, Holm-corrected; None where it was not tested.
    tests: how many arms Holm's correction counts, or would count if all had draws enough. factor: by which it raised p.
    """

    differences: tuple[float, ...] = ()
    p: float | None = None
    tests: int = 1
    factor: float = 1.0

    @property
    def shown(self) -> Shown:
        """See :func:`shown`."""
        return shown(self.differences, self.p, self.tests, self.factor)

    @property
    def needed(self) -> int:
        """The fewest draws with which the difference could be shown."""
        return draws_needed(self.tests)

    @property
    def mean(self) -> float:
        """Mean difference; NaN without a draw."""
        return math.fsum(self.differences) / len(self.differences) if self.differences else math.nan


@dataclass(frozen=True)
class Verdict:
    """A finding, and what it rests on.

    against: control → what is shown against it. draws: of the control that shares fewest; needed: to decide.
    waits_for: of an undecided arm, the further control that alone keeps it from helping.
    failed, of: draws that failed, of those that were run. hardest: of an equivalent, not better or open arm, the control
    over which it gains least; margin: in points; detectable: the difference that so many draws could show, in
    points.
    """

    finding: Finding
    against: Mapping[str, Shown] = field(default_factory=dict)
    draws: int = 0
    needed: int = 0
    failed: int = 0
    of: int = 0
    waits_for: str | None = None
    hardest: str = ""
    margin: float = 0.0
    detectable: float = 0.0

    @property
    def text(self) -> str:
        """The finding in a few words, with its number of draws where that is what it is about."""
        if self.finding == "failed":
            return f"failed ({self.failed} of {self.of} {_draws(self.of)})"
        if self.finding == "undecided":
            return self._open()
        if self.finding in ("equivalent", "not better", "open"):
            return self._mixed()
        return self.finding

    def _open(self) -> str:
        if self.waits_for is None:
            return undecided(self.draws, self.needed)
        clear = " and ".join(control for control, said in self.against.items() if said == "above")
        if not self.draws:
            return f"undecided (above {clear}; no draw in common with {self.waits_for})"
        had = f"{self.draws} {_draws(self.draws)} with {self.waits_for}"
        return f"undecided (above {clear}; {had}: at least {self.needed} are needed)"

    def _mixed(self) -> str:
        """Describe a difference that is shown against one control, or opposite ones against two."""
        clear = [f"{said} {control}" for control, said in self.against.items() if said in ("above", "below")]
        rest = {
            "equivalent": f"equivalent to {self.hardest} (±{self.margin:g})",
            "not better": f"not better than {self.hardest} by {self.margin:g}",
            "open": f"open against {self.hardest} ({self.draws} draws could show {self.detectable:.1f})",
        }[self.finding]
        implied = self.finding == "not better" and self.against.get(self.hardest) == "below"
        return "; ".join(clear if implied else [*clear, rest])


def shown(differences: Sequence[float], p: float | None, tests: int = 1, factor: float = 1.0) -> Shown:
    """The verdict from paired differences (fractions) and their Holm-corrected p.

    ``above`` and ``below`` need p < .05, a mean that does not print as 0.0 points, most draws on the side of that mean,
    and a t interval of it that leaves out 0, of 95 % corrected by ``factor`` as p was. Without that: ``undecided`` where
    so few draws could not have shown anything, else ``no difference shown``.
    """
    mean = math.fsum(differences) / len(differences) if differences else 0.0
    if p is not None and p < ALPHA and unclaimed(differences, factor) is None:
        return "above" if mean > 0 else "below"
    return "undecided" if len(differences) < draws_needed(tests) else "no difference shown"


def deciding_interval(differences: Sequence[float], factor: float = 1.0) -> tuple[float, float] | None:
    """The t interval of the mean that a claim rests on: of 95 %, widened by a correction of p by ``factor``.

    None for a single difference.
    """
    return t_interval(differences, 1 - ALPHA / factor)


def unclaimed(differences: Sequence[float], factor: float = 1.0) -> str | None:
    """Why differences (fractions) claim nothing, however small their p; None where they may."""
    mean = math.fsum(differences) / len(differences)
    if prints_zero(mean):
        return "the mean prints as 0.0"
    if _middle(differences) * mean <= 0:
        return "the mean points against most draws"
    interval = deciding_interval(differences, factor)
    clear = interval is not None and interval[0] * interval[1] > 0
    return None if clear else "the t interval of the mean holds 0"


def judge(
    main: Mapping[str, Evidence],
    second: Mapping[str, Evidence] | None = None,
    *,
    of: int,
    failed: int = 0,
    nothing_made: int = 0,
    further: Mapping[str, Evidence] | None = None,
    margin: float = MARGIN,
) -> Verdict:
    """The verdict on an arm.

    main: what its main metric shows against the controls that every arm is measured against; second: the other metric,
    against all controls. further: the main one against controls that an arm must be above as well to help; they say
    nothing of harm, and an arm that is not above the others is decided without them.
    of: draws that were run; of these, failed ended in an error, and in nothing_made λ asked for no sample. margin: as a
    fraction, the difference that does not matter.
    """
    if failed + nothing_made >= of:
        return Verdict("failed" if failed else "nothing made", failed=failed, of=of)
    every = {**main, **(further or {})}
    against = {control: evidence.shown for control, evidence in every.items()}
    said, needed = {against[control] for control in main}, max(evidence.needed for evidence in every.values())
    told = partial(Verdict, against=against, needed=needed, failed=failed, of=of)
    draws = min(len(evidence.differences) for evidence in main.values())
    if set(against.values()) == {"above"}:
        lost = any(one.shown == "below" for one in (second or {}).values())
        return told("helps, at a loss" if lost else "helps", draws=draws)
    if "undecided" in said:
        return told("undecided", draws=draws)
    waits = next((control for control in every if against[control] == "undecided"), None)
    if said == {"above"} and waits is not None:
        return told("undecided", draws=len(every[waits].differences), waits_for=waits)
    if said == {"below"}:
        return told("hurts", draws=draws)
    hardest, least = min(
        ((name, evidence) for name, evidence in every.items() if evidence.differences),
        key=lambda pair: pair[1].mean,
    )
    spread = mean_std(least.differences)
    return told(
        equivalence(least.differences, margin),
        draws=spread.n,
        hardest=hardest,
        margin=100 * margin,
        detectable=100 * detectable_difference(spread.std or 0.0, spread.n),
    )


def confirm(against: Sequence[Sequence[float]], level: float, most: int) -> Confirmation:
    """The verdict of confirming draws on a candidate that other draws chose. against: its differences to each control.

    It helps where the t interval lies above 0 against every control, on at least ``MIN_PAIRS`` draws: on fewer, no
    test without the assumption of normal differences could reach .05. It does not where the mean over the better
    control is no gain, or after ``most`` draws. :func:`judge` is stricter, for tables in which nothing was chosen before.
    """
    draws, mean = len(against[0]), min(math.fsum(values) for values in against)
    if draws < MIN_PAIRS:
        return "open"
    intervals = [t_interval(values, level) for values in against]
    if all(interval is not None and interval[0] > TINY for interval in intervals):
        return "helps"
    return "no" if mean / draws <= TINY or draws >= most else "open"


def undecided(draws: int, needed: int) -> str:
    """``undecided (3 draws: at least 6 are needed)``."""
    had = f"{draws} {_draws(draws)}" if draws else "no draw in common"
    return f"undecided ({had}: at least {needed} are needed)"


def prints_zero(fraction: float) -> bool:
    """True for a difference that every table prints as 0.0 points: it is neither a gain nor a loss."""
    return round(100 * fraction, 1) == 0


def _middle(differences: Sequence[float]) -> float:
    """A number with the sign of the pseudo-median that the ranks of Wilcoxon's test go by: of the median of all means of
    two draws.

    One huge difference can pull the mean to the other side of what most draws say; the test follows the draws, so its
    p must not be lent to such a mean.
    """
    import numpy as np

    values = np.sort(np.asarray(differences, dtype=float))
    n, half = len(values), len(values) * (len(values) + 1) / 4
    # With a thousand draws these are half a million means: those on each side of 0 are counted.
    if n * n - np.searchsorted(values, -values, "right").sum() + (values > 0).sum() > 2 * half:
        return 1.0
    if np.searchsorted(values, -values, "left").sum() + (values < 0).sum() > 2 * half:
        return -1.0
    return float(np.median(np.concatenate([values[i:] + values[i] for i in range(n)]) / 2))


def _draws(n: int) -> str:
    return "draw" if n == 1 else "draws"
