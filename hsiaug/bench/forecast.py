"""How long a run takes: before it begins, and while its trials end."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hsiaug.bench.costs import Costs
from hsiaug.registry.hookspecs import Kind
from hsiaug.trial.spec import TrialSpec

LONG = 60.0
"""Seconds from which on a run says beforehand what it takes."""
SLOW_SHARE = 0.3
"""Share of a run from which on a generator or a classifier is named as slow."""
WARM_UP = 0.003
"""Share of a run after which its own pace counts as much as what was expected."""
OVERRUN = 0.25
"""Rest of a trial that runs longer than it should, as a share of the time it has run."""


def write_duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class TimeLeft:
    """The time that the rest of a run takes.

    Attributes
    ----------
    seconds : float
        Of the rest of a run.
    measured : bool
        Whether all its plugins were timed before it.
    """

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"ETA {'' if self.measured else 'about '}{write_duration(self.seconds)}"


class Forecast:
    """Follows the trials of a run, and says how long the rest takes: as expected, at the pace of
    what has ended.

    Parameters
    ----------
    trials : mapping of str to TrialSpec
        By hash, in the order in which they run; those of one scene together.
    costs : Costs
        What is known of them.
    jobs : int
        Worker processes.
    clock : callable
        Seconds, in this process.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        costs: Costs,
        *,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trials = trials
        self._left = dict(trials)
        self._jobs = max(1, jobs)
        self._clock = clock
        self.each: dict[str, float] = {}
        """Expected seconds of every trial, by hash; the first of those that share something makes
        it.
        """
        self.of_plugins: dict[tuple[Kind, str], float] = defaultdict(float)
        """Expected seconds of every generator and classifier, by kind and name."""
        self._measured = True
        # Expected seconds of what a trial prepares for others, by its hash, until it has done so.
        self._preparing: dict[str, float] = {}
        made = set[str]()
        for hash, trial in trials.items():
            parts = {key: found for key, found in costs.parts(trial).items() if key not in made}
            made.update(parts)
            self.each[hash] = sum(seconds for seconds, _ in parts.values())
            for key, (seconds, _) in parts.items():
                kind: Kind = "classifier" if key == trial.hash else "generator"
                self.of_plugins[kind, getattr(trial, kind).name] += seconds
                if key not in (trial.hash, trial.fit_hash):
                    self._preparing[hash] = seconds
            self._measured &= all(timed for _, timed in parts.values())
        self._running: dict[str, float] = {}
        # Expected and real seconds of what has ended.
        prior = WARM_UP * sum(self.each.values())
        self._ended = [prior, prior]
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def started(self, hash: str) -> None:
        """A trial begins, perhaps anew."""
        with self._lock:
            self._running[hash] = self._clock()

    def prepared(self, hash: str) -> None:
        """A running trial is past what is prepared once: its own time begins. What is prepared may
        come with hsiaug or be saved, so its seconds say nothing of the pace of the rest.
        """
        with self._lock:
            if hash in self._running and (seconds := self._preparing.pop(hash, None)) is not None:
                self.each[hash] -= seconds
                self._running[hash] = self._clock()

    def ended(self, hash: str, *, ok: bool) -> None:
        """A trial has ended; one that failed says nothing of the others, nor does one of which it
        is not known how long it prepared.
        """
        with self._lock:
            begun = self._running.pop(hash, None)
            unclear = self._preparing.pop(hash, None) is not None
            if self._left.pop(hash, None) and ok and begun is not None and not unclear:
                self._ended[0] += self.each[hash]
                self._ended[1] += self._clock() - begun

    def time_left(self) -> TimeLeft:
        """Expected time of the rest: of one scene after the other, and of each not less than its
        longest trial.
        """
        with self._lock:
            expected, real = self._ended
            pace, now = real / expected if expected else 1.0, self._clock()
            scenes: dict[str, list[float]] = defaultdict(list)
            for hash, trial in self._left.items():
                ran = now - self._running.get(hash, now)
                scenes[trial.scene_sha256].append(max(pace * self.each[hash] - ran, OVERRUN * ran))
            walls = (max(max(each), sum(each) / self._jobs) for each in scenes.values())
            return TimeLeft(sum(walls), self._measured)


def cost_lines(forecast: Forecast, jobs: int) -> Iterator[str]:
    """What a run takes, and what of it is slow, said before it begins; nothing of a short one.

    Parameters
    ----------
    forecast : Forecast
        Of its trials.
    jobs : int
        Worker processes.
    """
    time_left = forecast.time_left()
    if time_left.seconds < LONG:
        return
    rough = "" if time_left.measured else ", a rough figure: not all plugins were timed here"
    yield f"{len(forecast.trials)} trials, about {write_duration(time_left.seconds)}{rough}"
    whole = sum(forecast.of_plugins.values())
    slowest_first = sorted(forecast.of_plugins.items(), key=lambda item: -item[1])
    for (kind, name), part in slowest_first:
        if part < whole and part >= max(LONG, SLOW_SHARE * whole):
            yield (
                f"slow: {kind} {name}, about {write_duration(part / jobs)}; all else about"
                f" {write_duration((whole - part) / jobs)}"
            )
