"""Gains of an arm over its controls, paired over the draws both share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.significance import MeanStd
from hsiaug.metrics.verdict import Evidence, Shown, Verdict, correct, judge
from hsiaug.report.cells import ArmCell, summarise
from hsiaug.tasks.scores import Metric, MetricSet
from hsiaug.trial.arm import BOTH, CONTROLS_OF_ALL, NONE, Arm, Method


@dataclass(frozen=True)
class Comparison:
    """An arm against one control cell, over the draws in which both gave numbers.

    Attributes
    ----------
    arm_places, control_places : array of intp
        The places of these draws among the good trials of either.
    main, second : Evidence or None
        The tests of the two metrics that the task names for gains; second is None where no pair
        has it.
    """

    cell: ArmCell
    control: ArmCell
    arm_places: NDArray[np.intp]
    control_places: NDArray[np.intp]
    main: Evidence
    second: Evidence | None

    def delta(self, metric: str) -> MeanStd | None:
        """Arm minus control in a metric, over the pairs in which both have it; None where none
        has.
        """
        return summarise(
            self.cell.column(metric)[self.arm_places]
            - self.control.column(metric)[self.control_places]
        )

    def class_deltas(self, classes: int) -> dict[int, MeanStd]:
        """Class id 1..C → the same of recall, over the pairs of draws in which both have test
        pixels of the class.
        """
        arm = self.cell.recall[self.arm_places]
        control = self.control.recall[self.control_places]
        most = min(classes, arm.shape[1], control.shape[1])
        found = {i + 1: summarise(arm[:, i] - control[:, i]) for i in range(most)}
        return {class_id: delta for class_id, delta in found.items() if delta}


Against = Mapping[str, Comparison | None]
"""What an arm is compared with → the comparison, None where nothing can be paired."""


@dataclass(frozen=True)
class ControlComparison:
    """A control beside an arm.

    Attributes
    ----------
    control : str
        Its name.
    comparison : Comparison or None
        None where nothing can be paired.
    """

    control: str
    comparison: Comparison | None

    @property
    def main(self) -> Evidence:
        """What the main metric shows."""
        return self.comparison.main if self.comparison else Evidence()


@dataclass(frozen=True)
class Gain:
    """An arm with one classifier, against each of its controls.

    Two of these comparisons answer the questions of a report, and stand wherever the arm is shown:
    :attr:`over_none`, and that with its :attr:`rival`.
    """

    cell: ArmCell
    against: Against

    @property
    def over_none(self) -> ControlComparison:
        """The arm beside the same classifier without samples."""
        return ControlComparison(NONE, self.against.get(NONE))

    @cached_property
    def rival(self) -> ControlComparison | None:
        """The control other than ``none`` that decides whether the arm is better than all of them;
        None where it has no other.

        Of those that it is shown below, or else not shown above, or else of all, the one over which
        it gains least. Where one of them shares too few draws and no other rules a gain out, that
        one.
        """
        others = [
            ControlComparison(name, one) for name, one in self.against.items() if name != NONE
        ]
        compared = [one for one in others if one.main.differences]
        if not compared:
            return others[0] if others else None
        least = min(compared, key=_mean)
        below = [one for one in compared if one.main.word == "below"]
        waiting = [one for one in others if one.main.word == "too few draws"]
        if below:
            return min(below, key=_mean)
        if waiting and least.main.word != "< 1 point":
            return min(waiting, key=lambda one: len(one.main.differences))
        return min((one for one in compared if one.main.word != "above"), key=_mean, default=least)

    @cached_property
    def verdict(self) -> Verdict | None:
        """Verdict on the arm; None for a control of every arm, which is not judged."""
        if not self.cell.arm.judged:
            return None
        main = {name: c.main if c else Evidence() for name, c in self.against.items()}
        return judge(
            {name: main[name] for name in CONTROLS_OF_ALL},
            {name: c.second for name, c in self.against.items() if c and c.second},
            further={name: one for name, one in main.items() if name not in CONTROLS_OF_ALL},
            of=len(self.cell.trials),
            failed=len(self.cell.failed),
            nothing_made=len(self.cell.idle),
        )

    @property
    def rank(self) -> tuple[int, float]:
        """Largest for the arm to show of several: 2 where it is above no samples and its rival, 1
        where above no samples; then by what it gains over no samples.
        """
        above = [one.main.word == "above" for one in (self.over_none, self.rival) if one]
        level = 2 if all(above) else int(above[0])
        return level, self.mean_over_none

    @property
    def mean_over_none(self) -> float:
        """The mean gain over no samples; below all others where there is none."""
        return _mean(self.over_none)


def _mean(contrast: ControlComparison) -> float:
    """The mean difference; below all others where there is none."""
    return contrast.main.mean if contrast.main.differences else float("-inf")


def compare(
    cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet
) -> dict[tuple[Arm, Method], Gain]:
    """Every arm of both but ``none`` against the controls of its classifier, corrected for the arms
    of the table.
    """
    return {
        (gain.cell.arm, gain.cell.classifier): gain
        for gain in corrected(uncorrected(cells, scores))
    }


def uncorrected(cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet) -> list[Gain]:
    """Every arm of both but ``none`` against the controls of its classifier; no difference is
    tested yet.
    """
    cells = {key: cell for key, cell in cells.items() if key[0] == key[0].both}
    controls: dict[tuple[str, Method], list[ArmCell]] = {}
    without_samples: dict[str, list[ArmCell]] = {}
    for cell in cells.values():
        controls.setdefault((cell.arm.generator.name, cell.classifier), []).append(cell)
        if cell.arm.generator.name == "none":
            without_samples.setdefault(cell.classifier.name, []).append(cell)
    gains = []
    for cell in (cell for cell in cells.values() if cell.arm.generator.name != "none"):
        known = {name: controls.get((name, cell.classifier), ()) for name in cell.controls}
        if cell.rival in without_samples:
            known[cell.rival] = without_samples[cell.rival]
        gains.append(
            Gain(cell, {name: _against(cell, name, there, scores) for name, there in known.items()})
        )
    return gains


def synthetic_only(
    cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet
) -> dict[tuple[Arm, Method], Against]:
    """Every arm of synthetic samples alone against ``none``, which is real ones alone, and against
    both; uncorrected.
    """
    comparisons: dict[tuple[Arm, Method], Against] = {}
    for (arm, classifier), cell in cells.items():
        if arm == arm.both:
            continue
        real_only = [
            other
            for (other_arm, by), other in cells.items()
            if other_arm.generator.name == "none" and by == classifier
        ]
        both = [other for key, other in cells.items() if key == (arm.both, classifier)]
        against = {
            "none": _against(cell, "none", real_only, scores),
            BOTH: _against(cell, BOTH, both, scores),
        }
        comparisons[arm, classifier] = {
            name: None
            if comparison is None
            else replace(comparison, main=correct([comparison.main])[0])
            for name, comparison in against.items()
        }
    return comparisons


def over_best(
    cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet
) -> dict[tuple[Arm, Method], tuple[Comparison, Shown]]:
    """Every judged arm against the best classifier of the table that got no sample, and what is
    shown.

    No test label chooses that classifier: the arm is measured against each, corrected for all of
    these comparisons; the one over which it gains least is given. ``above``: it is shown above each
    of them.
    """
    cells = {key: cell for key, cell in cells.items() if key[0] == key[0].both}
    bare: dict[Method, list[ArmCell]] = {}
    for (arm, classifier), cell in cells.items():
        if arm.generator.name == "none":
            bare.setdefault(classifier, []).append(cell)
    pairs = [
        (key, pair)
        for key, cell in cells.items()
        for there in bare.values()
        if cell.arm.judged
        and cell.ok
        and (pair := _against(cell, "none", there, scores)) is not None
    ]
    tests = correct([pair.main for _, pair in pairs])
    found: dict[tuple[Arm, Method], list[Comparison]] = {}
    for (key, pair), main in zip(pairs, tests, strict=True):
        found.setdefault(key, []).append(replace(pair, main=main))
    best = {}
    for key, over in found.items():
        hardest = min(over, key=lambda pair: pair.main.mean)
        said = hardest.main.shown
        if said == "above" and (
            len(over) < len(bare) or any(one.main.shown != "above" for one in over)
        ):
            said = "no difference shown"
        best[key] = hardest, said
    return best


def over_baseline(
    cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet
) -> list[tuple[str, Comparison]]:
    """What the main part of a generator adds: each of its arms against the same without that part.

    Returns
    -------
    list of (str, Comparison)
        The baseline's name, and the comparison at the same rate with the same classifier, corrected
        for all of these comparisons.
    """
    pairs: list[tuple[str, Comparison]] = []
    for cell in cells.values():
        if not cell.baseline or cell.arm != cell.arm.both or not cell.ok:
            continue
        others = [
            other
            for other in cells.values()
            if other.arm.generator.name == cell.baseline
            and other.arm == other.arm.both
            and other.classifier == cell.classifier
        ]
        pair = _against(cell, cell.baseline, others, scores)
        if pair is not None:
            pairs.append((cell.baseline, pair))
    tests = correct([pair.main for _, pair in pairs])
    return [
        (name, replace(pair, main=main)) for (name, pair), main in zip(pairs, tests, strict=True)
    ]


class Question(NamedTuple):
    """What is asked of a family of differences, which are corrected together.

    Attributes
    ----------
    arm_is_judged : bool
        Whether the arms are judged, or are controls themselves.
    over_none : bool
        Whether the differences are over no samples, or over other controls.
    metric : {"main", "second"}
        Which of the two metrics for gains.
    """

    arm_is_judged: bool
    over_none: bool
    metric: str


class TestKey(NamedTuple):
    """Names a difference within a family.

    Attributes
    ----------
    gain : int
        Place of the arm's gain in the list of gains.
    control : str
        Name of the control.
    """

    gain: int
    control: str


def families(gains: Sequence[Gain]) -> dict[Question, dict[TestKey, Evidence]]:
    """The differences of all gains, by the question that they answer."""
    families: dict[Question, dict[TestKey, Evidence]] = {}
    for place, gain in enumerate(gains):
        for control, comparison in gain.against.items():
            if comparison is None:
                continue
            for metric, test in (("main", comparison.main), ("second", comparison.second)):
                if test:
                    question = Question(gain.cell.arm.judged, control == "none", metric)
                    families.setdefault(question, {})[TestKey(place, control)] = test
    return families


def _corrected_family(family: Mapping[TestKey, Evidence]) -> dict[TestKey, Evidence]:
    """The differences of a family, corrected for all of them."""
    return dict(zip(family, correct(list(family.values())), strict=True))


def corrected(gains: Sequence[Gain]) -> list[Gain]:
    """The gains of one table with their tests, corrected for all comparisons that answer the same
    question.

    Whether arms are above ``none`` is one question, whether they are above their other controls
    another: in each, at most 5 % of tables say anything that is not so. The two metrics, and the
    arms that serve as controls, are apart. An arm helps only if it is shown above *all* controls,
    which needs no further correction (an intersection-union test: Berger, Technometrics 24, 1982).
    """
    tests: dict[str, dict[TestKey, Evidence]] = {"main": {}, "second": {}}
    for question, family in families(gains).items():
        tests[question.metric].update(_corrected_family(family))
    corrected_gains = []
    for place, gain in enumerate(gains):
        against: dict[str, Comparison | None] = {}
        for control, comparison in gain.against.items():
            key = TestKey(place, control)
            against[control] = comparison and replace(
                comparison, main=tests["main"][key], second=tests["second"].get(key)
            )
        corrected_gains.append(replace(gain, against=against))
    return corrected_gains


def between(gains: Sequence[Gain], comparison: Comparison) -> Comparison:
    """A comparison of two arms with its test: as :func:`corrected` has it, or among those of the
    arms with ``none``.
    """
    # Where no gain is over these two, the comparison joins those of the arms with ``none``.
    question = Question(arm_is_judged=True, over_none=True, metric="main")
    key = TestKey(-1, "")
    both = {comparison.cell, comparison.control}
    for place, gain in enumerate(gains):
        for control, other in gain.against.items():
            if other is not None and {other.cell, other.control} == both:
                question = Question(gain.cell.arm.judged, control == "none", "main")
                key = TestKey(place, control)
    family = families(gains).get(question, {})
    family.setdefault(key, comparison.main)
    test = _corrected_family(family)[key]
    main = replace(comparison.main, p=test.p, p_corrected=test.p_corrected, critical=test.critical)
    return replace(comparison, main=main)


def _against(
    cell: ArmCell, name: str, controls: Iterable[ArmCell], scores: MetricSet
) -> Comparison | None:
    """The comparison with the control that shares most draws; the newest one where several do.

    Parameters
    ----------
    name : str
        The generator that is the control.
    controls : iterable of ArmCell
        Its cells with the cell's classifier.
    """
    if cell.arm.generator.name == name:
        return None
    candidates = [
        pair_up(cell, other, scores)
        for other in controls
        if other.arm.generator.name == "none" or other.arm.rate == cell.arm.rate
    ]
    found = [c for c in candidates if len(c.arm_places)]
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda c: (len(c.arm_places), max(c.control.trials.values("created"))))


def pair_up(cell: ArmCell, control: ArmCell, scores: MetricSet) -> Comparison:
    """An arm against another, draw by draw; a draw in which either made no sample says nothing, and
    is left out.
    """
    # The place of each draw among the trials of the control; the last one is of trials without a
    # sample, whose draw is -1.
    draws = len(cell.ok.shared["draw"][1])
    place_of_draw = np.full(draws + 1, -1)
    place_of_draw[control.drawn] = np.arange(len(control.drawn))
    place_of_draw[-1] = -1
    control_place = place_of_draw[cell.drawn]

    def differences(score: Metric) -> NDArray[np.float64]:
        # Where the control lacks the draw, its place is -1: the value behind all others.
        values = np.append(control.column(score.key), np.nan)
        difference: NDArray[np.float64] = cell.column(score.key) - values[control_place]
        return difference

    main_differences = differences(scores.main)
    shared = np.flatnonzero(~np.isnan(main_differences))

    def evidence(values: NDArray[np.float64]) -> Evidence:
        known = shared[~np.isnan(values[shared])]
        return Evidence(tuple(values[known].tolist()), tuple(cell.drawn[known].tolist()))

    second = evidence(differences(scores.second))
    return Comparison(
        cell,
        control,
        arm_places=shared,
        control_places=control_place[shared],
        main=evidence(main_differences),
        second=second if second.differences else None,
    )
