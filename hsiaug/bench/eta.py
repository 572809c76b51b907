"""How long the rest of a run takes: each trial that is left as long as its like took, spread over the worker processes.

The seconds of each stage are guessed before the run (``estimate.py``). While it runs, the logarithms of measured over
guessed seconds are averaged by stage, plugin, parameters, scene, setting and kind of trial, each over those of the next:
a stage deviates from its guess as the most special of these that has been timed.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean

from hsiaug.bench.estimate import Guess, readable
from hsiaug.trial.spec import PluginSpec, TrialSpec

__all__ = ["Forecast", "TimeLeft"]

OVERRUN = 1.25
"""Expected time of a trial that runs longer than its like did, as a multiple of the time it has run."""
UNKNOWN = Guess(10.0, 1.0, 4.0, 1.0, 1)
"""Stages of a trial for which there is no guess."""
CLOCKS = 1.05
"""Largest ratio of two measurements of one time by two clocks."""
SHORT = 0.05
"""Uncertainty of every measured time, in seconds."""
LOADING = 3.0
"""Uncertainty of the first times of a plugin, in seconds: processes load its libraries meanwhile."""
NOISE = 0.3
"""Standard deviation of the logarithm of the seconds of one kind."""
PRIOR = 0.3
"""Weight of the more general average, in measured times."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: whether this run has timed trials like all that are left."""

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"ETA {'' if self.measured else 'about '}{readable(self.seconds)}"


@dataclass(frozen=True)
class _Part:
    """A stage of a trial. levels: labels of what it has in common with others, from the stage to the kind of trial."""

    guess: float
    levels: tuple[str, ...]


class _Ratios:
    """Logarithms of measured over guessed seconds. jobs: worker processes."""

    def __init__(self, jobs: int) -> None:
        self._unloaded: dict[str, int] = defaultdict(lambda: jobs)
        self._below: dict[str, set[str]] = defaultdict(set)
        # Weight and mean.
        self._timed: dict[str, tuple[float, float]] = {}
        self._means: dict[str, tuple[float, float]] = {}

    def add(self, part: _Part, seconds: float) -> None:
        """Take in a measured time."""
        seconds, kind, plugin = max(SHORT, seconds), part.levels[-1], part.levels[1]
        unsure = LOADING if self._unloaded[plugin] > 0 else SHORT
        self._unloaded[plugin] -= 1
        weight = 1 / (1 + (unsure / (NOISE * seconds)) ** 2)
        before, mean = self._timed.get(kind, (0.0, 0.0))
        ratio = math.log(seconds / max(SHORT, part.guess))
        self._timed[kind] = before + weight, mean + (ratio - mean) * weight / (before + weight)
        for label, below in pairwise(part.levels):
            self._below[label].add(below)
        self._means.clear()

    def knows(self, part: _Part) -> bool:
        """Whether a part of that kind has been timed."""
        return part.levels[-1] in self._timed

    def seconds(self, part: _Part) -> float:
        """Expected seconds of a part."""
        ratio = 0.0
        for label in part.levels:
            weight, mean = self._mean(label)
            ratio += (mean - ratio) * weight / (weight + PRIOR)
        return max(SHORT, part.guess) * math.exp(ratio)

    def _mean(self, label: str) -> tuple[float, float]:
        if label in self._timed:
            return self._timed[label]
        if label not in self._means:
            each = [(min(1.0, weight), mean) for weight, mean in map(self._mean, self._below.get(label, ()))]
            whole = sum(weight for weight, _ in each)
            self._means[label] = whole, sum(weight * mean for weight, mean in each) / whole if each else 0.0
        return self._means[label]


@dataclass(frozen=True)
class _Planned:
    """A trial of the run. group: hash of the fit that it shares. always: stages that run whatever ran before.

    fit, samples: None where no sample is made; new: whether it needs samples that no earlier trial of its fit makes.
    """

    group: str
    scene: str
    new: bool
    always: tuple[_Part, _Part]
    fit: _Part | None
    samples: _Part | None

    def parts(self, first: bool) -> list[_Part]:
        """The stages that run. first: whether the trial makes the fit that it uses."""
        made = (self.samples if first or self.new else None, self.fit if first else None)
        return [*self.always, *(part for part in made if part)]


