"""How long the rest of a run will take: what each trial that is left should, spread over the worker processes."""

from __future__ import annotations

import heapq
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hsiaug.bench.cost_model import CostModel, Part
from hsiaug.bench.estimate import Guess, readable
from hsiaug.trial.spec import PluginSpec, TrialSpec

__all__ = ["Forecast", "TimeLeft"]

OVERRUN = 1.25
"""A trial that runs longer than its like did is expected to take this times what it has taken."""
UNKNOWN = Guess(10.0, 5.0, 300)
"""Of a trial of which nobody has guessed."""
SAMPLING = 0.1
"""Of the seconds that are guessed for a fit with its samples: those of the samples."""
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
    """A trial of the run. new: the first of those that share its fit, its λ and its ω.

    generator, samples: what its fit and its samples cost; None where nothing is made.
    """

    fit: str
    scene: str
    new: bool
    generator: Part | None
    samples: Part | None
    classifier: Part

    def parts(self, first: bool) -> list[tuple[Part, tuple[str, ...]]]:
        """What runs in it, and the stages in which. first: whether it makes the fit that it uses."""
        runs = [(self.classifier, ("fit_classifier", "predict"))]
        if self.samples and (first or self.new):
            runs.append((self.samples, ("sample",)))
        if self.generator and first:
            runs.append((self.generator, ("fit_generator",)))
        return runs

    @property
    def besides(self) -> tuple[tuple[object, ...], ...]:
        """What its time outside the plugins depends on, from the most special to the most general."""
        return (self.scene, self.new), (self.new,)


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
        self._model = CostModel()
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
            self._running[hash] = self._clock(), trial.fit not in self._fitted
            self._fitted.add(trial.fit)
            self._cold[hash] = self._started[trial.scene] < self._jobs
            self._started[trial.scene] += 1

    def ended(self, hash: str, timings: Mapping[str, float] | None) -> None:
        """A trial has ended. timings: seconds by stage, of its record; None where it failed, which says nothing."""
        with self._lock:
            trial, begun = self._left.pop(hash, None), self._running.pop(hash, None)
            if trial is None or begun is None or timings is None:
                return
            left = self._clock() - begun[0]
            for part, stages in trial.parts(begun[1]):
                seconds = sum(timings.get(stage, 0.0) for stage in stages)
                # Where it is more, the fit was there: the record tells what it took when it was made.
                if seconds <= left:
                    self._model.tell(part, seconds)
                    left -= seconds
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
            first = begun[1] if begun else trial.fit not in fitted
            fitted.add(trial.fit)
            seconds = self._seconds(trial, first)
            measured &= self._knows(trial, first)
            kind = trial.classifier.kind, first
            if so_far.get(kind, 0.0) > seconds:
                seconds, measured = OVERRUN * so_far[kind], False
            if begun:
                seconds = max(0.0, seconds - (self._clock() - begun[0]))
            scenes[trial.scene][trial.fit].append(seconds)
        walls = (
            _wall(groups.values(), self._jobs) + (0.0 if scene in self._started else self._starts.value)
            for scene, groups in scenes.items()
        )
        return TimeLeft(sum(walls), measured)

    def _seconds(self, trial: _Planned, first: bool) -> float:
        besides = next((self._besides[key].value for key in trial.besides if key in self._besides), 0.0)
        return besides + sum(self._model.seconds(part) for part, _ in trial.parts(first))

    def _knows(self, trial: _Planned, first: bool) -> bool:
        return all(self._model.knows(part) for part, _ in trial.parts(first))

    def _so_far(self) -> dict[tuple[str, bool], float]:
        """How long the longest running trial of each kind has been at it."""
        now = self._clock()
        longest: dict[tuple[str, bool], float] = {}
        for hash, (begun, first) in self._running.items():
            kind = self._left[hash].classifier.kind, first
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
    begun: set[tuple[str, float, float | None]] = set()
    for hash, trial in trials.items():
        guess = guesses.get(hash, UNKNOWN)
        key, makes = (trial.fit_hash, trial.lam, trial.omega), trial.lam > 0 and guess.generator > 0
        found[hash] = _Planned(
            trial.fit_hash,
            f"{trial.task} {trial.scene_sha256}",
            key not in begun,
            _part("generator", trial, trial.generator, guess.generator, guess.size) if makes else None,
            _part("samples", trial, trial.generator, SAMPLING * guess.generator, guess.size) if makes else None,
            _part("classifier", trial, trial.classifier, guess.classifier, guess.size),
        )
        begun.add(key)
    return found


def _part(kind: str, trial: TrialSpec, spec: PluginSpec, guess: float, size: int) -> Part:
    view, sampled = (trial.view, trial.generator.name) if kind == "classifier" else ("", trial.omega)
    name, key, scene = f"{kind} {spec.name}", f"{kind} {spec.hash} {view}", f"{trial.task} {trial.scene_sha256}"
    setting = f"{key} {scene} {trial.protocol.label} {trial.patch}"
    step = round(math.log(max(1, size)) / SAME_SIZE) if kind != "generator" else 0
    levels = ("all", kind, name, key, f"{kind} {scene}", f"{key} {scene}", setting, f"{setting} {sampled} {step}")
    return Part(guess, size, levels)
