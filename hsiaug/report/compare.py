"""What an arm gains over the controls ``none`` and ``duplicate``, paired over the draws both share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hsiaug.metrics.significance import MeanStd, holm, mean_std, paired_wilcoxon
from hsiaug.metrics.verdict import Evidence, Verdict, judge, prints_zero
from hsiaug.report.cells import ArmCell
from hsiaug.report.records import Trial
from hsiaug.report.scores import MetricSet
from hsiaug.trial.arm import CONTROLS, Arm, Method

__all__ = ["Comparison", "Gain", "class_deltas", "compare", "corrected", "pair_up"]


@dataclass(frozen=True)
class Comparison:
    """An arm against one control cell, over the draws in which both gave numbers.

    d_main, d_second: differences as fractions, arm minus control, one per pair, of the two metrics that the task
        names for gains.
    p, p_second: two-sided Wilcoxon signed-rank on either; None below six pairs. p_holm, p_second_holm: corrected over
        the whole table. tests: comparisons that the correction counts, or would count if all had six pairs.
    """

    control: ArmCell
    pairs: tuple[tuple[Trial, Trial], ...]
    d_main: tuple[float, ...]
    d_second: tuple[float, ...]
    p: float | None
    p_holm: float | None = None
    p_second: float | None = None
    p_second_holm: float | None = None
    tests: int = 1

    @property
    def main(self) -> MeanStd:
        """The effect: mean difference of the main metric with its spread."""
        return mean_std(self.d_main)

    @property
    def second(self) -> MeanStd | None:
        """Mean difference of the second metric with its spread."""
        return mean_std(self.d_second) if self.d_second else None

    @property
    def direction(self) -> int:
        """1 where the mean lies above the control, -1 where below, 0 where it prints as 0.0."""
        mean = self.main.mean
        return 0 if prints_zero(mean) else (1 if mean > 0 else -1)

    @property
    def evidence(self) -> Evidence:
        """What the rule for verdicts asks of the main metric."""
        return Evidence(self.d_main, self.p_holm, self.tests)

    @property
    def second_evidence(self) -> Evidence:
        """The same of the second one."""
        return Evidence(self.d_second, self.p_second_holm, self.tests)

    def turned(self, control: ArmCell) -> Comparison:
        """The same comparison from the other side. control: the arm of before."""
        return replace(
            self,
            control=control,
            pairs=tuple((b, a) for a, b in self.pairs),
            d_main=tuple(-d for d in self.d_main),
            d_second=tuple(-d for d in self.d_second),
        )


@dataclass(frozen=True)
class Gain:
    """An arm with one classifier, against each control; None where there is nothing to pair with."""

    cell: ArmCell
    none: Comparison | None
    duplicate: Comparison | None

    @property
    def against(self) -> dict[str, Comparison | None]:
        """Control → the comparison with it."""
        return {"none": self.none, "duplicate": self.duplicate}

    @cached_property
    def verdict(self) -> Verdict | None:
        """What is shown of the arm; None for the control ``duplicate`` itself, which is not judged."""
        if self.cell.arm.control:
            return None
        found = self.against.items()
        return judge(
            {name: c.evidence if c else Evidence() for name, c in found},
            {name: c.second_evidence for name, c in found if c},
            of=len(self.cell.trials),
            failed=len(self.cell.failed),
            nothing_made=len(self.cell.empty),
        )


def compare(cells: Mapping[tuple[Arm, Method], ArmCell], scores: MetricSet) -> dict[tuple[Arm, Method], Gain]:
    """Every arm but ``none`` against the controls of its classifier, Holm over all tests of the table."""
    against = {
        (key, name): _against(cell, name, cells.values(), scores)
        for key, cell in cells.items()
        if cell.arm.generator.name != "none"
        for name in CONTROLS
    }
    tested = iter(corrected([c for c in against.values() if c is not None]))
    found = {place: next(tested) if c is not None else None for place, c in against.items()}
    return {
        key: Gain(cell, found[key, "none"], found[key, "duplicate"])
        for key, cell in cells.items()
        if cell.arm.generator.name != "none"
    }


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons of one table with Holm's correction over those with a p, for either metric by itself."""
    tests = sum(c.p is not None for c in comparisons)
    main = iter(holm([c.p for c in comparisons if c.p is not None]))
    second = iter(holm([c.p_second for c in comparisons if c.p_second is not None]))
    return [
        replace(
            c,
            p_holm=None if c.p is None else next(main),
            p_second_holm=None if c.p_second is None else next(second),
            tests=len(comparisons) if c.p is None else tests,
        )
        for c in comparisons
    ]


def class_deltas(comparison: Comparison, classes: int) -> dict[int, MeanStd]:
    """Class id 1..C → recall, arm minus control, over the pairs of draws in which both have test pixels of the class."""
    found = {}
    for class_id in range(1, classes + 1):
        both = [(a.recall(class_id), b.recall(class_id)) for a, b in comparison.pairs]
        differences = [x - y for x, y in both if x is not None and y is not None]
        if differences:
            found[class_id] = mean_std(differences)
    return found


def _against(cell: ArmCell, name: str, cells: Iterable[ArmCell], scores: MetricSet) -> Comparison | None:
    """The comparison with the control that shares most draws; the newest one where several do."""
    if cell.arm.generator.name == name:
        return None
    candidates = [
        pair_up(cell, other, scores)
        for other in cells
        if other.arm.generator.name == name
        and other.classifier == cell.classifier
        and (name == "none" or other.arm.lam == cell.arm.lam)
    ]
    found = [c for c in candidates if c.pairs]
    return max(found, key=lambda c: (len(c.pairs), _newest(c.control)), default=None)


def pair_up(cell: ArmCell, control: ArmCell, scores: MetricSet) -> Comparison:
    """An arm against another, draw by draw; a draw in which either made no sample says nothing, and is left out."""
    theirs = {trial.draw: trial for trial in control.ok if not trial.empty}
    pairs = [(trial, theirs[trial.draw]) for trial in cell.ok if trial.draw in theirs and not trial.empty]
    pairs = [(a, b) for a, b in pairs if all(t.metric(scores.main.key) is not None for t in (a, b))]
    ours_main, theirs_main = _metric(pairs, scores.main.key)
    ours_second, theirs_second = _metric(pairs, scores.second.key)
    return Comparison(
        control,
        tuple(pairs),
        tuple(a - b for a, b in zip(ours_main, theirs_main, strict=True)),
        tuple(a - b for a, b in zip(ours_second, theirs_second, strict=True)),
        paired_wilcoxon(ours_main, theirs_main),
        p_second=paired_wilcoxon(ours_second, theirs_second),
    )


def _metric(pairs: Sequence[tuple[Trial, Trial]], name: str) -> tuple[list[float], list[float]]:
    both = [(a.metric(name), b.metric(name)) for a, b in pairs]
    kept = [(a, b) for a, b in both if a is not None and b is not None]
    return [a for a, _ in kept], [b for _, b in kept]


def _newest(cell: ArmCell) -> str:
    return max(str(trial.record.get("created", "")) for trial in cell.trials)
