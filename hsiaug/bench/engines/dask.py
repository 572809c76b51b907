"""Dask: chunks of trials as tasks of a ``dask.distributed`` scheduler, or of a cluster on this
machine for this run.

A task runs its trials in a process of its own beside the Dask worker, as on one machine: a plugin
that dies, hangs or spoils its process costs its own trial. Dask runs the tasks of a worker that has
gone again elsewhere.
"""

import logging
import multiprocessing
import os
import pickle
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hsiaug.base.errors import HsiaugError, InputError, install
from hsiaug.base.temporary_folders import PluginsFolder
from hsiaug.base.threads import one_thread
from hsiaug.bench.engine import Batch, Engine, Event, Group, OnEvent, Piece, Say
from hsiaug.bench.engines import ClusterSettings
from hsiaug.bench.engines.chunks import Chunk, chunk_of, chunks_of, new_pieces, seconds_of
from hsiaug.bench.engines.local import Local
from hsiaug.bench.loops import SceneRun, run_groups, scored_records
from hsiaug.bench.worker import BlindData, WorkerStart, named_files
from hsiaug.registry.isolation.processes import hold_back, starting
from hsiaug.tasks.task import get_task
from hsiaug.trial.outcome import ScoredRecords, TrialOutcome
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

try:
    import distributed
except ImportError as error:
    raise InputError(
        "`on` dask needs the library dask.distributed",
        hint=f"Install it: {install('dask', 'distributed', 'bokeh')}.",
    ) from error

CONNECT = 10.0
"""Seconds in which a scheduler must answer."""
MAX_TASK_SECONDS = 60.0
"""Seconds of a task, where its trials can be divided: the end of a run is spread over all workers.
"""
SHARE = 8
"""Tasks for each thread, where there are trials enough."""


class _Dask(Engine):
    """cluster: that of this machine which was started for the run, or None."""

    def __init__(self, client: Any, cluster: Any, gpus: int) -> None:
        self._client, self._cluster, self._jobs = client, cluster, 1
        resources = {"GPU": gpus} if gpus else None
        self.executor: Any = client.get_executor(pure=False, resources=resources)

    @property
    def jobs(self) -> int:
        """Threads of all workers that were there when the scheduler last answered."""
        with suppress(OSError):
            self._jobs = max(1, int(sum(self._client.nthreads().values())))
        return self._jobs

    def divide(self, batches: Sequence[Batch]) -> list[list[Piece]]:
        """Groups that are short go together, as a task."""
        pieces = new_pieces(batches)
        shortest = min(MAX_TASK_SECONDS, seconds_of(pieces) / (SHARE * self.jobs))
        return chunks_of(pieces, len(pieces), shortest)

    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[Any]:
        """Submit a task, whose trials are told of as it ends."""
        chunk = pickle.dumps(chunk_of(pieces, 1))
        future: Future[Any] = self.executor.submit(run_chunk, chunk, key=_key(pieces))
        return future

    def result(self, future: Future[Any]) -> Any:
        """What a task gives. Raises HsiaugError for what stopped it."""
        try:
            return future.result()
        except HsiaugError:
            raise
        except Exception as error:
            raise _lost(f"{type(error).__name__}: {error}") from None

    def check(self) -> None:
        """Raise HsiaugError where the scheduler has gone."""
        if self._client.status in ("closing", "closed"):
            raise _lost("it has gone")

    def cancel(self) -> None:
        """Leave the scheduler, and end what runs and the workers that were started for the run."""
        # A scheduler that has gone runs nothing; a worker that is being started again may fail to
        # end in order, and ends with this process in any case.
        with suppress(Exception):
            self.executor.shutdown(wait=False)
        with suppress(Exception):
            self._client.close()
        with suppress(Exception):
            self._cluster.close()


def _key(pieces: Sequence[Piece]) -> str:
    """The name of a task, as the dashboard shows it."""
    return f"{pieces[0][1][0].generator.name}-{uuid.uuid4().hex[:12]}"


class _BlindDask(_Dask):
    """Workers are sent the scene without labels, and draws without test labels; what they predict
    is scored here.
    """

    def __init__(self, client: Any, cluster: Any, gpus: int) -> None:
        super().__init__(client, cluster, gpus)
        self._batch: Batch | None = None
        # Of the batch: what scores its trials here, and the scene that workers were sent.
        self._records: Any = None
        self._blind: Any = None
        self._sent: dict[Future[Any], tuple[ScoredRecords, Group]] = {}

    def divide(self, batches: Sequence[Batch]) -> list[list[Piece]]:
        """Every group by itself."""
        return [[piece] for piece in new_pieces(batches)]

    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[Any]:
        """Submit a group."""
        ((batch, trials),) = pieces
        if self._batch is not batch:
            self._records = scored_records(batch, Store(batch.store, create=True), self.jobs)
            try:
                self._blind = self._client.scatter(BlindData(batch.scene).packed())
            except OSError as error:
                raise _lost(str(error)) from None
            self._batch = batch
        task = pickle.dumps((batch.settings, trials, batch.split(trials[0]).blind))
        future: Future[Any] = self.executor.submit(run_blind, task, self._blind, key=_key(pieces))
        self._sent[future] = self._records, trials
        return future

    def result(self, future: Future[Any]) -> list[Event]:
        """Write the records of the outcomes that a task gives, and tell of them."""
        records, trials = self._sent.pop(future)
        return [
            Event.of_end(trial.hash, records.write(trial, outcome))
            for trial, outcome in zip(trials, super().result(future), strict=True)
        ]


