"""Gains of an arm over its controls, paired over the draws both share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hsiaug.metrics.significance import MeanStd, holm, mean_std, paired_wilcoxon
from hsiaug.metrics.verdict import Evidence, Verdict, deciding_interval, judge, prints_zero
from hsiaug.report.records import ArmCell, Trial
from hsiaug.report.scores import MetricSet
from hsiaug.trial.arm import BOTH, CONTROLS, Arm, Method


@dataclass(frozen=True)
class PairedTest:
    """Differences of one metric, arm minus control, as fractions, one per pair; and the test on them.

    p: two-sided Wilcoxon signed-rank; None below six pairs. p_holm: corrected over the arms of the table, which raised it
        by ``factor``. tests: arms that the correction counts, or would count if all had six pairs.
    """

    differences: tuple[float, ...]
    p: float | None
    p_holm: float | None = None
    tests: int = 1
    factor: float = 1.0

    @property
    def summary(self) -> MeanStd:
        """The effect: mean difference with its spread."""
        return mean_std(self.differences)

    @property
    def mean(self) -> float:
        """The mean difference."""
        return self.summary.mean

    @property
    def interval(self) -> tuple[float, float] | None:
        """The t interval of the mean difference that decides: of 95 %, corrected as p is; None for a single draw."""
        return deciding_interval(self.differences, self.factor)

    @property
    def evidence(self) -> Evidence:
        """Evidence that the rule for verdicts requires."""
        return Evidence(self.differences, self.p_holm, self.tests, self.factor)


@dataclass(frozen=True)
class Comparison:
    """An arm against one control cell, over the draws in which both gave numbers.

    main, second: the tests of the two metrics that the task names for gains; second is None where no pair has it.
    """

    control: ArmCell
    pairs: tuple[tuple[Trial, Trial], ...]
    main: PairedTest
    second: PairedTest | None

    @property
    def direction(self) -> int:
        """1 where the mean lies above the control, -1 where below, 0 where it prints as 0.0."""
        mean = self.main.mean
        return 0 if prints_zero(mean) else (1 if mean > 0 else -1)


Against = Mapping[str, Comparison | None]
"""What an arm is compared with → the comparison, None where nothing can be paired."""


@dataclass(frozen=True)
class Gain:
    """An arm with one classifier, against each of its controls. margin: of equivalence, in points."""

    cell: ArmCell
    against: Against
    margin: float = 1.0

    @cached_property
    def verdict(self) -> Verdict | None:
        """Verdict on the arm; None for a control of every arm, which is not judged."""
        if not self.cell.arm.judged:
            return None
        main = {name: c.main.evidence if c else Evidence() for name, c in self.against.items()}
        return judge(
            {name: main[name] for name in CONTROLS},
            {name: c.second.evidence for name, c in self.against.items() if c and c.second},
            further={name: one for name, one in main.items() if name not in CONTROLS},
            of=len(self.cell.trials),
            failed=len(self.cell.failed),
            nothing_made=len(self.cell.empty),
            margin=self.margin / 100,
        )

    @cached_property
    def hardest(self) -> tuple[str, Comparison] | None:
        """The control that decides, and the comparison with it: the one over which the arm gains least.

        For an arm that hurts, among those it is shown below; else among those it is not shown above, if any.
        """
        found = [(control, one) for control, one in self.against.items() if one is not None]
        hurts = self.verdict is not None and self.verdict.finding == "hurts"
        said = ("below",) if hurts else ("below", "no difference shown", "undecided")
        deciding = [pair for pair in found if pair[1].main.evidence.shown in said]
        return min(deciding or found, key=lambda pair: pair[1].main.mean, default=None)

    @property
    def rank(self) -> tuple[int, float]:
        """Largest for the arm to show of several: 2 where it helps, 1 at a loss, else 0; then what it gains."""
        helps = {"helps": 2, "helps, at a loss": 1}.get(self.verdict.finding if self.verdict else "", 0)
        return helps, self.hardest[1].main.mean if self.hardest else float("-inf")


def compare(cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet) -> dict[tuple[Arm, Method], Gain]:
    """Every arm of both but ``none`` against the controls of its classifier, Holm over the arms of the table."""
    cells = {key: cell for key, cell in cells.items() if key[0] == key[0].both}
    controls: dict[tuple[str, Method], list[ArmCell]] = {}
    alone: dict[str, list[ArmCell]] = {}
    for cell in cells.values():
        controls.setdefault((cell.arm.generator.name, cell.classifier), []).append(cell)
        if cell.arm.generator.name == "none":
            alone.setdefault(cell.classifier.name, []).append(cell)
    gains = []
    for cell in (cell for cell in cells.values() if cell.arm.generator.name != "none"):
        known: dict[str, Sequence[ArmCell]]
        known = {name: controls.get((name, cell.classifier), ()) for name in cell.controls}
        if cell.rival in alone:
            known[cell.rival] = alone[cell.rival]
        against = {name: _against(cell, name, there, scores) for name, there in known.items()}
        gains.append(Gain(cell, against, scores.margin))
    return {(gain.cell.arm, gain.cell.classifier): gain for gain in corrected(gains)}


def alone(cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet) -> dict[tuple[Arm, Method], Against]:
    """Every arm of synthetic samples alone against ``none``, which is real ones alone, and against both; uncorrected."""
    return {
        (arm, classifier): {
            "none": _against(
                cell,
                "none",
                [c for (a, k), c in cells.items() if a.generator.name == "none" and k == classifier],
                scores,
            ),
            BOTH: _against(cell, BOTH, [c for key, c in cells.items() if key == (arm.both, classifier)], scores),
        }
        for (arm, classifier), cell in cells.items()
        if arm != arm.both
    }


def corrected(gains: Sequence[Gain]) -> list[Gain]:
    """The gains of one table, with Holm's correction over its arms; over ``duplicate`` and the like by themselves.

    An arm helps only if it is shown above *all* of its controls, so that no correction across these is due (an
    intersection-union test: Berger, Technometrics 24, 1982). The largest of its p-values stands for it, and all of them
    are raised by the factor by which Holm raises that one; where one is missing, by the number of arms. In the second
    metric, where a loss against any control counts, the correction is over all comparisons.
    """
    found: dict[int, Gain] = {}
    for judged in (True, False):
        family = {i: gain for i, gain in enumerate(gains) if gain.cell.arm.judged is judged}
        tested = {i: [c.main.p for c in gain.against.values() if c is not None] for i, gain in family.items()}
        largest = {
            i: max(known) for i, ps in tested.items() if (known := [p for p in ps if p is not None]) == ps != []
        }
        raised = dict(zip(largest, holm(list(largest.values())), strict=True))
        for i, gain in family.items():
            factor = raised[i] / largest[i] if i in largest else float(len(family))
            tests = len(largest) if i in largest else len(family)
            found[i] = replace(
                gain, against={name: c and _raised(c, factor, tests) for name, c in gain.against.items()}
            )
    ordered = [found[i] for i in range(len(gains))]
    seconds = iter(_holm([c.second for gain in ordered for c in gain.against.values() if c is not None]))
    return [
        replace(gain, against={name: c and replace(c, second=next(seconds)) for name, c in gain.against.items()})
        for gain in ordered
    ]


def _raised(comparison: Comparison, factor: float, tests: int) -> Comparison:
    p = comparison.main.p
    corrected = None if p is None else min(1.0, factor * p)
    return replace(comparison, main=replace(comparison.main, p_holm=corrected, tests=tests, factor=factor))


def _holm(tests: Sequence[PairedTest | None]) -> list[PairedTest | None]:
    ps = [test.p for test in tests if test is not None and test.p is not None]
    raised = iter(holm(ps))
    return [
        test
        and replace(
            test,
            tests=len(ps) if test.p is not None else len(tests),
            p_holm=None if test.p is None else next(raised),
        )
        for test in tests
    ]


def mean_difference(pairs: Iterable[tuple[Trial, Trial]], metric: str) -> MeanStd | None:
    """Arm minus control in a metric, over the pairs in which both have it; None where none has."""
    both = [(a.metric(metric), b.metric(metric)) for a, b in pairs]
    differences = [x - y for x, y in both if x is not None and y is not None]
    return mean_std(differences) if differences else None


def class_deltas(comparison: Comparison, classes: int) -> dict[int, MeanStd]:
    """Class id 1..C → recall, arm minus control, over the pairs of draws in which both have test pixels of the class."""
    found = {}
    for class_id in range(1, classes + 1):
        both = [(a.recall(class_id), b.recall(class_id)) for a, b in comparison.pairs]
        differences = [x - y for x, y in both if x is not None and y is not None]
        if differences:
            found[class_id] = mean_std(differences)
    return found


def _against(cell: ArmCell, name: str, controls: Iterable[ArmCell], scores: MetricSet) -> Comparison | None:
    """The comparison with the control that shares most draws; the newest one where several do.

    controls: the cells of the generator of that name with the cell's classifier.
    """
    if cell.arm.generator.name == name:
        return None
    candidates = [
        pair_up(cell, other, scores)
        for other in controls
        if other.arm.generator.name == "none" or other.arm.rate == cell.arm.rate
    ]
    found = [c for c in candidates if c.pairs]
    return max(found, key=lambda c: (len(c.pairs), _newest(c.control)), default=None)


def pair_up(cell: ArmCell, control: ArmCell, scores: MetricSet) -> Comparison:
    """An arm against another, draw by draw; a draw in which either made no sample says nothing, and is left out."""
    theirs, keys = control.places, (scores.main.key, scores.second.key)
    (mine, my_second), (other, other_second) = (map(one.column, keys) for one in (cell, control))
    places = [
        (i, j)
        for draw, i in cell.places.items()
        if mine[i] is not None and (j := theirs.get(draw)) is not None and other[j] is not None
    ]
    main = _test((mine[i], other[j]) for i, j in places)
    second = _test((my_second[i], other_second[j]) for i, j in places)
    pairs = tuple((cell.ok[i], control.ok[j]) for i, j in places)
    return Comparison(control, pairs, main, second if second.differences else None)


def _test(values: Iterable[tuple[float | None, float | None]]) -> PairedTest:
    """Of the pairs of which both have a value."""
    both = [(x, y) for x, y in values if x is not None and y is not None]
    p = paired_wilcoxon([x for x, _ in both], [y for _, y in both])
    return PairedTest(tuple(x - y for x, y in both), p)


def _newest(cell: ArmCell) -> str:
    return max(trial.created for trial in cell.trials)
