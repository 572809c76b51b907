"""Two arms against each other, on every condition that both were run on: what may be claimed, and what may not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.metrics.significance import MeanStd
from hsiaug.metrics.verdict import TINY, judge, undecided
from hsiaug.report.compare import Comparison, Gain, class_deltas, compare, corrected, mean_difference, pair_up
from hsiaug.report.records import ArmCell, CellKey, Trial
from hsiaug.report.scores import Metric
from hsiaug.report.tables import Report, Table
from hsiaug.report.two_arms.names import arm_names, find_arm
from hsiaug.trial.failures import why_failed

CLAIMS = {"above": "B above A", "below": "B below A"}
"""A difference that is shown, in words."""


@dataclass(frozen=True)
class Pairing:
    """Arms A and B on one condition. Differences are B − A, as fractions; pairs of the comparison are (B, A).

    The correction of p is that of the report's table, which the comparison joins where it is none of it already.
    """

    table: Table
    score: Metric
    a: ArmCell
    b: ArmCell
    comparison: Comparison

    @property
    def n(self) -> int:
        """Paired draws."""
        return len(self.comparison.pairs)

    @property
    def draws(self) -> list[tuple[Trial, Trial, float]]:
        """Trials of A and of B, and their difference, for each paired draw."""
        pairs = zip(self.comparison.pairs, self.differences, strict=True)
        return [(a, b, difference) for (b, a), difference in pairs]

    @property
    def differences(self) -> tuple[float, ...]:
        """B − A of each paired draw."""
        return self.comparison.main.differences

    @property
    def median(self) -> float:
        """The middle difference."""
        return median(self.differences)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Draws in which B is higher, both are equal, A is higher."""
        higher, lower = (sum(sign * d > TINY for d in self.differences) for sign in (1, -1))
        return higher, self.n - higher - lower, lower

    @property
    def classes(self) -> dict[int, MeanStd]:
        """Class id → recall of B − A, over the paired draws in which both have test pixels of the class."""
        return class_deltas(self.comparison, len(self.table.class_names))

    @property
    def in_fields(self) -> dict[str, MeanStd]:
        """B − A in each metric of seen and new fields, over the paired draws in which both have it."""
        found = {score.key: mean_difference(self.comparison.pairs, score.key) for score in self.table.fields}
        return {key: mean for key, mean in found.items() if mean is not None}

    @property
    def verdict(self) -> str:
        """Verdict on B − A by the rule of :mod:`hsiaug.metrics.verdict`."""
        evidence = self.comparison.main.evidence
        if evidence.shown == "undecided":
            return undecided(self.n, evidence.needed)
        return CLAIMS.get(evidence.shown, evidence.shown)

    @property
    def judged(self) -> tuple[Gain, ...]:
        """Gains of A and B over their controls, as in the report; neither controls nor ``coords`` have any."""
        gains = map(self.table.gain, (self.a, self.b))
        return tuple(gain for gain in gains if gain is not None and gain.verdict is not None)

    def unpaired(self, cell: ArmCell) -> tuple[int, ...]:
        """Seeds of the trials of A or B that went well and have no partner on the same pixels."""
        paired = {trial.hash for pair in self.comparison.pairs for trial in pair}
        return tuple(trial.seed for trial in cell.ok if trial.hash not in paired and not trial.empty)


@dataclass(frozen=True)
class ArmComparison:
    """A against B. a, b: their names. apart: sentences on conditions that cannot be compared."""

    a: str
    b: str
    pairings: tuple[Pairing, ...]
    apart: tuple[str, ...]


def compare_arms(report: Report, a: str, b: str, *, metric: str | None = None) -> ArmComparison:
    """A and B on every condition with a draw in common; on each, p is Holm-corrected over the report's table.

    a, b: as :func:`hsiaug.report.two_arms.names.find_arm` reads them. metric: its key in a record; the main one of each
    task without it.
    Raises InputError for arms and metrics that are not there, for twice the same arm, and where no draw is shared.
    """
    ours, theirs, names = _two_arms(report, a, b)
    pairings, apart = [], []
    for table in report.tables:
        cells = table.every_cell
        if ours in cells and theirs in cells:
            pairing = _pairing(table, cells[ours], cells[theirs], metric)
            if pairing.n:
                pairings.append(pairing)
            else:
                apart.append(f"{table.title}: A and B share no draw ({_had(pairing.a)}; {_had(pairing.b)})")
        elif ours in cells or theirs in cells:
            apart.append(f"{table.title}: only {'A' if ours in cells else 'B'} was run")
    if not pairings:
        raise InputError(
            f"A and B must share a draw in which both give {metric or 'the main metric'}",
            value="; ".join(apart),
            hint="Run both on the same scene, protocol and patch with the same `draws`.",
        )
    return ArmComparison(names[ours], names[theirs], tuple(pairings), tuple(apart))


def _two_arms(report: Report, a: str, b: str) -> tuple[CellKey, CellKey, dict[CellKey, str]]:
    """The two arms, and the names of all."""
    keys = [key for table in report.tables for key in table.every_cell]
    if not keys:
        raise InputError(
            f"{report.where} must hold records",
            value="none",
            hint="Run 'hsiaug benchmark … --store DIR' first, or name another folder.",
        )
    ours, theirs = find_arm(a, "A", keys), find_arm(b, "B", keys)
    names = arm_names(keys)
    if ours == theirs:
        raise InputError("A and B must be two arms", value=f"{names[ours]} twice", hint="Name another one as B.")
    return ours, theirs, names


def _had(cell: ArmCell) -> str:
    """The draws that an arm has; or why it has none to compare, in the words of the report."""
    seeds = [trial.seed for trial in cell.ok if not trial.empty]
    if seeds:
        return f"seeds {', '.join(map(str, seeds))}"
    verdict = judge({}, of=len(cell.trials), failed=len(cell.failed), nothing_made=len(cell.empty))
    return f"{verdict.text}: {why_failed(cell.failed[0].record)}" if cell.failed else verdict.text


def _pairing(table: Table, a: ArmCell, b: ArmCell, metric: str | None) -> Pairing:
    score = _score(table, metric)
    scores = replace(table.scores, main=score)
    gains = table.gains if metric is None else compare(table.cells, scores)
    known = [(gain.cell, found) for gain in gains.values() for found in gain.against.values() if found is not None]
    for cell, found in known:
        if cell is b and found.control is a:
            return Pairing(table, score, a, b, found)
        if cell is a and found.control is b:
            return Pairing(table, score, a, b, found.turned(a))
    mine = pair_up(b, a, scores)
    if mine.pairs:
        last = corrected([*gains.values(), Gain(b, {"": mine})])[-1]
        mine = last.against[""] or mine
    return Pairing(table, score, a, b, mine)


def _score(table: Table, metric: str | None) -> Metric:
    if metric is None:
        return table.scores.main
    scores = {score.key: score for score in table.metrics}
    scores |= {f"subset:{name}": Metric(f"subset:{name}", f"AA {name}") for name in table.subsets}
    if metric not in scores:
        raise InputError(
            f"`metric` must be one that {table.title} has", value=repr(metric), hint=did_you_mean(metric, scores)
        )
    return scores[metric]
