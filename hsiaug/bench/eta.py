"""How long the rest of a run takes: what its like took, by trial, spread over the worker processes."""

from __future__ import annotations

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from hsiaug.bench.costs import SHORT, Costs, Part, parts_of, readable
from hsiaug.trial.spec import TrialSpec

__all__ = ["Forecast", "TimeLeft"]

OVERRUN = 1.25
"""Expected time of a trial that runs longer than its like did, as a multiple of the time it has run."""
CLOCKS = 1.05
"""Largest ratio of two measurements of one time by two clocks."""
LOADING = 3.0
"""Uncertainty of the first times of a plugin, in seconds: processes load its libraries meanwhile."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: share of the kinds of stages that are left which have been timed.

    unknown: names of plugins that were not timed with their parameters, of which no card speaks.
    """

    seconds: float
    measured: float
    unknown: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The time as people say it, where more than a guess is known."""
        return "unknown" if self.unknown else readable(self.seconds)

    def __str__(self) -> str:
        return f"ETA {'' if self.measured == 1 else 'about '}{readable(self.seconds)}"


@dataclass(frozen=True)
class _Planned:
    """A trial of the run. group: hash of the fit that it shares. stages: all that it may run.

    new: whether it needs samples that no earlier trial of its fit makes. unusual: as of its guess.
    """

    group: str
    scene: str
    new: bool
    stages: Mapping[str, Part]
    unusual: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.stages["fit_classifier"].levels[-1]

    def parts(self, first: bool) -> dict[str, Part]:
        """The stages that run. first: whether the trial makes the fit that it uses."""
        there = {"prepare": not first, "fit_generator": not first, "sample": not (first or self.new)}
        return {stage: part for stage, part in self.stages.items() if not there.get(stage)}

    def unknown(self, parts: Mapping[str, Part], costs: Costs) -> list[str]:
        """Names of the plugins that were not timed with these parameters, and whose cards do not speak of them."""
        names = {stage: part.levels[1].removeprefix(f"{stage} ") for stage, part in parts.items()}
        return [n for stage, n in names.items() if n in self.unusual and not costs.knows(parts[stage], 2)]


class Forecast:
    """Follows the trials of a run, and says how long the rest takes.

    trials: by hash, in the order in which they run; those of one scene together. costs: what is known of them, which
    learns what this run measures. jobs: worker processes. clock: seconds, in this process.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        costs: Costs,
        *,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left = _planned(trials, costs)
        self._jobs = max(1, jobs)
        self._clock = clock
        self._costs = costs
        self._unloaded: dict[str, int] = defaultdict(lambda: self._jobs)
        self._running: dict[str, tuple[float, bool]] = {}
        self._fitted: set[str] = set()
        self._started: dict[str, int] = defaultdict(int)
        # Seconds outside the stages: of the first trials of a scene in each process, and of the others.
        self._starts: dict[str, bool] = {}
        self._besides: dict[bool, list[float]] = {True: [], False: []}
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def each(self) -> dict[str, float]:
        """Return the expected seconds of every trial, by hash; the first of those that share a fit makes it."""
        fitted: set[str] = set()
        seconds = {}
        for hash, trial in self._left.items():
            parts = trial.parts(trial.group not in fitted)
            fitted.add(trial.group)
            seconds[hash] = sum(map(self._costs.seconds, parts.values()))
        return seconds

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
            for stage, part in trial.parts(begun[1]).items():
                seconds, plugin = timings.get(stage, 0.0), part.levels[1]
                # Where it is more, the fit was there: the record tells what it took when it was made.
                if seconds <= CLOCKS * left:
                    self._costs.add(part, seconds, LOADING if self._unloaded[plugin] > 0 else SHORT)
                    self._unloaded[plugin] -= 1
                    left = max(0.0, left - seconds)
            self._besides[self._starts[hash]].append(left)

    def left(self) -> TimeLeft:
        """Expected time of the rest."""
        with self._lock:
            return self._sum()

    def _sum(self) -> TimeLeft:
        scenes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        fitted, so_far = set(self._fitted), self._so_far()
        known: dict[str, bool] = {}
        unknown: dict[str, None] = {}
        start, besides = (fmean(self._besides[first] or (0.0,)) for first in (True, False))
        for hash, trial in self._left.items():
            begun = self._running.get(hash)
            first = begun[1] if begun else trial.group not in fitted
            fitted.add(trial.group)
            parts = trial.parts(first)
            seconds = besides + sum(map(self._costs.seconds, parts.values()))
            kind = trial.kind, first
            late = so_far.get(kind, 0.0) > seconds
            known |= {part.levels[-1]: self._costs.knows(part) and not late for part in parts.values()}
            unknown |= dict.fromkeys(trial.unknown(parts, self._costs))
            if late:
                seconds = OVERRUN * so_far[kind]
            if begun:
                seconds = max(0.0, seconds - (self._clock() - begun[0]))
            scenes[trial.scene][trial.group].append(seconds)
        walls = (
            _wall(groups.values(), self._jobs) + (0.0 if scene in self._started else start)
            for scene, groups in scenes.items()
        )
        return TimeLeft(sum(walls), fmean(known.values()) if known else 1.0, tuple(unknown))

    def _so_far(self) -> dict[tuple[str, bool], float]:
        """How long the longest running trial of each kind has been at it."""
        now = self._clock()
        longest: dict[tuple[str, bool], float] = {}
        for hash, (begun, first) in self._running.items():
            kind = self._left[hash].kind, first
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


def _planned(trials: Mapping[str, TrialSpec], costs: Costs) -> dict[str, _Planned]:
    found: dict[str, _Planned] = {}
    most: dict[tuple[str, float | None], int] = {}
    for hash, trial in trials.items():
        guess, pool = costs.guess(hash), (trial.fit_hash, trial.omega)
        # Every λ takes a prefix of the same pool of samples.
        made = guess.made if trial.made else 0
        new = max(0, made - most.get(pool, 0))
        most[pool] = max(made, most.get(pool, 0))
        stages = parts_of(trial.as_json(), guess, new)
        found[hash] = _Planned(trial.fit_hash, trial.scene_sha256, new > 0, stages, guess.unusual)
    return found
