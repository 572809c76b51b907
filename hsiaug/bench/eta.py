"""How long the rest of a run will take, from what its trials are: the first ones to end are often the quickest."""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hsiaug.bench.estimate import readable
from hsiaug.trial.spec import TrialSpec

__all__ = ["Forecast", "TimeLeft"]

OVERRUN = 1.25
"""A trial that runs longer than its like did is expected to take this times what it has taken."""

Kind = tuple[str, float, str, bool]
"""Generator, λ, classifier, and whether the trial fits the generator or finds it fitted."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: whether this run has seen trials like all that are left."""

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"ETA {'' if self.measured else 'about '}{readable(self.seconds)}"


class Forecast:
    """Follows the trials of a run, and says what the rest will take.

    A trial is expected to last as long as the trials of the same generator, λ and classifier did that ended well in this
    run; before there is one, as ``expected`` says. jobs: worker processes.
    expected: seconds by hash, from earlier records or plugins' cards. clock: seconds, in this process.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        *,
        jobs: int = 1,
        expected: Mapping[str, float] | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._left = dict(trials)
        self._fit = {hash: trial.fit_hash for hash, trial in trials.items()}
        self._jobs = max(1, jobs)
        self._expected = expected or {}
        self._clock = clock
        self._running: dict[str, tuple[float, Kind]] = {}
        self._fitted: set[str] = set()
        self._taken: dict[Kind, list[float]] = defaultdict(list)
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def started(self, hash: str) -> None:
        """A trial begins, perhaps anew; the first of those that share a fit makes it."""
        with self._lock:
            if hash not in self._left:
                return
            kind = _kind(self._left[hash], self._fit[hash] not in self._fitted)
            self._running[hash] = self._clock(), kind
            self._fitted.add(self._fit[hash])

    def ended(self, hash: str, *, well: bool) -> None:
        """A trial has ended; how long one took that failed says nothing of the others."""
        with self._lock:
            self._left.pop(hash, None)
            begun = self._running.pop(hash, None)
            if begun is not None and well:
                self._taken[begun[1]].append(self._clock() - begun[0])

    def left(self) -> TimeLeft | None:
        """What the rest takes; None while nothing is known of some trial of it.

        Trials that share a fit run one after the other, so the longest such group is the least that it can take.
        """
        with self._lock:
            return self._sum()

    def _sum(self) -> TimeLeft | None:
        fitted, so_far = set(self._fitted), self._so_far()
        groups: dict[str, float] = defaultdict(float)
        measured = True
        for hash, trial in self._left.items():
            begun, fit = self._running.get(hash), self._fit[hash]
            kind = begun[1] if begun else _kind(trial, fit not in fitted)
            fitted.add(fit)
            taken = self._taken.get(kind)
            seconds = statistics.fmean(taken) if taken else self._expected.get(hash)
            if seconds is None:
                return None
            if so_far.get(kind, 0.0) > seconds:
                seconds, taken = OVERRUN * so_far[kind], None
            measured &= bool(taken)
            groups[fit] += max(0.0, seconds - (self._clock() - begun[0])) if begun else seconds
        rest = max(sum(groups.values()) / self._jobs, max(groups.values(), default=0.0))
        return TimeLeft(rest, measured)

    def _so_far(self) -> dict[Kind, float]:
        """How long the longest running trial of each kind has been at it."""
        now = self._clock()
        longest: dict[Kind, float] = {}
        for begun, kind in self._running.values():
            longest[kind] = max(now - begun, longest.get(kind, 0.0))
        return longest


def _kind(trial: TrialSpec, first: bool) -> Kind:
    """Trials of one kind take about as long. At λ = 0 there is no fit."""
    return trial.generator.name, trial.lam, trial.classifier.name, first and trial.lam > 0
