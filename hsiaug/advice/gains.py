"""Configurations of an advice over their controls, and the conclusions that their gains allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean
from typing import TYPE_CHECKING

from hsiaug.metrics.significance import ALPHA, TINY, Verdict, told_apart
from hsiaug.protocol.balance import Rate
from hsiaug.report.gains import ArmCell, Gain, on_shared_draws, verdict_of
from hsiaug.report.tables import make_cells, number_draws, with_large
from hsiaug.tasks.scores import MetricSet
from hsiaug.trial.arm import NONE, Arm

if TYPE_CHECKING:
    from pandas import DataFrame

Key = tuple[str, Rate, float | None, str]
"""Generator, λ with M, ω and classifier, which identify a configuration among those of one plan."""
Results = Mapping[Key, ArmCell]
MOST = 2
"""Configurations that are confirmed, at most."""


@dataclass(frozen=True, eq=False)
class ArmGain:
    """A configuration over its controls, on the inner splits in which all that was run of them went
    well.

    Attributes
    ----------
    arm : Arm
        Generator, λ, M and ω.
    classifier : str
        Its name.
    scores : tuple of float
        The main score on each of these splits.
    against : tuple of Gain
        Its gains over the controls that were run.
    verdict : Verdict
        By :func:`hsiaug.report.gains.verdict_of`, as in every report: unclear where a control was
        not run.
    """

    arm: Arm
    classifier: str
    scores: tuple[float, ...]
    against: tuple[Gain, ...]
    verdict: Verdict

    @property
    def draws(self) -> int:
        """How many splits these are."""
        return len(self.scores)

    @property
    def better(self) -> Gain:
        """The gain over the control that the configuration gains least over."""
        return min(self.against, key=attrgetter("mean"))


def arm_key(arm: Arm, classifier: str) -> Key:
    """What identifies a configuration with the classifier of that name."""
    return arm.generator.name, arm.rate, arm.omega, classifier


def results_of(trials: DataFrame, large: Sequence[int] = ()) -> Results:
    """Trials of one plan in the cells of a report, in which each seed is a split.

    Parameters
    ----------
    large : sequence of int
        Ids of the classes that the main score is averaged over; none: all of them.
    """
    trials = with_large(trials, large) if large else trials
    cells = make_cells(number_draws(trials, by_seed=True)).values()
    return {arm_key(cell.arm, cell.classifier.name): cell for cell in cells}


def gain_of(
    arm: Arm, classifier: str, results: Results, scores: MetricSet, level: float = 1 - ALPHA
) -> ArmGain:
    """The gains of a configuration over all its controls: generators with its classifier, and
    classifiers without samples, as the teacher.

    Parameters
    ----------
    results : mapping of Key to ArmCell
        Trials that went well.
    scores : MetricSet
        Its main metric and its second one are compared.
    level : float
        Of the intervals.
    """
    cell = results.get(arm_key(arm, classifier))
    without = results.get((NONE, Rate(0.0), None, classifier))
    if cell is None or without is None:
        missing = classifier if cell is None else NONE
        return ArmGain(arm, classifier, (), (), Verdict("unclear", why=f"{missing} was not run"))
    keys: dict[str, Key] = {name: (name, arm.rate, None, classifier) for name in cell.controls}
    keys |= {name: (NONE, Rate(0.0), None, name) for name in cell.rivals}
    keys[NONE] = (NONE, Rate(0.0), None, classifier)
    known = {name: results[key] for name, key in keys.items() if key in results}
    gains = on_shared_draws(cell, known, scores, level)
    verdict = verdict_of(cell, {gain.control: gain.main for gain in gains})
    assert verdict is not None, "controls of all configurations are not candidates"
    values = gains[0].cell.values(scores.main.key)
    return ArmGain(arm, classifier, tuple(values), tuple(gains), verdict)


def candidates(screened: Iterable[ArmGain], baselines: Mapping[str, str]) -> list[ArmGain]:
    """For each classifier, the configuration of the highest AA that is better than all its
    controls; the largest gain first.

    Of the configurations of one generator, a later one (of a larger λ) counts where it differs from
    those before. So does a generator beside its baseline, which is the same without its main part
    and takes less time. Among other generators AA counts, not the gain: some are measured against
    more controls than others.

    Parameters
    ----------
    screened : iterable of ArmGain
        Of all configurations, the smallest λ first.
    baselines : mapping of str to str
        Names of the baselines, by the generators that have one.

    Returns
    -------
    list of ArmGain
        Of different classifiers, two at most.
    """
    arms: dict[tuple[str, str], ArmGain] = {}
    for gain in screened:
        best_so_far = arms.get((gain.classifier, gain.arm.generator.name))
        if gain.better.mean > TINY and (
            best_so_far is None or above(gain.scores, best_so_far.scores)
        ):
            arms[gain.classifier, gain.arm.generator.name] = gain
    best: dict[str, ArmGain] = {}
    for (classifier, generator), gain in arms.items():
        simpler = arms.get((classifier, baselines.get(generator, "")))
        if simpler is not None and not above(gain.scores, simpler.scores):
            continue
        known = best.get(gain.classifier)
        if known is None or fmean(gain.scores) > fmean(known.scores):
            best[gain.classifier] = gain
    return sorted(best.values(), key=lambda gain: -gain.better.mean)[:MOST]


def above(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether the first configuration has the higher AA on the same splits, and the difference is
    clear; False where a configuration was not run on all of them.
    """
    if len(first) != len(second) or not first:
        return False
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences) > 0 and told_apart(differences)
