"""Groups of trials through the executor of an engine, and one group through a worker process: how
often a trial is tried, and what becomes of what it came to.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from hsiaug.bench.engine import (
    Batch,
    Engine,
    Event,
    Group,
    Message,
    OnEvent,
    PluginProgress,
    WorkerLost,
)
from hsiaug.bench.worker import WorkerStart
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.spec import TrialSpec

TRIES = 2
"""Attempts at a trial whose process dies."""
USUAL_SECONDS = 30.0
"""Default duration of an untimed trial, in seconds."""
LISTEN = 1.0
"""Seconds after which an engine is looked at though nothing was heard."""


def run_groups(engine: Engine, batches: Sequence[Batch], on_event: OnEvent) -> None:
    """Run the trials of batches: every engine's are submitted here, in their order.

    Parameters
    ----------
    engine : Engine
        Whose executor runs them.
    batches : sequence of Batch
        One scene after the other.
    on_event : callable
        Is told, in this thread, what happens to each trial.

    Raises
    ------
    HsiaugError
        Where a record cannot be written, a machine has another scene than the plan, or workers are
        lost for good.
    """
    waiting = deque(engine.divide(batches))
    running: set[Future[Sequence[Event]]] = set()
    news: SimpleQueue[Event | Future[Sequence[Event]]] = SimpleQueue()
    while waiting or running:
        # A worker has its next group, too, but not at the end: it would not be given to another
        # that is free.
        while waiting and len(running) < engine.jobs * (2 if 2 * len(waiting) > engine.jobs else 1):
            future = engine.submit(waiting.popleft(), news.put)
            running.add(future)
            future.add_done_callback(news.put)
        engine.check()
        with suppress(Empty):
            heard = news.get(timeout=LISTEN)
            if isinstance(heard, Event):
                on_event(heard)
            else:
                running.remove(heard)
                for event in engine.result(heard):
                    on_event(event)


class Worker(Protocol):
    """A process that runs one group of trials at a time."""

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""

    @property
    def stage(self) -> str:
        """The stage that the trial has come to."""

    def send(self, start: WorkerStart, trials: Group, blind: object) -> None:
        """Begin trials that share a fit. blind: their split, without any test label."""

    def receive(self) -> Message:
        """Wait for the next message."""

    def end(self) -> object:
        """End what it runs."""


class Records(Protocol):
    """Takes what trials come to."""

    def write(self, trial: TrialSpec, outcome: TrialOutcome) -> Event:
        """Take in what a trial came to."""


@dataclass
class SceneRun:
    """What the groups of a scene share while they run, each in a thread with a worker process.

    Attributes
    ----------
    batch : Batch
        Of the scene.
    start : WorkerStart
        What its workers are started with.
    records : Records
        Takes what trials come to.
    failed : dict
        Trials whose generator could not learn, with the error, by the hash of the fit.
    lock : Lock
        Held while a split is drawn or a record is written: by one thread at a time.
    """

    batch: Batch
    start: WorkerStart
    records: Records
    failed: dict[str, tuple[TrialSpec, dict[str, str]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, group: Group, tell: Callable[[Event], None], worker: Worker) -> Sequence[Event]:
        """Run a group in a worker process: as often as that dies, with what has not ended.

        Nothing is begun that would end after the deadline, nor a group that would: half of it is of
        no use.

        Parameters
        ----------
        group : tuple of TrialSpec
            Trials that share a fit.
        tell : callable
            Is told at once what happens to each trial.
        worker : Worker
            Nobody else's meanwhile.

        Returns
        -------
        sequence of Event
            None: all were told.
        """
        begun: Counter[str] = Counter()

        def begin(trial: TrialSpec) -> None:
            begun[trial.hash] += 1
            if begun[trial.hash] == 1:
                tell(Event("start", trial.hash))

        rest = deque(group)
        self._fail_alike(rest, tell)
        if self._is_late(rest):
            return ()
        while rest:
            with self.lock:
                blind = self.batch.split(rest[0]).blind
            worker.send(self.start, tuple(rest), blind)
            begin(rest[0])
            while worker.busy:
                message = worker.receive()
                trial = rest[0]
                if isinstance(message, PluginProgress):
                    tell(Event("step", trial.hash, message, worker.stage))
                    continue
                if isinstance(message, WorkerLost) and begun[trial.hash] < TRIES:
                    break
                rest.popleft()
                if rest and self._is_late([rest[0]]):
                    rest.clear()
                    worker.end()
                if worker.busy:
                    begin(rest[0])
                outcome = _lost(message) if isinstance(message, WorkerLost) else message
                self._write(trial, outcome, tell)
                if outcome.failed_learning:
                    self.failed.setdefault(trial.fit_hash, (trial, outcome.result["error"]))
                    self._fail_alike(rest, tell)
        return ()

    def _is_late(self, trials: Iterable[TrialSpec]) -> bool:
        """Whether trials would end after the deadline."""
        if self.batch.deadline is None:
            return False
        seconds = sum(self.batch.expected.get(t.hash, USUAL_SECONDS) for t in trials)
        return time.time() + seconds > self.batch.deadline

    def _write(
        self, trial: TrialSpec, outcome: TrialOutcome, tell: Callable[[Event], None]
    ) -> None:
        """Write the record of what has ended, while the worker goes on."""
        with self.lock:
            event = self.records.write(trial, outcome)
        tell(event)

    def _fail_alike(self, rest: deque[TrialSpec], tell: Callable[[Event], None]) -> None:
        """Record the trials that would fail as one did, as they need the same fit and run the same
        third-party code: they are not begun.
        """
        for trial in tuple(rest):
            failed, error = self.failed.get(trial.fit_hash, (None, {}))
            if failed and failed.third_party_parts <= trial.third_party_parts:
                rest.remove(trial)
                said = f"{error['message']} (the same fit failed in trial {failed.hash})"
                self._write(trial, failed_outcome(error["stage"], error["type"], said), tell)


def _lost(message: WorkerLost) -> TrialOutcome:
    """What a trial came to whose process died again."""
    said = f"the process of this trial {message.how}, {TRIES} times"
    return failed_outcome(message.stage, "WorkerDied", said)
