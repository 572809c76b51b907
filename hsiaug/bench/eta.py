"""How long the rest of a run will take: what each trial that is left should, spread over the worker processes."""

from __future__ import annotations

import heapq
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hsiaug.bench.cost_model import CostModel, Part
from hsiaug.bench.estimate import readable
from hsiaug.bench.guess import USUAL_REAL, USUAL_TEST, Guess
from hsiaug.trial.spec import PluginSpec, TrialSpec

__all__ = ["Forecast", "TimeLeft"]

OVERRUN = 1.25
"""A trial that runs longer than its like did is expected to take this times what it has taken."""
UNKNOWN = Guess(10.0, 1.0, 4.0, 1.0, USUAL_REAL, USUAL_REAL, USUAL_TEST)
"""Of a trial of which nobody has guessed."""
CLOCKS = 1.05
"""Ratio of two times of the same thing by two clocks, at most."""
SAME_SIZE = 0.1
"""Difference of the logarithms of two sizes of a training set that are taken for one."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: whether this run has seen trials like all that are left."""

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"ETA {'' if self.measured else 'about '}{readable(self.seconds)}"


@dataclass(frozen=True)
class _Planned:
    """A trial of the run. more: whether it needs samples that no trial before it does, of those that share its fit.

    stages: what it runs whatever ran before it. fit, samples: None where nothing is made.
    """

    group: str
    scene: str
    more: bool
    stages: tuple[Part, ...]
    fit: Part | None
    samples: Part | None

    def runs(self, first: bool) -> list[Part]:
        """The stages that it runs. first: whether it makes the fit that it uses."""
        found = list(self.stages)
        if self.samples and (first or self.more):
            found.append(self.samples)
        if self.fit and first:
            found.append(self.fit)
        return found

    @property
    def besides(self) -> tuple[tuple[object, ...], ...]:
        """What its time outside the stages depends on, from the special to the general."""
        return (self.scene, self.more), (self.more,)


@dataclass
class _Mean:
    """Of numbers as they come."""

    count: int = 0
    value: float = 0.0

    def add(self, number: float) -> None:
        self.count += 1
        self.value += (number - self.value) / self.count


