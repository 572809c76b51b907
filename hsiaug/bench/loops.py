"""The loops of a run: over its scenes and the groups of each, which an engine's executor is given,
and over the trials of a group, which a worker process is sent. What the process does with them is
:func:`hsiaug.trial.run.run_group`.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from hsiaug.bench.engine import Batch, Engine, Event, Group, OnEvent
from hsiaug.bench.worker import WorkerStart
from hsiaug.bench.worker_process import Worker, WorkerLost
from hsiaug.registry.hookspecs import Kind
from hsiaug.trial.outcome import ScoredRecords, TrialOutcome, failed_outcome
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

LISTEN = 1.0
"""Seconds after which an engine is looked at though nothing was heard."""
TRIES = 2
"""Attempts at a trial whose process dies."""


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
    running: set[Future[Any]] = set()
    news: SimpleQueue[Event | Future[Any]] = SimpleQueue()
    while waiting or running:
        # A worker has its next group, too, but not at the end: it would not be given to another
        # that is free.
        while waiting and len(running) < engine.jobs * (2 if 2 * len(waiting) > engine.jobs else 1):
            future = engine.submit(waiting.popleft(), news.put)
            running.add(future)
            future.add_done_callback(news.put)
        engine.check()
        try:
            heard = news.get(timeout=LISTEN)
        except Empty:
            heard = Event("wait")
        if isinstance(heard, Event):
            on_event(heard)
        else:
            running.remove(heard)
            for event in engine.result(heard):
                on_event(event)


def scored_records(batch: Batch, store: Store, jobs: int) -> ScoredRecords:
    """What takes in the outcomes of a batch's trials, with all labels.

    Parameters
    ----------
    store : Store
        That of the batch.
    jobs : int
        Trials that run at the same time.
    """
    return ScoredRecords(batch.task, batch.scene, batch.scene_ref, batch.split, store, jobs)


@dataclass
class SceneRun:
    """What the groups of a scene share while they run, each in a thread with a worker process.

    Attributes
    ----------
    batch : Batch
        Of the scene.
    start : WorkerStart
        What its workers are started with.
    write : callable
        Takes in what a trial came to, in any of these threads; gives its record, or what of it is
        known here.
    failed : dict
        Trials whose generator could not learn, with the error, by the hash of the fit.
    """

    batch: Batch
    start: WorkerStart
    write: Callable[[TrialSpec, TrialOutcome], Record]
    failed: dict[str, tuple[TrialSpec, dict[str, str]]] = field(default_factory=dict)

    def run(self, group: Group, tell: OnEvent, worker: Worker) -> None:
        """Run a group in a worker process. Where that dies, what has not ended is sent to a new
        one; a trial whose process dies TRIES times has failed.

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
        """
        begun: Counter[str] = Counter()

        def begin(trial: TrialSpec) -> None:
            begun[trial.hash] += 1
            if begun[trial.hash] == 1:
                tell(Event("start", trial.hash))

        rest = deque(group)
        self._fail_alike(rest, tell)
        if self._is_late(rest):
            return
        # Whether the process has what is left.
        sent = False
        while rest:
            trial = rest[0]
            if not sent:
                worker.send(self.start, tuple(rest), self.batch.split(trial).blind)
                sent = True
                begin(trial)
            message = worker.receive()
            if isinstance(message, WorkerLost):
                sent = False
                if begun[trial.hash] < TRIES:
                    continue
                said = f"the process of this trial {message.how}, {TRIES} times"
                message = failed_outcome(message.stage, "WorkerDied", said)
            message = message.with_notes(_noted(trial, worker.take_outside()))
            rest.popleft()
            if rest and self._is_late([rest[0]]):
                rest.clear()
                worker.end()
            # It ends with a trial that takes too long, and runs none that would fail alike.
            sent = sent and worker.runs and not message.failed_learning
            if rest and sent:
                begin(rest[0])
            self._write(trial, message, tell)
            if message.failed_learning:
                self.failed.setdefault(trial.fit_hash, (trial, message.record["error"]))
                self._fail_alike(rest, tell)

    def _is_late(self, trials: Iterable[TrialSpec]) -> bool:
        """Whether trials would end after the deadline."""
        if self.batch.deadline is None:
            return False
        return time.time() + self.batch.seconds(trials) > self.batch.deadline

    def _write(self, trial: TrialSpec, outcome: TrialOutcome, tell: OnEvent) -> None:
        """Write the record of what has ended, while the worker goes on."""
        tell(Event.of_end(trial.hash, self.write(trial, outcome)))

    def _fail_alike(self, rest: deque[TrialSpec], tell: OnEvent) -> None:
        """Record the trials that would fail as one did, as they need the same fit and run the same
        third-party code: they are not begun.
        """
        for trial in tuple(rest):
            failed, error = self.failed.get(trial.fit_hash, (None, {}))
            if failed and failed.third_party_parts <= trial.third_party_parts:
                rest.remove(trial)
                said = f"{error['message']} (the same fit failed in trial {failed.hash})"
                self._write(trial, failed_outcome(error["stage"], error["type"], said), tell)


def _noted(trial: TrialSpec, outside: Iterable[tuple[Kind | None, str]]) -> list[str]:
    """Notes on what plugins of a trial did outside of their packages.

    Parameters
    ----------
    outside : iterable of (str or None, str)
        The kind of the plugin that computed, and what was done.
    """
    return [f"{getattr(trial, kind).name if kind else 'a plugin'} {text}" for kind, text in outside]