class Forecast:
    """Follows the trials of a run, and says how long the rest takes.

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
        self._ratios = _Ratios(self._jobs)
        self._running: dict[str, tuple[float, bool]] = {}
        self._fitted: set[str] = set()
        self._started: dict[str, int] = defaultdict(int)
        # Seconds outside the stages: of the first trials of a scene in each process, and of the others.
        self._starts: dict[str, bool] = {}
        self._besides: dict[bool, list[float]] = {True: [], False: []}
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
            self._starts[hash] = self._started[trial.scene] < self._jobs
            self._started[trial.scene] += 1

    def ended(self, hash: str, timings: Mapping[str, float] | None) -> None:
        """A trial has ended. timings: seconds by stage, of its record; None where it failed, which says nothing."""
        with self._lock:
            trial, begun = self._left.pop(hash, None), self._running.pop(hash, None)
            if trial is None or begun is None or timings is None:
                return
            left = self._clock() - begun[0]
            for part in trial.parts(begun[1]):
                seconds = timings.get(part.levels[0], 0.0)
                # Where it is more, the fit was there: the record tells what it took when it was made.
                if seconds <= CLOCKS * left:
                    self._ratios.add(part, seconds)
                    left = max(0.0, left - seconds)
            self._besides[self._starts[hash]].append(left)

    def left(self) -> TimeLeft:
        """Expected time of the rest."""
        with self._lock:
            return self._sum()

    def _sum(self) -> TimeLeft:
        scenes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        fitted, so_far, measured = set(self._fitted), self._so_far(), True
        start, besides = (fmean(self._besides[first] or (0.0,)) for first in (True, False))
        for hash, trial in self._left.items():
            begun = self._running.get(hash)
            first = begun[1] if begun else trial.group not in fitted
            fitted.add(trial.group)
            parts = trial.parts(first)
            seconds = besides + sum(map(self._ratios.seconds, parts))
            measured &= all(map(self._ratios.knows, parts))
            kind = trial.always[0].levels[-1], first
            if so_far.get(kind, 0.0) > seconds:
                seconds, measured = OVERRUN * so_far[kind], False
            if begun:
                seconds = max(0.0, seconds - (self._clock() - begun[0]))
            scenes[trial.scene][trial.group].append(seconds)
        walls = (
            _wall(groups.values(), self._jobs) + (0.0 if scene in self._started else start)
            for scene, groups in scenes.items()
        )
        return TimeLeft(sum(walls), measured)

    def _so_far(self) -> dict[tuple[str, bool], float]:
        """How long the longest running trial of each kind has been at it."""
        now = self._clock()
        longest: dict[tuple[str, bool], float] = {}
        for hash, (begun, first) in self._running.items():
            kind = self._left[hash].always[0].levels[-1], first
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
        new = max(0, made - most.get(pool, 0))
        most[pool] = max(made, most.get(pool, 0))
        like = f"{trial.generator.name} {trial.lam}"
        always = (
            _part("fit_classifier", trial, trial.classifier, guess.learn, like),
            _part("predict", trial, trial.classifier, guess.predict, like),
        )
        fit = _part("fit_generator", trial, trial.generator, guess.fit, "")
        # To a tenth.
        samples = _part(
            "sample", trial, trial.generator, guess.samples, f"{trial.omega} {10 * math.log(new or 1):.0f}"
        )
        makes = (fit, samples) if made else (None, None)
        found[hash] = _Planned(trial.fit_hash, _scene(trial), new > 0, always, *makes)
    return found


def _part(stage: str, trial: TrialSpec, spec: PluginSpec, guess: float, like: str) -> _Part:
    view = trial.view if spec is trial.classifier else ""
    steps = (stage, spec.name, f"{spec.hash} {view}", _scene(trial), f"{trial.protocol.label} {trial.patch}", like)
    return _Part(guess, tuple(accumulate(steps, "{} {}".format)))


def _scene(trial: TrialSpec) -> str:
    return f"{trial.task} {trial.scene_sha256}"
