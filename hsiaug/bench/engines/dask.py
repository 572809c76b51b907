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
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from hsiaug.base.errors import HsiaugError, InputError, install
from hsiaug.base.threads import one_thread
from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.dispatch import Dispatch, Pool
from hsiaug.bench.engine import (
    Batch,
    ClusterSettings,
    Engine,
    Event,
    Group,
    Job,
    Message,
    OnEvent,
    Say,
)
from hsiaug.bench.engines.chunks import Chunk, Piece, chunk_of, chunks_of, new_pieces, seconds_of
from hsiaug.bench.engines.local import Local, LocalPool, Worker
from hsiaug.bench.scored_records import ScoredRecords
from hsiaug.bench.worker import WorkerStart
from hsiaug.registry.isolation.processes import without_ctrl_c, without_main
from hsiaug.trial.outcome import TrialOutcome
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
PATIENCE = 1.0
"""Seconds to wait for news."""
MAX_TASK_SECONDS = 60.0
"""Seconds of a task, where its trials can be divided: the end of a run is spread over all workers.
"""
SHARE = 8
"""Tasks for each thread, where there are trials enough."""


class _Dask(Engine):
    """cluster: that of this machine which was started for the run, or None."""

    def __init__(self, client: Any, cluster: Any, gpus: int) -> None:
        self._client, self._cluster, self._gpus = client, cluster, gpus
        self._futures: list[object] = []

    @property
    def jobs(self) -> int:
        """Threads of all workers that are there now."""
        return max(1, int(sum(self._client.nthreads().values())))

    def wait(self, on_event: OnEvent) -> None:
        """Run the trials as tasks, and tell of them as a task ends. Raises HsiaugError where tasks
        are lost.
        """
        waiting = self._tasks()
        running = list[Any]()
        ended = threading.Event()
        while waiting or running:
            if self._client.status in ("closing", "closed"):
                raise _lost("it has gone")
            with suppress(OSError):
                # A thread has its next task, too, but not at the end: it would not be given to
                # another that is free.
                while waiting and len(running) < self.jobs * (
                    2 if 2 * len(waiting) > self.jobs else 1
                ):
                    running.append(self._submit(waiting.pop(0)))
                    running[-1].add_done_callback(lambda future: ended.set())
            ended.wait(PATIENCE)
            ended.clear()
            for future in [future for future in running if future.done()]:
                if (result := _result(future)) is not None:
                    running.remove(future)
                    for event in self._events(result):
                        on_event(event)

    def _tasks(self) -> list[list[Piece]]:
        """What is run together, as a task."""
        pieces = new_pieces(self.batches)
        shortest = min(MAX_TASK_SECONDS, seconds_of(pieces) / (SHARE * self.jobs))
        return chunks_of(pieces, len(pieces), shortest)

    def _submit(self, pieces: Sequence[Piece]) -> Any:
        """The future of a task."""
        return self._send(pieces, run_chunk, pickle.dumps(chunk_of(pieces, 1)))

    def _events(self, result: Any) -> Iterable[Event]:
        """What the result of a task tells."""
        events: list[Event] = result
        return events

    def _send(self, pieces: Sequence[Piece], run: Callable[..., object], *arguments: object) -> Any:
        key = f"{pieces[0][1][0].generator.name}-{uuid.uuid4().hex[:12]}"
        resources = {"GPU": self._gpus} if self._gpus else None
        future = self._client.submit(run, *arguments, key=key, pure=False, resources=resources)
        self._futures.append(future)
        return future

    def cancel(self) -> None:
        """Leave the scheduler, and end what runs and the workers that were started for the run."""
        # A scheduler that has gone runs nothing; a worker that is being started again may fail to
        # end in order, and ends with this process in any case.
        with suppress(Exception):
            self._client.cancel(self._futures, force=True)
        with suppress(Exception):
            self._client.close()
        with suppress(Exception):
            self._cluster.close()


