"""What an arm gains over the controls, draw by draw, and what may be concluded from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from hsiaug.metrics.significance import MIN_PAIRS, t_interval
from hsiaug.tasks.task import get_task
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

__all__ = ["Against", "Arm", "ArmGain", "Finding", "candidates", "conclude", "gained", "key", "scored"]

Finding = Literal["helps", "open", "no"]
TINY = 1e-12
Key = tuple[str, float, float | None, str, int]
Results = dict[Key, Record]


@dataclass(frozen=True)
class Arm:
    """A generator at one λ and one ω, with one classifier."""

    generator: str
    lam: float
    omega: float | None
    classifier: str


@dataclass(frozen=True)
class Against:
    """An arm minus one control, as fractions, draw by draw."""

    control: str
    aa: tuple[float, ...]
    oa: tuple[float, ...]


@dataclass(frozen=True)
class ArmGain:
    """An arm over the draws in which it and both its controls went well.

    aa: of the arm itself. against: none and duplicate at the same λ. hashes: of the arm, none and duplicate, by draw.
    ratio: test pixels per training pixel of these draws.
    """

    arm: Arm
    seeds: tuple[int, ...]
    aa: tuple[float, ...]
    against: tuple[Against, ...]
    hashes: tuple[tuple[str, ...], ...]
    ratio: float

    @property
    def better(self) -> Against:
        """The control that the arm gains less over."""
        return min(self.against, key=lambda one: sum(one.aa))

    @property
    def mean(self) -> float:
        """Mean gain of AA over the better control."""
        return fmean(self.better.aa)

    def corrected(self, level: float) -> tuple[float, float] | None:
        """Interval of the mean gain over the better control that allows for draws of the same pixels; None for one draw.

        Inner draws divide the same pixels again and again, so they are not independent, and the t interval is too
        narrow for what other training pixels would give: the variance of the mean is taken as (1/n + ratio)·s² in place
        of s²/n (C. Nadeau and Y. Bengio, Inference for the generalization error, Machine Learning 52, 2003).
        """
        usual = t_interval(self.better.aa, level)
        if usual is None:
            return None
        half = (usual[1] - usual[0]) / 2 * math.sqrt(1 + len(self.seeds) * self.ratio)
        return self.mean - half, self.mean + half


def key(trial: TrialSpec) -> Key:
    """What tells the trials of one protocol apart."""
    return trial.generator.name, trial.lam, trial.omega, trial.classifier.name, trial.seed


def scored(record: Record, which: int = 0) -> float:
    """The score of a trial that its task is advised by (of pixels AA, of masks mIoU), or the one beside it."""
    value: float = record["metrics"][get_task(record["spec"]["task"]).scores[which][0]]
    return value


def gained(arm: Arm, results: Results, seeds: Iterable[int]) -> ArmGain:
    """The gains of an arm on those of the seeds that it shares with both controls; there may be none.

    results: records of trials that went well.
    """
    controls = (("none", 0.0, None), ("duplicate", arm.lam, None))
    shared: dict[int, list[Record]] = {}
    for seed in seeds:
        wanted = ((arm.generator, arm.lam, arm.omega), *controls)
        found = [results.get((*one, arm.classifier, seed)) for one in wanted]
        if None not in found:
            shared[seed] = [record for record in found if record is not None]

    def scores(which: int, i: int) -> list[float]:
        return [scored(records[i], which) for records in shared.values()]

    def over(which: int, i: int) -> tuple[float, ...]:
        return tuple(a - b for a, b in zip(scores(which, 0), scores(which, i), strict=True))

    return ArmGain(
        arm,
        tuple(shared),
        tuple(scores(0, 0)),
        tuple(Against(control[0], over(0, i), over(1, i)) for i, control in enumerate(controls, start=1)),
        tuple(tuple(record["hash"] for record in records) for records in shared.values()),
        fmean(r["audit"]["n_test"] / r["audit"]["n_train"] for r, *_ in shared.values()) if shared else 0.0,
    )


def candidates(screened: Iterable[ArmGain], most: int = 2) -> list[ArmGain]:
    """The best arm of each classifier, the best first, where it lies above both controls."""
    best: dict[str, ArmGain] = {}
    for one in screened:
        known = best.get(one.arm.classifier)
        if one.mean > TINY and (known is None or one.mean > known.mean):
            best[one.arm.classifier] = one
    return sorted(best.values(), key=lambda one: -one.mean)[:most]


def conclude(one: ArmGain, level: float, most: int) -> Finding:
    """What the confirming draws say: it helps, it does not, or they are too few to say.

    It helps where the t interval lies above 0 against both controls, on at least ``MIN_PAIRS`` draws: on fewer, no
    test without the assumption of normal differences could reach .05. most: draws after which open means no.
    """
    if len(one.seeds) < MIN_PAIRS:
        return "open"
    intervals = [t_interval(control.aa, level) for control in one.against]
    if all(interval is not None and interval[0] > TINY for interval in intervals):
        return "helps"
    return "no" if one.mean <= TINY or len(one.seeds) >= most else "open"
