"""What a gain costs: seconds of a trial of every arm beside what it gains over none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from hsiaug.report.cells import ArmCell
from hsiaug.report.compare import PairedTest
from hsiaug.report.curves import reference
from hsiaug.report.records import Trial, finite
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["HOW_TO_READ", "NAMED", "CostedArm", "costed_arms", "named_arms"]

PARTS = ("fit_generator", "fit_classifier")
"""Seconds that a record holds whole, even where the fit was reused."""
NAMED = 12
"""Arms that all have their names: of more, names and lines would hide the marks."""

HOW_TO_READ = (
    "Seconds of one trial by the clock: fitting the generator, sampling and training the classifier, median over draws. "
    "What trials share counts whole in each. Up is better, left is cheaper; bar: 95 % t interval of the mean difference; "
    f"hollow: controls. Of more than {NAMED} arms, the one of each generator's largest mean gain is named."
)

_Made = tuple[Method, float | None, tuple[int, str]]
"""Generator, ω and draw: what trials share the samples of."""


@dataclass(frozen=True)
class CostedArm:
    """An arm with one classifier. seconds: of a trial; gain: over ``none``, None for ``none`` itself."""

    cell: ArmCell
    seconds: float
    gain: PairedTest | None

    @property
    def mean(self) -> float:
        """The gain in points; 0 of ``none``."""
        return 100 * self.gain.mean if self.gain else 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """Interval of the gain in points; the mean twice for a single draw."""
        low, high = (self.gain and self.gain.interval) or (self.mean / 100, self.mean / 100)
        return 100 * low, 100 * high


def costed_arms(table: Table, classifier: Method) -> list[CostedArm]:
    """``none`` and the arms that are compared with it, those of the largest gain first.

    Empty without ``none``, where no time was kept, or where nothing is compared with it.
    """
    none, sampling = reference(table, classifier), _sampling(table)
    found = []
    for cell in table.cells_of(classifier):
        gain = table.against(cell).get("none")
        seconds = [spent for trial in cell.ok if (spent := _seconds(trial, sampling)) is not None]
        if seconds and (gain or cell is none or (none and cell.arm == none.arm)):
            found.append(CostedArm(cell, median(seconds), gain.main if gain else None))
    worth = any(one.gain for one in found) and any(one.gain is None for one in found)
    return sorted(found, key=lambda one: (-one.mean, one.seconds)) if worth else []


def named_arms(arms: Sequence[CostedArm]) -> list[CostedArm]:
    """Those whose name stands beside their mark: all, or of more than NAMED the one of each generator's largest gain."""
    if len(arms) <= NAMED:
        return list(arms)
    first: dict[Method, CostedArm] = {}
    for arm in arms:
        first.setdefault(arm.cell.arm.generator, arm)
    return list(first.values())


def _seconds(trial: Trial, sampling: Mapping[_Made, float]) -> float | None:
    """Seconds by the clock; None where a record lacks the training's, or all of it took no time."""
    timings = trial.record.get("timings") or {}
    parts = [finite(timings.get(part)) for part in PARTS]
    if parts[-1] is None:
        return None
    return sum(part or 0.0 for part in parts) + sampling.get(_made(trial), 0.0) or None


@lru_cache
def _sampling(table: Table) -> dict[_Made, float]:
    """Seconds of sampling: of trials that share their samples, the one that made them has most."""
    found: dict[_Made, float] = {}
    for trial in table.trials:
        seconds = finite((trial.record.get("timings") or {}).get("sample")) or 0.0
        found[_made(trial)] = max(found.get(_made(trial), 0.0), seconds)
    return found


def _made(trial: Trial) -> _Made:
    return trial.generator, trial.omega, trial.draw