def _lost(found: str) -> HsiaugError:
    return HsiaugError(
        "the Dask scheduler must stay until the run has ended, with workers that can take its"
        " trials",
        value=found,
        hint="What is finished is in the store: start them, and run the same command again.",
    )


def make(address: str, jobs: int, settings: ClusterSettings, say: Say) -> _Dask:
    """The engine of a scheduler at ``address``; without one, of workers on this machine.

    Raises InputError where nobody answers at the address.
    """
    # What it warns of, as that a worker has gone, is dealt with here.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    cluster = None
    if not address:
        # Its processes must leave Ctrl-C to this one: they would end with tracebacks.
        with starting(), hold_back():
            cluster = distributed.LocalCluster(
                n_workers=settings.workers or jobs,
                threads_per_worker=settings.threads,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                resources={"GPU": settings.gpus} if settings.gpus else None,
                silence_logs=logging.CRITICAL,
            )
    try:
        client = distributed.Client(address or cluster, timeout=CONNECT)
    except (OSError, ValueError) as error:
        rule = "`on` dask:ADDRESS must name a scheduler that answers"
        hint = (
            "Start one with 'dask scheduler', or leave the address out for workers on this machine."
        )
        raise InputError(rule, value=f"{address!r} ({error})", hint=hint) from error
    dashboard = f", dashboard {client.dashboard_link}" if find_spec("bokeh") else ""
    say(f"Dask scheduler {client.scheduler.address}{dashboard}")
    engine = _BlindDask if settings.labels == "here" else _Dask
    return engine(client, cluster, settings.gpus)


# On a worker


class _Cancelled(Exception):
    """Nobody waits for a task any more: its run was stopped, or the scheduler has gone."""


_ENDING = (distributed.Status.closing, distributed.Status.closed)


class _OnWorker(Local):
    """The engine of a task: one process beside the Dask worker."""

    def __init__(self) -> None:
        super().__init__(1)

    def check(self) -> None:
        here = distributed.get_worker()
        task = here.state.tasks.get(here.get_current_task())
        if task is None or task.state == "cancelled" or here.status in _ENDING:
            raise _Cancelled


def run_chunk(packed: bytes) -> list[Event]:
    """Run a chunk's trials on a Dask worker; how each ended.

    Parameters
    ----------
    packed : bytes
        The pickled chunk. To unpack it asks for its plugins, which Dask's own threads must not
        wait for.
    """
    _settle()
    ended: list[Event] = []
    chunk: Chunk = pickle.loads(packed)
    chunk.run(
        _OnWorker(), lambda event: ended.append(event) if event.kind in ("ok", "failed") else None
    )
    return ended


def _settle() -> None:
    """Make this process one that may start others, which compute as fast as elsewhere."""
    one_thread()
    # A worker that a nanny started may have no children else. They end with their parent by
    # themselves.
    multiprocessing.current_process().daemon = False
    # Dask's nannies set it: memory then goes back to the system at every turn, and networks take
    # twice as long.
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)


class _BlindOnWorker(_OnWorker):
    """The same for a task without labels.

    Parameters
    ----------
    start : WorkerStart
        Of its process.
    write : callable
        Takes what its trials come to.
    """

    def __init__(self, start: WorkerStart, write: Callable[..., Record]) -> None:
        super().__init__()
        self._start, self._write = start, write

    def scene_run(self, batch: Batch) -> SceneRun:
        return SceneRun(batch, self._start, self._write)


def run_blind(packed: bytes, scene: bytes) -> list[TrialOutcome]:
    """Run trials on a Dask worker that has no labels: what each came to.

    Parameters
    ----------
    packed : bytes
        The pickled settings of the worker, trials that share a fit, and their split without a test
        label.
    scene : bytes
        :meth:`hsiaug.bench.worker.BlindData.packed`.
    """
    _settle()
    settings, trials, blind = pickle.loads(packed)
    data = BlindData.unpacked(scene)
    outcomes: dict[str, TrialOutcome] = {}

    def keep(trial: TrialSpec, outcome: TrialOutcome) -> Record:
        outcomes[trial.hash] = outcome
        return outcome.record

    with PluginsFolder() as cache:
        task = get_task(trials[0].task)
        start = WorkerStart(settings, task.name, Path(cache), data, named_files(trials))
        engine = _BlindOnWorker(start, keep)
        batch = Batch(task, data.data, "", Path(), settings, [trials], lambda trial: blind)
        try:
            run_groups(engine, [batch], lambda event: None)
        finally:
            engine.cancel()
    return [outcomes[trial.hash] for trial in trials]