class Forecast:
    """Follows the trials of a run, and says what the rest will take.

    trials: by hash, in the order in which they run; those of one scene together. jobs: worker processes.
    guesses: by hash, from earlier records and plugins' cards. clock: seconds, in this process.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        *,
        jobs: int = 1,
        guesses: Mapping[str, Guess] | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._left = _planned(trials, guesses or {})
        self._jobs = max(1, jobs)
        self._clock = clock
        self._model = CostModel(self._jobs)
        self._running: dict[str, tuple[float, bool]] = {}
        self._fitted: set[str] = set()
        self._started: dict[str, int] = defaultdict(int)
        self._cold: dict[str, bool] = {}
        self._besides: dict[tuple[object, ...], _Mean] = defaultdict(_Mean)
        self._starts = _Mean()
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def started(self, hash: str) -> None:
        """A trial begins, perhaps anew; the first of those that share a fit makes it."""
        with self._lock:
            trial = self._left.get(hash)
            if trial is None:
                return
            self._running[hash] = self._clock(), trial.group not in self._fitted
            self._fitted.add(trial.group)
            self._cold[hash] = self._started[trial.scene] < self._jobs
            self._started[trial.scene] += 1

    def ended(self, hash: str, timings: Mapping[str, float] | None) -> None:
        """A trial has ended. timings: seconds by stage, of its record; None where it failed, which says nothing."""
        with self._lock:
            trial, begun = self._left.pop(hash, None), self._running.pop(hash, None)
            if trial is None or begun is None or timings is None:
                return
            left = self._clock() - begun[0]
            for part in trial.runs(begun[1]):
                seconds = timings.get(part.stage, 0.0)
                # Where it is more, the fit was there: the record tells what it took when it was made.
                if seconds <= CLOCKS * left:
                    self._model.tell(part, seconds)
                    left = max(0.0, left - seconds)
            for mean in [self._starts] if self._cold[hash] else [self._besides[key] for key in trial.besides]:
                mean.add(left)

    def left(self) -> TimeLeft:
        """What the rest takes."""
        with self._lock:
            return self._sum()

    def _sum(self) -> TimeLeft:
        scenes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        fitted, so_far, measured = set(self._fitted), self._so_far(), True
        for hash, trial in self._left.items():
            begun = self._running.get(hash)
            first = begun[1] if begun else trial.group not in fitted
            fitted.add(trial.group)
            seconds = self._seconds(trial, first)
            measured &= self._knows(trial, first)
            kind = trial.stages[0].kind, first
            if so_far.get(kind, 0.0) > seconds:
                seconds, measured = OVERRUN * so_far[kind], False
            if begun:
                seconds = max(0.0, seconds - (self._clock() - begun[0]))
            scenes[trial.scene][trial.group].append(seconds)
        walls = (
            _wall(groups.values(), self._jobs) + (0.0 if scene in self._started else self._starts.value)
            for scene, groups in scenes.items()
        )
        return TimeLeft(sum(walls), measured)

    def _seconds(self, trial: _Planned, first: bool) -> float:
        besides = next((self._besides[key].value for key in trial.besides if key in self._besides), 0.0)
        return besides + sum(self._model.seconds(part) for part in trial.runs(first))

    def _knows(self, trial: _Planned, first: bool) -> bool:
        return all(self._model.knows(part) for part in trial.runs(first))

    def _so_far(self) -> dict[tuple[str, bool], float]:
        """How long the longest running trial of each kind has been at it."""
        now = self._clock()
        longest: dict[tuple[str, bool], float] = {}
        for hash, (begun, first) in self._running.items():
            kind = self._left[hash].stages[0].kind, first
            longest[kind] = max(now - begun, longest.get(kind, 0.0))
        return longest


def _wall(groups: Iterable[list[float]], jobs: int) -> float:
    """Seconds until all groups have ended: one after the other goes to the process that is free first.

    The first trial of a group must end in the process that begins it; those behind it are shared at the end.
    """
    free = [0.0] * jobs
    least = 0.0
    for first, *behind in groups:
        begin = heapq.heappop(free)
        least = max(least, begin + first)
        heapq.heappush(free, begin + first + sum(behind))
    return max(least, sum(free) / jobs)


def _planned(trials: Mapping[str, TrialSpec], guesses: Mapping[str, Guess]) -> dict[str, _Planned]:
    found: dict[str, _Planned] = {}
    most: dict[tuple[str, float | None], int] = {}
    for hash, trial in trials.items():
        guess, pool = guesses.get(hash, UNKNOWN), (trial.fit_hash, trial.omega)
        made = guess.made if trial.lam else 0
        # Every λ takes a prefix of the same pool of samples.
        more = made - most.get(pool, 0) if pool in most else made
        most[pool] = max(made, most.get(pool, 0))
        train, test = guess.real + made, guess.tested or USUAL_TEST
        found[hash] = _Planned(
            trial.fit_hash,
            _scene(trial),
            more > 0,
            (
                _part("fit_classifier", trial, trial.classifier, guess.learn, train / USUAL_REAL),
                _part("predict", trial, trial.classifier, guess.predict, test / USUAL_TEST),
            ),
            _part("fit_generator", trial, trial.generator, guess.fit, guess.real / USUAL_REAL) if made else None,
            _part("sample", trial, trial.generator, guess.samples, max(1, more) / USUAL_REAL) if made else None,
        )
    return found


def _part(stage: str, trial: TrialSpec, spec: PluginSpec, guess: float, size: float) -> Part:
    of_classifier = stage in ("fit_classifier", "predict")
    name, key = f"{stage} {spec.name}", f"{stage} {spec.hash} {trial.view if of_classifier else ''}"
    setting = f"{key} {_scene(trial)} {trial.protocol.label} {trial.patch}"
    like = (
        f"{trial.generator.name} {trial.lam}"
        if of_classifier
        else f"{trial.omega} {round(math.log(size) / SAME_SIZE)}"
    )
    kind = f"{setting} {like}"
    return Part(
        guess, size, ("all", stage, name, key, f"{stage} {_scene(trial)}", f"{key} {_scene(trial)}", setting, kind)
    )


def _scene(trial: TrialSpec) -> str:
    return f"{trial.task} {trial.scene_sha256}"
