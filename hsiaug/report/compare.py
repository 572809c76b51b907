"""What an arm gains over the controls ``none`` and ``duplicate``, paired over the draws both share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from statistics import median

from hsiaug.metrics.significance import MeanStd, holm, mean_std, paired_wilcoxon
from hsiaug.report.cells import Arm, Cell
from hsiaug.report.records import Method, Trial
from hsiaug.report.scores import ScoreSet

__all__ = ["ALPHA", "VERDICTS", "Comparison", "Gain", "class_deltas", "compare"]

ALPHA = 0.05
TINY = 1e-12
"""Below this a mean difference is rounding, not a gain."""

VERDICTS = {
    "helps": f"mean gain above 0 against both controls, Holm p < {ALPHA:g} against both",
    "above both, n.s.": "mean gain above 0 against both controls, but not significantly so against both",
    "above both, untested": "mean gain above 0 against both controls, on too few draws to test",
    "not above duplicate": "repeating real samples does at least as well",
    "not above none": "training on the real samples alone does at least as well",
    "above neither": "mean gain above 0 against neither control",
    "worse": f"mean gain below 0 against both controls, Holm p < {ALPHA:g} against both",
    "no control": "a control with the same classifier and a shared draw is missing",
}
"""The words that a table may use of an arm, and what each one claims."""


@dataclass(frozen=True)
class Comparison:
    """An arm against one control cell, over the draws in which both gave numbers.

    d_main, d_second: differences as fractions, arm minus control, one per pair, of the two metrics that the task
        names for gains.
    p: two-sided Wilcoxon signed-rank on the main one; None below six pairs. p_holm: corrected over the whole table.
    """

    control: Cell
    pairs: tuple[tuple[Trial, Trial], ...]
    d_main: tuple[float, ...]
    d_second: tuple[float, ...]
    p: float | None
    p_holm: float | None = None

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
        """1 where the mean lies above the control, -1 where below, 0 where neither."""
        mean = self.main.mean
        return 0 if abs(mean) < TINY else (1 if mean > 0 else -1)

    @property
    def significant(self) -> bool:
        """Holm's p is below .05, and the ranks point the way the mean does.

        One huge difference can pull the mean to the other side of what most draws say; the test follows
        the draws, so its p must not be lent to such a mean.
        """
        if self.p_holm is None or self.p_holm >= ALPHA:
            return False
        walsh = median((x + y) / 2 for x, y in combinations_with_replacement(self.d_main, 2))
        return walsh * self.direction > 0


@dataclass(frozen=True)
class Gain:
    """An arm with one classifier, against each control; None where there is nothing to pair with."""

    cell: Cell
    none: Comparison | None
    duplicate: Comparison | None

    @property
    def verdict(self) -> str:
        """One of VERDICTS; ``control`` for the duplicate control itself."""
        if self.cell.arm.control:
            return "control"
        if self.none is None or self.duplicate is None:
            return "no control"
        both = (self.none, self.duplicate)
        if all(c.direction > 0 for c in both):
            if all(c.significant for c in both):
                return "helps"
            return f"above both, {'untested' if any(c.p is None for c in both) else 'n.s.'}"
        if all(c.direction < 0 and c.significant for c in both):
            return "worse"
        if self.none.direction > 0:
            return "not above duplicate"
        return "not above none" if self.duplicate.direction > 0 else "above neither"


def compare(cells: Mapping[tuple[Arm, Method], Cell], scores: ScoreSet) -> dict[tuple[Arm, Method], Gain]:
    """Every arm but ``none`` against the controls of its classifier, Holm over all tests of the table."""
    gains = {
        key: Gain(cell, *(_against(cell, name, cells.values(), scores) for name in ("none", "duplicate")))
        for key, cell in cells.items()
        if cell.arm.generator.name != "none"
    }
    tested = [c.p for gain in gains.values() for c in (gain.none, gain.duplicate) if c and c.p is not None]
    adjusted = iter(holm(tested))

    def corrected(comparison: Comparison | None) -> Comparison | None:
        if comparison is None or comparison.p is None:
            return comparison
        return replace(comparison, p_holm=next(adjusted))

    return {key: Gain(g.cell, corrected(g.none), corrected(g.duplicate)) for key, g in gains.items()}


def class_deltas(comparison: Comparison, classes: int) -> dict[int, MeanStd]:
    """Class id 1..C → recall, arm minus control, over the pairs of draws in which both have test pixels of the class."""
    found = {}
    for class_id in range(1, classes + 1):
        both = [(a.recall(class_id), b.recall(class_id)) for a, b in comparison.pairs]
        differences = [x - y for x, y in both if x is not None and y is not None]
        if differences:
            found[class_id] = mean_std(differences)
    return found


def _against(cell: Cell, name: str, cells: Iterable[Cell], scores: ScoreSet) -> Comparison | None:
    """The comparison with the control that shares most draws; the newest one where several do."""
    if cell.arm.generator.name == name:
        return None
    candidates = [
        _pair(cell, other, scores)
        for other in cells
        if other.arm.generator.name == name
        and other.classifier == cell.classifier
        and (name == "none" or other.arm.lam == cell.arm.lam)
    ]
    found = [c for c in candidates if c.pairs]
    return max(found, key=lambda c: (len(c.pairs), _newest(c.control)), default=None)


def _pair(cell: Cell, control: Cell, scores: ScoreSet) -> Comparison:
    theirs = {trial.draw: trial for trial in control.ok}
    pairs = [(trial, theirs[trial.draw]) for trial in cell.ok if trial.draw in theirs]
    pairs = [(a, b) for a, b in pairs if all(t.metric(scores.main.key) is not None for t in (a, b))]
    ours_main, theirs_main = _metric(pairs, scores.main.key)
    ours_second, theirs_second = _metric(pairs, scores.second.key)
    return Comparison(
        control,
        tuple(pairs),
        tuple(a - b for a, b in zip(ours_main, theirs_main, strict=True)),
        tuple(a - b for a, b in zip(ours_second, theirs_second, strict=True)),
        paired_wilcoxon(ours_main, theirs_main),
    )


def _metric(pairs: Sequence[tuple[Trial, Trial]], name: str) -> tuple[list[float], list[float]]:
    both = [(a.metric(name), b.metric(name)) for a, b in pairs]
    kept = [(a, b) for a, b in both if a is not None and b is not None]
    return [a for a, _ in kept], [b for _, b in kept]


def _newest(cell: Cell) -> str:
    return max(str(trial.record.get("created", "")) for trial in cell.trials)
