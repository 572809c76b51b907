"""Dask: the workers of a ``dask.distributed`` scheduler, or of a cluster on this machine that lasts as long as the run.

A slot is a thread of a Dask worker, and holds a process (``dask_host.py``). Trials are sent to a slot by its worker's
address, so that those which share a fit follow it. Which of them run again after a loss is decided here and not by Dask,
as it is on one machine.
"""

from __future__ import annotations

import itertools
import logging
import pickle
import queue
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hsiaug.base.errors import HsiaugError, InputError, install
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.dispatch import PoolEngine
from hsiaug.bench.engine import Batch, Message, PluginProgress, Say, TrialEnded, WorkerLost, WorkerRefused
from hsiaug.bench.processes import without_ctrl_c
from hsiaug.bench.worker import WorkerStart
from hsiaug.trial.spec import TrialSpec

try:
    import dask
    import distributed
except ImportError as error:
    raise InputError(
        "`on` dask needs the library dask.distributed",
        hint=f"Install it: {install('dask', 'distributed', 'bokeh')}.",
    ) from error

from dask.utils import parse_timedelta

from hsiaug.bench.engines.dask_host import end_run, run_trial

__all__ = ["make", "outline"]

REFRESH = 1.0
"""Seconds between two looks at which workers there are."""
PATIENCE = 1.0
"""Seconds to wait for news."""
FETCHERS = 8
"""Answers that are fetched at the same time."""
CONNECT = 10.0
"""Seconds in which a scheduler must answer, and be there again after it was lost."""
WORKERLESS = "10 minutes"
"""Time that a run waits for a worker that can take its trials, unless Dask's ``no-workers-timeout`` is set."""


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
        with without_ctrl_c():
            cluster = distributed.LocalCluster(
                n_workers=settings.workers or jobs,
                threads_per_worker=settings.threads,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                resources={"GPU": settings.gpus} if settings.gpus else None,
                silence_logs=logging.CRITICAL,
            )
    client = _connect(address) if cluster is None else distributed.Client(cluster)
    say(f"Dask scheduler {client.scheduler.address}" + f", dashboard {client.dashboard_link}" * _dashboard(client))
    return _Dask(client, cluster, settings.gpus, say)


def _dashboard(client: Any) -> bool:
    """Whether the scheduler has a dashboard, and the library that draws it."""
    with suppress(PackageNotFoundError):
        return "dashboard" in client.scheduler_info()["services"] and bool(
            client.run_on_scheduler(version, "bokeh")
        )
    return False


def outline(address: str, jobs: int, settings: ClusterSettings, batches: Sequence[Batch]) -> str:
    """Describe which trials would run where; nothing is started."""
    where = f"the workers of {address}" if address else f"{settings.workers or jobs} Dask workers of this machine"
    gpus = f"; those on a GPU ask for GPU={settings.gpus}" if settings.gpus else ""
    return f"{sum(len(batch.trials) for batch in batches)} trials on {where}{gpus}"


