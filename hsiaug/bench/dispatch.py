"""Dispatch of groups of trials to worker processes: how often a trial is tried, and what becomes of
what it came to.
"""

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from hsiaug.bench.engine import (
    Batch,
    Event,
    Group,
    Message,
    OnEvent,
    PluginProgress,
    TrialEnded,
)
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.spec import TrialSpec

TRIES = 2
"""Attempts at a trial whose process dies."""
USUAL_SECONDS = 30.0
"""Default duration of an untimed trial, in seconds."""


class TrialWorker(Protocol):
    """Runs one group of trials at a time."""

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""

    @property
    def stage(self) -> str:
        """The stage that the trial has come to."""

    def send(self, trials: Group, blind: object) -> None:
        """Begin trials that share a fit. blind: their split, without any test label."""

    def end(self) -> object:
        """End what it runs."""


class Pool(Protocol):
    """The workers of an engine for the trials of one scene."""

    def workers(self) -> Sequence[TrialWorker]:
        """All workers, always the same."""

    def wait(self) -> Sequence[tuple[TrialWorker, Message]]:
        """Return the messages of busy workers that arrive within a moment."""

    def close(self) -> None:
        """End all that is still running."""


class Records(Protocol):
    """Where trials find their splits, and what they come to goes."""

    def write(self, trial: TrialSpec, outcome: TrialOutcome, command: str) -> Event:
        """Take in what a trial came to."""

    def blind_split(self, trial: TrialSpec) -> object:
        """The split of a trial without a test label."""


class Dispatch:
    """Gives the groups of a batch to the workers of a pool, and follows what becomes of them."""

    def __init__(self, batch: Batch, pool: Pool, records: Records, on_event: OnEvent) -> None:
        self._batch, self._pool, self._records, self._on_event = batch, pool, records, on_event
        self._waiting: deque[deque[TrialSpec]] = deque(map(deque, batch.groups))
        self._running: dict[TrialWorker, deque[TrialSpec]] = {}
        self._begun: Counter[str] = Counter()

    def run(self) -> None:
        """Run until all work is done."""
        workers = self._pool.workers()
        while True:
            for worker in workers:
                if not worker.busy:
                    self._begin_next(worker)
            if not any(worker.busy for worker in workers):
                return
            for worker, message in self._pool.wait():
                self._follow(worker, message)

    def _begin_next(self, worker: TrialWorker) -> None:
        """Let a free worker begin the next group, but for those that would not end in time: half a
        group is of no use.
        """
        while self._waiting:
            group = self._waiting.popleft()
            if group and not self._is_late(group):
                self._begin(worker, group)
                return

    def _begin(self, worker: TrialWorker, group: deque[TrialSpec]) -> None:
        self._running[worker] = group
        worker.send(tuple(group), self._records.blind_split(group[0]))
        self._begin_trial(group[0])

    def _begin_trial(self, trial: TrialSpec) -> None:
        self._begun[trial.hash] += 1
        if self._begun[trial.hash] == 1:
            self._on_event(Event("start", trial.hash))

    def _is_late(self, trials: Iterable[TrialSpec]) -> bool:
        """Whether trials would end after the deadline."""
        if self._batch.deadline is None:
            return False
        seconds = sum(self._batch.expected.get(t.hash, USUAL_SECONDS) for t in trials)
        return time.time() + seconds > self._batch.deadline

    def _follow(self, worker: TrialWorker, message: Message) -> None:
        group = self._running[worker]
        trial = group[0]
        if isinstance(message, PluginProgress):
            self._on_event(
                Event(
                    "step",
                    trial.hash,
                    done=message.done,
                    total=message.total,
                    note=message.note,
                    stage=worker.stage,
                )
            )
        elif isinstance(message, TrialEnded):
            self._settle(worker, group, message.outcome)
        elif self._begun[trial.hash] >= TRIES:
            said = f"the process of this trial {message.how}, {TRIES} times"
            self._settle(worker, group, failed_outcome(message.stage, "WorkerDied", said))
        else:
            self._begin(worker, group)

    def _settle(self, worker: TrialWorker, group: deque[TrialSpec], outcome: TrialOutcome) -> None:
        """Write the records of what has ended, while the worker goes on."""
        trial = group.popleft()
        failures = self._certain_failures(outcome, trial, group)
        if group and self._is_late([group[0]]):
            group.clear()
            if worker.busy:
                worker.end()
        # Before the record is written: the worker need not wait for that.
        if worker.busy:
            self._begin_trial(group[0])
        elif group:
            self._begin(worker, group)
        else:
            self._begin_next(worker)
        self._write(trial, outcome)
        error = outcome.result["error"]
        for other in failures:
            said = f"{error['message']} (the same fit failed in trial {trial.hash})"
            self._write(other, failed_outcome(error["stage"], error["type"], said))

    def _write(self, trial: TrialSpec, outcome: TrialOutcome) -> None:
        self._on_event(
            self._records.write(trial, outcome, self._batch.commands.get(trial.hash, ""))
        )

    def _certain_failures(
        self, outcome: TrialOutcome, trial: TrialSpec, group: deque[TrialSpec]
    ) -> list[TrialSpec]:
        """The trials that would fail as one did, as they need the same fit and run the same
        third-party code: the rest of its group, and groups that wait. They are not begun.
        """
        if not outcome.failed_learning:
            return []
        failing: list[TrialSpec] = []
        for other in (group, *self._waiting):
            if other and other[0].fit_hash == trial.fit_hash:
                alike = [t for t in other if trial.third_party_parts <= t.third_party_parts]
                failing += alike
                for one in alike:
                    other.remove(one)
        return failing
