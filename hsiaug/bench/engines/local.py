"""This machine: each group of trials runs in a worker process."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from hsiaug.base.errors import InputError
from hsiaug.bench.engine import Batch, Engine, OnEvent, Piece, Say
from hsiaug.bench.engines import ClusterSettings
from hsiaug.bench.loops import SceneRun, scored_records
from hsiaug.bench.worker import BlindData, WorkerStart, named_files
from hsiaug.bench.worker_process import WorkerProcesses
from hsiaug.registry.isolation.processes import load_before_fork
from hsiaug.registry.lookup import registry
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

SHARED = "hsiaug.bench.worker", "sklearn.svm"
"""Modules that the workers of any run share where they are forked."""
load_before_fork(*SHARED)


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

    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[None]:
        """Submit a group.

        A trial whose process dies is begun anew, and recorded as failed where it dies again; one
        that keeps no time limit is killed. Neither touches the others.
        """
        ((batch, group),) = pieces
        if self._scene is None or self._scene.batch is not batch:
            self._scene = self.scene_run(batch)
            if computes_on_device(batch.trials):
                load_before_fork(*SHARED, "torch")
        future: Future[None] = self.executor.submit(self._scene.run, group, tell)
        return future

    def scene_run(self, batch: Batch) -> SceneRun:
        """What the groups of a batch share."""
        store = Store(batch.store, create=True)
        start = WorkerStart(
            batch.settings,
            batch.task.name,
            cache=store.cache.resolve(),
            data=BlindData(batch.scene),
            named=named_files(batch.trials),
        )
        return SceneRun(batch, start, scored_records(batch, store, self.jobs).write)

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
