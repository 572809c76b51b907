"""Two arms against each other, on every condition that both were run on: what may be claimed, and what may not.

The pairs of the test are draws. The block bootstrap beside it is about the test pixels of one draw, and enters no
verdict: what another draw of training pixels would change is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from hsiaug.errors import InputError, did_you_mean
from hsiaug.metrics.significance import MeanStd, holm, paired_wilcoxon, smallest_p, t_interval
from hsiaug.report.arm_names import Key, arm_names, find_arm
from hsiaug.report.cells import Cell
from hsiaug.report.compare import ALPHA, TINY, Comparison, class_deltas
from hsiaug.report.ground import Land
from hsiaug.report.scores import Score
from hsiaug.report.tables import Report, Table
from hsiaug.report.versus_ground import Ground, grounds
from hsiaug.trial.store import Store

__all__ = ["A_BETTER", "B_BETTER", "NO_CLAIM", "Duel", "Pairing", "compare_arms", "draws_needed"]

B_BETTER, A_BETTER, NO_CLAIM = "B is better", "A is better", "no difference can be claimed"


@dataclass(frozen=True)
class Pairing:
    """Arms A and B on one condition. Differences are B − A, as fractions; pairs of the comparison are (B, A).

    tests: comparisons that Holm's correction counts. ground: for each pair, in their order.
    """

    table: Table
    score: Score
    a: Cell
    b: Cell
    comparison: Comparison
    tests: int
    ground: tuple[Ground, ...]

    @property
    def n(self) -> int:
        """Paired draws."""
        return len(self.comparison.pairs)

    @property
    def differences(self) -> tuple[float, ...]:
        return self.comparison.d_main

    @property
    def median(self) -> float:
        return median(self.differences)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % t interval of the mean difference; None for a single draw."""
        return t_interval(self.differences)

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
    def verdict(self) -> str:
        """A difference is claimed only where the paired test is significant and the mean points the same way."""
        if not self.comparison.significant:
            return NO_CLAIM
        return B_BETTER if self.comparison.direction > 0 else A_BETTER

    def unpaired(self, cell: Cell) -> tuple[int, ...]:
        """Seeds of the trials of A or B that went well and have no partner on the same pixels."""
        paired = {trial.hash for pair in self.comparison.pairs for trial in pair}
        return tuple(trial.seed for trial in cell.ok if trial.hash not in paired)


@dataclass(frozen=True)
class Duel:
    """A against B. a, b: their names. apart: sentences on conditions that cannot be compared."""

    a: str
    b: str
    pairings: tuple[Pairing, ...]
    apart: tuple[str, ...]


def draws_needed(tests: int = 1) -> int:
    """The fewest draws whose smallest p, times the number of tests, lies below .05."""
    return next(n for n in range(1, 64) if tests * smallest_p(n) < ALPHA)


def compare_arms(report: Report, a: str, b: str, *, metric: str | None = None, store: Store | None = None) -> Duel:
    """A and B on every condition with a draw in common; Wilcoxon's p is Holm-corrected over those conditions.

    a, b: as :func:`hsiaug.report.arm_names.find_arm` reads them. metric: its key in a record; the main one of each
    task without it. store: where the predictions lie, for the block bootstrap.
    Raises InputError for arms and metrics that are not there, for twice the same arm, and where no draw is shared.
    """
    tables = report.tables
    whole = [_cells(table) for table in tables]
    keys = [key for cells in whole for key in cells]
    if not keys:
        raise InputError(
            f"{report.where} must hold records",
            value="none",
            mend="Run 'hsiaug benchmark … --store DIR' first, or name another folder.",
        )
    ours, theirs = find_arm(a, "A", keys), find_arm(b, "B", keys)
    names = arm_names(keys)
    if ours == theirs:
        raise InputError("A and B must be two arms", value=f"{names[ours]} twice", mend="Name another one as B.")
    found, apart = [], []
    for table, cells in zip(tables, whole, strict=True):
        if ours in cells and theirs in cells:
            pairing = _pairing(table, cells[ours], cells[theirs], metric)
            if pairing.n:
                found.append(pairing)
            else:
                apart.append(
                    f"{table.title}: A and B share no draw ({_seeds(cells[ours])}; {_seeds(cells[theirs])})"
                )
        elif ours in cells or theirs in cells:
            apart.append(f"{table.title}: only {'A' if ours in cells else 'B'} was run")
    if not found:
        raise InputError(
            f"A and B must share a draw in which both give {metric or 'the main metric'}",
            value="; ".join(apart),
            mend="Run both on the same scene, protocol and patch with the same --seeds.",
        )
    lands: dict[str, Land] = {}
    tested = [replace(p, ground=grounds(p.comparison.pairs, p.score.key, store, lands)) for p in _corrected(found)]
    return Duel(names[ours], names[theirs], tuple(tested), tuple(apart))


def _cells(table: Table) -> dict[Key, Cell]:
    return {**table.cells, **{(cell.arm, cell.classifier): cell for cell in table.blind}}


def _seeds(cell: Cell) -> str:
    return f"seeds {', '.join(str(trial.seed) for trial in cell.ok) or 'none'}"


def _pairing(table: Table, a: Cell, b: Cell, metric: str | None) -> Pairing:
    score = _score(table, metric)
    theirs = {trial.draw: trial for trial in a.ok if trial.metric(score.key) is not None}
    pairs = [(t, theirs[t.draw]) for t in b.ok if t.draw in theirs and t.metric(score.key) is not None]
    after, before = ([float(pair[i].metric(score.key) or 0.0) for pair in pairs] for i in (0, 1))
    differences = tuple(y - x for x, y in zip(before, after, strict=True))
    p = paired_wilcoxon(after, before) if pairs else None
    return Pairing(table, score, a, b, Comparison(a, tuple(pairs), differences, (), p), 0, ())


def _score(table: Table, metric: str | None) -> Score:
    if metric is None:
        return table.scores.main
    scores = {score.key: score for score in table.scores.all}
    scores |= {f"subset:{name}": Score(f"subset:{name}", f"AA {name}") for name in table.subsets}
    if metric not in scores:
        raise InputError(
            f"--metric must be one that {table.title} has", value=repr(metric), mend=did_you_mean(metric, scores)
        )
    return scores[metric]


def _corrected(pairings: Iterable[Pairing]) -> list[Pairing]:
    """Holm's correction over the conditions that have enough draws for a test."""
    listed = list(pairings)
    tested = [p.comparison.p for p in listed if p.comparison.p is not None]
    adjusted = iter(holm(tested))
    return [
        replace(p, tests=len(tested), comparison=replace(p.comparison, p_holm=next(adjusted)))
        if p.comparison.p is not None
        else replace(p, tests=len(tested) + 1)
        for p in listed
    ]