class _BlindDask(_Dask):
    """Workers are sent the scene without labels, and draws without test labels; what they predict
    is scored here.
    """

    def __init__(self, client: Any, cluster: Any, gpus: int) -> None:
        super().__init__(client, cluster, gpus)
        self._sent: dict[int, tuple[ScoredRecords, Any]] = {}

    def _tasks(self) -> list[list[Piece]]:
        return [[piece] for piece in new_pieces(self.batches)]

    def _submit(self, pieces: Sequence[Piece]) -> Any:
        ((batch, trials),) = pieces
        records, scene = self._scene(batch)
        blind = records.blind_split(trials[0])
        task = BlindTask(id(batch), batch.job, batch.scene.sha256, trials, blind)
        return self._send(pieces, run_blind, pickle.dumps(task), scene)

    def _scene(self, batch: Batch) -> tuple[ScoredRecords, Any]:
        """What scores the trials of a batch, and the future of its scene without labels."""
        if id(batch) not in self._sent:
            records = ScoredRecords(
                batch.scene, batch.job, Store(batch.job.store, create=True), self.jobs
            )
            scene = self._client.scatter(BlindData(batch.scene).packed())
            self._sent[id(batch)] = records, scene
        return self._sent[id(batch)]

    def _events(self, result: Any) -> Iterable[Event]:
        number, outcomes = result
        records, _ = self._sent[number]
        batch = next(one for one in self.batches if id(one) == number)
        for trial, outcome in outcomes:
            yield records.write(trial, outcome, batch.commands.get(trial.hash, ""))


def _result(future: Any) -> Any:
    """What a task returned; None while its worker does not answer. Raises HsiaugError for what
    stopped it.
    """
    try:
        return future.result(timeout=CONNECT)
    except HsiaugError:
        raise
    except Exception as error:
        if isinstance(error, TimeoutError) and future.status != "error":
            # It is suspended, or Dask will find that it has gone and run the task again.
            return None
        raise _lost(f"{type(error).__name__}: {error}") from None


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
        with without_main(), without_ctrl_c():
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


class _Seat(LocalPool):
    """The process of a task."""

    def __init__(self, start: WorkerStart) -> None:
        super().__init__(start, 1)
        # A Dask worker that ends, as when the scheduler has gone, would wait for it.
        self._finally = Finalize(self, self.workers()[0].end, exitpriority=0)

    def wait(self) -> list[tuple[Worker, Message]]:
        here = distributed.get_worker()
        task = here.state.tasks.get(here.get_current_task())
        if task is None or task.state == "cancelled" or here.status in _ENDING:
            raise _Cancelled
        return super().wait()


_ENDING = (distributed.Status.closing, distributed.Status.closed)


class _OnWorker(Local):
    def pool(self, start: WorkerStart) -> Pool:
        return _Seat(start)


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
        _OnWorker(1), lambda event: ended.append(event) if event.kind in ("ok", "failed") else None
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


@dataclass(frozen=True)
class BlindTask:
    """Trials that share a fit.

    Attributes
    ----------
    batch : int
        A number by which the command knows theirs.
    sha256 : str
        Of the scene.
    blind : object
        Their split, without a test label.
    """

    batch: int
    job: Job
    sha256: str
    trials: Group
    blind: object


class _Outcomes:
    """What the trials of a task came to, in place of records."""

    def __init__(self, task: BlindTask) -> None:
        self.outcomes: list[tuple[TrialSpec, TrialOutcome]] = []
        self._blind = task.blind

    def write(self, trial: TrialSpec, outcome: TrialOutcome, command: str) -> Event:
        self.outcomes.append((trial, outcome))
        return Event("failed" if outcome.failed else "ok", trial.hash)

    def blind_split(self, trial: TrialSpec) -> object:
        return self._blind


def run_blind(packed: bytes, scene: bytes) -> tuple[int, list[tuple[TrialSpec, TrialOutcome]]]:
    """Run trials on a Dask worker that has no labels: the number of their batch, and what each came
    to.

    Parameters
    ----------
    packed : bytes
        A pickled BlindTask.
    scene : bytes
        :meth:`hsiaug.bench.blind_data.BlindData.packed`.
    """
    _settle()
    task: BlindTask = pickle.loads(packed)
    data, job = BlindData.unpacked(scene), task.job
    with tempfile.TemporaryDirectory(prefix="hsiaug-") as folder:
        cache, temporary = Path(folder) / "cache", Path(folder) / "temporary"
        temporary.mkdir()
        start = WorkerStart(
            job.task,
            task.sha256,
            cache,
            job.device,
            job.limit,
            data,
            temporary=temporary,
            bounds=job.bounds,
        )
        seat, outcomes = _Seat(start), _Outcomes(task)
        batch = Batch(data.data, job, [task.trials], {}, {})
        try:
            Dispatch(batch, seat, outcomes, lambda event: None).run()
        finally:
            seat.close()
    return task.batch, outcomes.outcomes
