"""This machine: each group of trials runs in a worker process; where that dies, what has not ended
is sent once more.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from hsiaug.base.errors import InputError
from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.engine import (
    Batch,
    Engine,
    Event,
    Group,
    OnEvent,
    Piece,
    Say,
)
from hsiaug.bench.engines import ClusterSettings
from hsiaug.bench.engines.worker_processes import Worker, WorkerLost, WorkerProcesses
from hsiaug.bench.messages import PluginProgress
from hsiaug.bench.scored_records import ScoredRecords
from hsiaug.bench.worker import WorkerStart, serve
from hsiaug.data.pair_loading import label_files
from hsiaug.registry.isolation.processes import load_before_fork
from hsiaug.registry.lookup import registry
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

SHARED = serve.__module__, "sklearn.svm", "imblearn.over_sampling"
"""Modules that the workers of any run share where they are forked."""
load_before_fork(*SHARED)
TRIES = 2
"""Attempts at a trial whose process dies."""


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
        Takes in what a trial came to, and says how it ended.
    failed : dict
        Trials whose generator could not learn, with the error, by the hash of the fit.
    lock : Lock
        Held while a split is drawn or a record is written: by one thread at a time.
    """

    batch: Batch
    start: WorkerStart
    write: Callable[[TrialSpec, TrialOutcome], Event]
    failed: dict[str, tuple[TrialSpec, dict[str, str]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, group: Group, tell: OnEvent, worker: Worker) -> Sequence[Event]:
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

        Returns
        -------
        sequence of Event
            Without any: all were told.
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
                if isinstance(message, WorkerLost):
                    if begun[trial.hash] < TRIES:
                        break
                    said = f"the process of this trial {message.how}, {TRIES} times"
                    message = failed_outcome(message.stage, "WorkerDied", said)
                rest.popleft()
                if rest and self._is_late([rest[0]]):
                    rest.clear()
                    worker.end()
                if worker.busy:
                    begin(rest[0])
                self._write(trial, message, tell)
                if message.failed_learning:
                    self.failed.setdefault(trial.fit_hash, (trial, message.result["error"]))
                    self._fail_alike(rest, tell)
        return ()

    def _is_late(self, trials: Iterable[TrialSpec]) -> bool:
        """Whether trials would end after the deadline."""
        if self.batch.deadline is None:
            return False
        return time.time() + self.batch.seconds(trials) > self.batch.deadline

    def _write(self, trial: TrialSpec, outcome: TrialOutcome, tell: OnEvent) -> None:
        """Write the record of what has ended, while the worker goes on."""
        with self.lock:
            event = self.write(trial, outcome)
        tell(event)

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


def computes_on_device(trials: Iterable[TrialSpec]) -> bool:
    """Whether a plugin of any of the trials computes with torch, which takes 450 MB and 2 s to
    load.
    """
    named = {(kind, one.name) for trial in trials for kind, one in trial.plugins}
    return any(registry().find(kind, name).card.uses_device for kind, name in named)


class Local(Engine):
    """The engine of this machine.

    Attributes
    ----------
    jobs : int
        Processes.
    """

    jobs = 1

    def __init__(self, jobs: int) -> None:
        self.jobs = max(1, jobs)
        self.executor: Any = WorkerProcesses(self.jobs)
        self._scene: SceneRun | None = None

    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[Sequence[Event]]:
        """Submit a group.

        A trial whose process dies is begun anew, and recorded as failed where it dies again; one
        that keeps no time limit is killed. Neither touches the others.
        """
        ((batch, group),) = pieces
        if self._scene is None or self._scene.batch is not batch:
            self._scene = self.scene_run(batch)
            if computes_on_device(batch.trials):
                load_before_fork(*SHARED, "torch")
        future: Future[Sequence[Event]] = self.executor.submit(self._scene.run, group, tell)
        return future

    def scene_run(self, batch: Batch) -> SceneRun:
        """What the groups of a batch share."""
        store = Store(batch.store, create=True)
        start = WorkerStart(
            batch.job,
            cache=store.cache.resolve(),
            data=BlindData(batch.scene),
            hidden=(*label_files(batch.scene_ref), batch.store.resolve()),
        )
        return SceneRun(batch, start, ScoredRecords(batch, store, self.jobs).write)

    def cancel(self) -> None:
        """End the processes, which stay between runs on the same scene."""
        self.executor.shutdown(cancel_futures=True)


def make(address: str, jobs: int, settings: ClusterSettings, say: Say) -> Local:
    """The engine of this machine. Raises InputError for an address."""
    if address:
        raise InputError(
            "`on` local takes no address", value=repr(address), hint="Write `on` local."
        )
    return Local(jobs)