def _connect(address: str) -> Any:
    try:
        return distributed.Client(address, timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise InputError(
            "`on` dask:ADDRESS must name a scheduler that answers",
            value=f"{address!r} ({error})",
            hint="Start one with 'dask scheduler', or leave the address out for workers on this machine.",
        ) from error


class _Dask(PoolEngine):
    """cluster: that of this machine which was started for the run, or None."""

    def __init__(self, client: Any, cluster: Any, gpus: int, say: Say) -> None:
        self.client, self.gpus = client, gpus
        self._cluster, self._say = cluster, say

    @property
    def jobs(self) -> int:
        """Threads of all workers that are there now."""
        return max(1, len(_places(self.client)))

    def pool(self, start: WorkerStart) -> _DaskPool:
        return _DaskPool(self.client, start, self.gpus, self._say)

    def cancel(self) -> None:
        """Leave the scheduler, and end the workers that were started for the run."""
        super().cancel()
        self.client.close()
        if self._cluster is not None:
            # One that is being started again in place of a dead one may fail to end in order, and a broken pipe to it
            # must not take the place of what the run gave: the processes end with this one in any case.
            with suppress(Exception):
                self._cluster.close()


def _workers(client: Any) -> dict[str, dict[str, Any]]:
    """Return the workers that take tasks, by address."""
    # Not ``client.scheduler_info``: a look of the client's own, which asks for no workers, may overwrite what it returns.
    found = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    return {address: one for address, one in found.items() if one.get("status", "running") == "running"}


def _places(client: Any) -> dict[tuple[str, int], bool]:
    """Address and number of every thread; whether it is one of those that may ask for a GPU of its worker."""
    return {
        (address, number): number < worker["resources"].get("GPU", 0)
        for address, worker in _workers(client).items()
        for number in range(worker["nthreads"])
    }


@dataclass(eq=False)
class _Slot:
    """A thread of a Dask worker. draw: the hash of the draw whose split it has. key: of the task that it runs."""

    pool: _DaskPool
    address: str
    number: int
    gpu: bool
    stage: str = "load"
    key: str = ""
    draw: str = ""
    future: Any = field(default=None, repr=False)

    @property
    def busy(self) -> bool:
        return self.future is not None

    def send(self, trial: TrialSpec, blind: object) -> None:
        """Begin a trial on its worker."""
        self.stage = "load"
        packed = None if self.draw == trial.draw_hash else self.pool.packed(trial, blind)
        self.draw = trial.draw_hash
        self.key, self.future = self.pool.submit(self, trial, packed)

    def end(self) -> None:
        """Cancel what it runs, and end its process."""
        if self.future is not None:
            # A scheduler that has gone runs nothing that could be cancelled.
            with suppress(Exception):
                self.future.cancel()
        self.draw, self.future = "", None


class _DaskPool:
    """The threads of all workers of a scheduler, as they come and go."""

    def __init__(self, client: Any, start: WorkerStart, gpus: int, say: Say) -> None:
        self._client, self._start, self._gpus, self._say = client, start, gpus, say
        self._run = uuid.uuid4().hex[:12]
        self._topic = f"hsiaug-{self._run}"
        self._heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._slots: dict[tuple[str, int], _Slot] = {}
        self._sent: dict[str, _Slot] = {}
        self._numbers = itertools.count()
        self._fetching = ThreadPoolExecutor(FETCHERS)
        self._packed: tuple[str, bytes] = ("", b"")
        self._looked = float("-inf")
        self._patience = parse_timedelta(
            dask.config.get("distributed.scheduler.no-workers-timeout", None) or WORKERLESS
        )
        self._idle: float | None = None
        client.subscribe_topic(self._topic, lambda event: self._heard.put((event[1][0], event[1][1:])))

    def slots(self) -> list[_Slot]:
        """Slots of the workers that are there now."""
        if time.monotonic() - self._looked > REFRESH:
            self._look()
        return list(self._slots.values())

    def wait(self) -> list[tuple[_Slot, Message]]:
        """Return the messages of busy slots; slots whose worker has gone are lost."""
        # Those of workers that have gone too, whoever noticed that.
        self._sent = busy = {key: slot for key, slot in self._sent.items() if slot.busy and slot.key == key}
        self._check_patience(bool(busy))
        found: list[tuple[_Slot, Message]] = []
        for key, news in self._news():
            message = self._read(busy[key], news) if key in busy else None
            if message is not None:
                found.append((busy[key], message))
        there = set(self.slots())
        gone = [slot for slot in busy.values() if slot.busy and slot not in there]
        for slot in gone:
            slot.end()
        return found + [(slot, WorkerLost("left the cluster", slot.stage)) for slot in gone]

    def close(self) -> None:
        """Cancel all that runs, and end the processes."""
        for slot in self._sent.values():
            slot.end()
        self._fetching.shutdown(wait=False, cancel_futures=True)
        # Of a cluster that has gone there is nothing to end.
        with suppress(Exception):
            self._client.unsubscribe_topic(self._topic)
            self._client.run(end_run, self._run, on_error="ignore")

    def packed(self, trial: TrialSpec, blind: object) -> bytes:
        """A split as it is sent: masks are nearly empty."""
        if self._packed[0] != trial.draw_hash:
            self._packed = (trial.draw_hash, zlib.compress(pickle.dumps(blind), 1))
        return self._packed[1]

    def submit(self, slot: _Slot, trial: TrialSpec, packed: bytes | None) -> tuple[str, Any]:
        """A task that runs a trial on a slot's worker, and its key."""
        key = f"{trial.generator.name}-{trial.hash}-{self._run}-{next(self._numbers)}"
        arguments = self._run, slot.number, self._start, trial, packed, self._topic
        gpu = {"GPU": self._gpus} if self._gpus and slot.gpu else None
        options = {"key": key, "pure": False, "retries": 0, "workers": [slot.address], "resources": gpu}
        future = self._submit(*arguments, **options)
        # In a thread: where the worker has gone, its answer is waited for until the task is cancelled.
        self._sent[key] = slot
        future.add_done_callback(lambda done: self._fetching.submit(self._fetch, key, done))
        return key, future

    def _submit(self, *arguments: Any, **options: Any) -> Any:
        """A task of the scheduler. Raises HsiaugError where it has gone."""
        end = time.monotonic() + 2 * CONNECT
        while True:
            try:
                return self._client.submit(run_trial, *arguments, allow_other_workers=False, **options)
            except Exception as error:
                # Dask raises errors of any kind where the scheduler does not answer; its status tells later.
                if time.monotonic() > end or (self._client.status == "running" and not isinstance(error, OSError)):
                    raise
            time.sleep(REFRESH / 10)
            self._look()

    def _fetch(self, key: str, future: Any) -> None:
        self._heard.put((key, _result(future)))

    def _look(self) -> None:
        """Learn which workers there are. Raises HsiaugError where the scheduler has gone."""
        self._looked = time.monotonic()
        if self._client.status == "running":
            # Where it does not answer, its status tells so soon.
            with suppress(OSError):
                self._slots = {
                    place: self._slots.get(place) or _Slot(self, *place, gpu)
                    for place, gpu in _places(self._client).items()
                }
        elif self._client.status in ("closing", "closed"):
            raise HsiaugError(
                "the Dask scheduler must stay until the run has ended",
                value=f"none for {CONNECT:.0f} s",
                hint="What is finished is in the store: start the scheduler, and run the same command again.",
            )

    def _check_patience(self, busy: bool) -> None:
        """Wait for a while if no worker can take the work that there is. Raises HsiaugError after that."""
        if busy:
            self._idle = None
        elif self._idle is None:
            self._idle = time.monotonic()
            self._say("waiting for Dask workers" + " that can take the trials that are left" * bool(self._slots))
        elif time.monotonic() - self._idle >= self._patience:
            raise HsiaugError(
                "a run on Dask must have a worker that can take its trials",
                value=f"none for {self._patience:.0f} s",
                hint="What is finished is in the store: start workers (with --resources GPU=1 for --cluster gpus=1), "
                "and run the same command again.",
            )

    def _news(self) -> Iterator[tuple[str, Any]]:
        """All that was heard, after a moment at the latest."""
        with suppress(queue.Empty):
            yield self._heard.get(timeout=PATIENCE)
            while True:
                yield self._heard.get_nowait()

    def _read(self, slot: _Slot, news: Any) -> Message | None:
        """Return the message of an event or of the end of a task; None for a new stage, which is only noted."""
        if isinstance(news, list | tuple):
            kind, *said = news
            if kind == "stage":
                slot.stage = said[0]
                return None
            return PluginProgress(*said)
        message: Message = (
            replace(news, stage=slot.stage) if isinstance(news, WorkerLost) and not news.stage else news
        )
        if not isinstance(message, TrialEnded):
            slot.draw = ""
        if isinstance(message, WorkerRefused):
            self._say(f"worker {slot.address} is left out: it has {message.found}")
        slot.future = None
        return message


def _result(future: Any) -> TrialEnded | WorkerLost | WorkerRefused:
    """Return the result of a task; if there is none, how the task was lost."""
    try:
        result: TrialEnded | WorkerLost | WorkerRefused = future.result()
    except (CancelledError, OSError):
        # By a scheduler that has gone or was started again: nothing here cancels what is still waited for.
        return WorkerLost("was cancelled", "", counts=False)
    except Exception as error:
        return WorkerLost(f"was lost ({type(error).__name__}: {error})", "")
    return result
