"""How long trials take together: what is expected of each, spread over the worker processes."""

from __future__ import annotations

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from hsiaug.bench.costs import Costs, parts_of, readable
from hsiaug.trial.spec import TrialSpec

__all__ = ["Forecast", "TimeLeft"]

PRIOR = 0.003
"""Share of a run after which its own pace counts as much as what was expected."""
OVERRUN = 1.25
"""Expected time of a trial that runs longer than it should, as a multiple of the time it has run."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: share of the kinds of stages that were timed before it.

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


class Forecast:
    """Follows the trials of a run, and says how long the rest takes: as expected, at the pace of what has ended.

    trials: by hash, in the order in which they run; those of one scene together. costs: what is known of them. jobs:
    worker processes. clock: seconds, in this process.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        costs: Costs,
        *,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left, self._jobs, self._clock = dict(trials), max(1, jobs), clock
        self._each: dict[str, float] = {}
        known: dict[str, bool] = {}
        unknown: dict[str, None] = {}
        fitted, most = set[str](), dict[tuple[str, float | None], int]()
        for hash, trial in trials.items():
            guess, pool = costs.guess(hash), (trial.fit_hash, trial.omega)
            # Every λ takes a prefix of the same pool of samples.
            made = guess.made if trial.made else 0
            new = max(0, made - most.get(pool, 0))
            most[pool] = max(made, most.get(pool, 0))
            first = trial.fit_hash not in fitted
            fitted.add(trial.fit_hash)
            spent = {"prepare": first, "fit_generator": first, "sample": first or new > 0}
            parts = {s: part for s, part in parts_of(trial.as_json(), guess, new).items() if spent.get(s, True)}
            self._each[hash] = sum(map(costs.seconds, parts.values()))
            known |= {part.levels[-1]: costs.knows(part) for part in parts.values()}
            plugins = {part.levels[1].removeprefix(f"{stage} "): part for stage, part in parts.items()}
            unknown |= {n: None for n, part in plugins.items() if n in guess.unusual and not costs.knows(part, 2)}
        self._measured, self._unknown = fmean(known.values()) if known else 1.0, tuple(unknown)
        self._running: dict[str, float] = {}
        # Expected and real seconds of what has ended.
        prior = PRIOR * sum(self._each.values())
        self._ended = [prior, prior]
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def each(self) -> dict[str, float]:
        """Return the expected seconds of every trial, by hash; the first of those that share a fit makes it."""
        return self._each

    def started(self, hash: str) -> None:
        """A trial begins, perhaps anew."""
        with self._lock:
            self._running[hash] = self._clock()

    def ended(self, hash: str, *, ok: bool) -> None:
        """A trial has ended; one that failed says nothing of the others."""
        with self._lock:
            begun = self._running.pop(hash, None)
            if self._left.pop(hash, None) and ok and begun is not None:
                self._ended[0] += self._each[hash]
                self._ended[1] += self._clock() - begun

    def left(self) -> TimeLeft:
        """Expected time of the rest."""
        with self._lock:
            expected, real = self._ended
            pace, now = real / expected if expected else 1.0, self._clock()
            scenes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
            for hash, trial in self._left.items():
                seconds, ran = pace * self._each[hash], now - self._running.get(hash, now)
                rest = seconds - ran if ran <= seconds else (OVERRUN - 1) * ran
                scenes[trial.scene_sha256][trial.fit_hash].append(rest)
            walls = (_wall(groups.values(), self._jobs) for groups in scenes.values())
            return TimeLeft(sum(walls), self._measured, self._unknown)


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
