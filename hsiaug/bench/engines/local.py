"""This machine: worker processes, one trial in each at a time, started when there is work, replaced
when they die.

A pool of ``concurrent.futures`` will not do: there the death of one worker ends them all, a result
cannot be told from a worker's last words, and a call into compiled code cannot be ended.
"""

import os
import signal
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hsiaug.base.errors import InputError
from hsiaug.base.signals import ENDING
from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.dispatch import Dispatch, Pool
from hsiaug.bench.engine import (
    ClusterSettings,
    Engine,
    Group,
    Message,
    OnEvent,
    PluginProgress,
    Say,
    TrialEnded,
    WorkerLost,
)
from hsiaug.bench.scored_records import ScoredRecords
from hsiaug.bench.worker import SHORT, WorkerStart, serve
from hsiaug.data.pair_loading import label_files
from hsiaug.registry.isolation.processes import (
    CONTEXT,
    Child,
    await_fork_server,
    end_strays,
    load_before_fork,
    without_ctrl_c,
    without_secrets,
)
from hsiaug.registry.lookup import registry
from hsiaug.registry.progress import progress_values
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.plugin_calls import LARGEST_PROVENANCE, LONGEST_MESSAGE, LONGEST_TRACEBACK
from hsiaug.trial.record import TrialError, TrialResult
from hsiaug.trial.record_json import decode
from hsiaug.trial.sheet import MAX_SHEET_BYTES, read_sheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.stage_clock import RECORDED
from hsiaug.trial.store import Store

SHARED = serve.__module__, "sklearn.svm", "imblearn.over_sampling"
"""Modules that the workers of any run share where they are forked."""
load_before_fork(*SHARED)
MAX_MESSAGE_BYTES = 32 * LARGEST_PROVENANCE
"""Bytes of a message: what a generator and a classifier may say of themselves, each character
escaped, and more.
"""
MOST_LABELS = 2**31
"""Bytes of predicted class ids."""
WHOLE_WITHIN = 60.0
"""Seconds in which the rest of a message follows its beginning."""


class BadAnswer(Exception):
    """The output of a worker is not a message, or the worker has ended."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _ErrorMessage(TrialError):
    stage: Annotated[str, Field(pattern=f"^({'|'.join(RECORDED)})$")]
    type: Annotated[str, Field(max_length=2 * LONGEST_MESSAGE)]
    message: Annotated[str, Field(max_length=2 * LONGEST_MESSAGE)]
    traceback: Annotated[str, Field(max_length=2 * LONGEST_TRACEBACK)]


class _Result(TrialResult):
    """The part of a record that a worker says, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok", "failed"]
    error: _ErrorMessage | None


class _Ended(_Message):
    result: _Result
    trial: str
    labels: bool
    sheet: bool = False


class _Step(_Message):
    step: tuple[object, object, object]


SAID: TypeAdapter[_Ended | _Step] = TypeAdapter(_Ended | _Step)


def without_half_messages(connection: Connection) -> None:
    """Let reading fail where the rest of a message does not follow, in place of waiting for
    ever.
    """
    if os.name == "posix":
        seconds = int(WHOLE_WITHIN), int(WHOLE_WITHIN % 1 * 1e6)
        with socket.socket(fileno=os.dup(connection.fileno())) as pipe:
            pipe.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVTIMEO, np.array(seconds, dtype="l").tobytes()
            )


def read_answer(connection: Connection, trial: str) -> PluginProgress | TrialEnded:
    """The next message.

    Parameters
    ----------
    trial : str
        Hash of the one that runs. Raises BadAnswer.
    """
    # Of what is nested more than 200 deep the first makes an error, of a number that is not finite
    # the second.
    said, result = _received(
        connection, MAX_MESSAGE_BYTES, lambda data: (SAID.validate_json(data), decode(data))
    )
    if isinstance(said, _Step):
        return PluginProgress(*progress_values(*said.step))
    ok = said.result.status == "ok"
    if (
        said.trial != trial
        or ok != said.labels
        or ok != (said.result.error is None)
        or said.sheet > ok
    ):
        raise BadAnswer
    labels = (
        _received(connection, MOST_LABELS, lambda data: np.frombuffer(data, np.int16))
        if ok
        else None
    )
    sheet = _received(connection, MAX_SHEET_BYTES, read_sheet) if said.sheet else None
    return TrialEnded(TrialOutcome(result["result"], labels, sheet))


def _received(connection: Connection, most: int, read: Callable[[bytes], object]) -> Any:
    try:
        return read(connection.recv_bytes(most))
    except (
        EOFError,
        OSError,
        ValueError,
        RecursionError,
        MemoryError,
    ) as error:  # pydantic's is a ValueError too
        raise BadAnswer from error


GRACE = 5.0
"""Seconds beyond its time limit after which a trial's process is killed: it is in compiled code, or
swallows the end.
"""

PATIENCE, LAST_WORDS = 1.0, 10.0
"""Seconds after which processes are looked at though nothing was heard: a copy of a dead one may
keep its pipe open; and in which one that closed its pipe may end by itself.
"""


@dataclass(eq=False)
class Worker:
    """A process and what it does.

    Attributes
    ----------
    shown : object
        Written by the process (see :func:`hsiaug.bench.worker.serve`); the clock is the same in
        all processes.
    draw : str or None
        The hash of the draw whose split the process has.
    ran : frozenset of (str, str)
        The third-party parts of trials that have run in it.
    left : deque of str
        Hashes of the trials that it was sent and that have not ended; the first is the one that
        runs.
    """

    start: WorkerStart
    child: Child | None = field(default=None, init=False)
    shown: Any = field(default_factory=lambda: CONTEXT.RawArray("d", 2), init=False, repr=False)
    draw: str | None = field(default=None, init=False)
    ran: frozenset[tuple[str, str]] = field(default=frozenset(), init=False)
    left: deque[str] = field(default_factory=deque, init=False)

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""
        return bool(self.left)

    @property
    def stage(self) -> str:
        """The stage that the trial has come to."""
        number = self.shown[0]
        return RECORDED[int(number)] if 0 <= number < len(RECORDED) else RECORDED[0]

    def send(self, trials: Group, blind: object) -> None:
        """Let the process run trials. One is started where there is none, or where plugins ran in
        it that do not come with hsiaug and have no part in these trials: they may have replaced
        anything.
        """
        first = trials[0]
        if not self.ran <= first.third_party_parts:
            self.end()
        if self.child is None:
            await_fork_server()
            # Signals strike once the process is known, which is then ended with the others.
            with without_ctrl_c(*ENDING):
                self.child = self._begin()
        self.ran = trials[-1].third_party_parts
        self.left = deque(trial.hash for trial in trials)
        self.shown[0] = self.shown[1] = 0.0
        known = self.draw == first.draw_hash
        self.draw = first.draw_hash
        # Where it died while it was idle, that is noticed when its answer is waited for.
        with suppress(OSError):
            self.child.connection.send((trials, None if known else blind))

    def _begin(self) -> Child:
        # It takes Ctrl-C once it can end without a traceback, and not before.
        shown = without_secrets(os.environ)
        child = Child(serve, self.shown, self.start, shown, context=CONTEXT, environment=shown)
        without_half_messages(child.connection)
        self.draw = None
        self.ran = frozenset()
        return child

    def end(self) -> int | None:
        """Kill the process; how it had ended by itself, if it had."""
        if self.child is None:
            return None
        self.left.clear()
        exit_code: int | None = self.child.process.exitcode
        self.child.end()
        self.child = None
        return exit_code

    def receive(self) -> Message:
        """The next message, or what is known of the death of the process."""
        assert self.child is not None
        try:
            message = read_answer(self.child.connection, self.left[0])
        except BadAnswer as error:
            return self.clear_away(
                LAST_WORDS if isinstance(error.__cause__, EOFError | OSError) else 0.0
            )
        if not isinstance(message, PluginProgress):
            self.left.popleft()
            if message.outcome.failed_learning:
                # The others would fail alike, and are not run.
                self.left.clear()
            if message.outcome.timed_out:
                # A limit may have struck anywhere: in the middle of an import, with a lock held.
                self.end()
        return message

    def clear_away(self, wait: float = PATIENCE) -> WorkerLost:
        """Clear away a process that is dead or useless, and say how it ended.

        Parameters
        ----------
        wait : float
            Seconds in which it may end by itself.
        """
        assert self.child is not None
        self.child.process.join(timeout=wait)
        code = self.end()
        if code == SHORT:
            return WorkerLost(f"was short of memory or processes{self._bounds()}", self.stage)
        if code is None or code >= 0:
            return WorkerLost(
                "gave no valid answer" if code is None else f"left with exit code {code}",
                self.stage,
            )
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        reason = {"SIGKILL": ", often for want of memory", "SIGSEGV": ", in compiled code"}.get(
            name, ""
        )
        return WorkerLost(f"was killed by {name}{reason}{self._bounds()}", self.stage)

    def _bounds(self) -> str:
        """The limits that its process was given, as they were typed."""
        limits = self.start.bounds.as_typed
        return f" ({', '.join(f'--limit {limit}' for limit in limits)})" if limits else ""

    def overdue(self) -> TrialEnded | None:
        """The end of a trial that did not keep its limit, and could not be ended from within; its
        process is killed.
        """
        limit, begun = self.start.limit, self.shown[1]
        if limit is None or not begun or time.monotonic() < begun + limit + GRACE:
            return None
        self.end()
        said = (
            f"the trial took longer than its time limit of {limit:g} s, and its process had to be"
            " killed"
        )
        return TrialEnded(failed_outcome(self.stage, "TrialTimeout", said))


def wait_for_messages(workers: Iterable[Worker]) -> list[tuple[Worker, Message]]:
    """Wait until something is heard of one of the busy workers, or for a moment."""
    busy = [(worker, worker.child) for worker in workers if worker.busy and worker.child]
    ends = [end for _, child in busy for end in (child.connection, child.process.sentinel)]
    speaking: set[object] = set(wait_for(ends, PATIENCE))
    messages: list[tuple[Worker, Message]] = []
    for worker, child in busy:
        if late := worker.overdue():
            messages.append((worker, late))
        elif child.connection in speaking:
            messages.append((worker, worker.receive()))
        elif child.process.sentinel in speaking or child.process.exitcode is not None:
            heard = child.connection.poll()
            messages.append((worker, worker.receive() if heard else worker.clear_away()))
    return messages


class LocalPool:
    """Processes of this machine."""

    def __init__(self, start: WorkerStart, jobs: int) -> None:
        self._workers = [Worker(start) for _ in range(max(1, jobs))]

    def workers(self) -> list[Worker]:
        return self._workers

    def wait(self) -> list[tuple[Worker, Message]]:
        return wait_for_messages(self._workers)

    def close(self) -> None:
        for worker in self._workers:
            worker.end()
        end_strays()


def computes_on_device(trials: Iterable[TrialSpec]) -> bool:
    """Whether a plugin of any of the trials computes with torch, which takes 450 MB and 2 s to
    load.
    """
    named = {(kind, one.name) for trial in trials for kind, one in trial.plugins}
    return any(registry().find(kind, name).load().card.uses_device for kind, name in named)


class Local(Engine):
    """The engine of this machine.

    Attributes
    ----------
    jobs : int
        Processes.
    """

    jobs = 1
    _start: WorkerStart | None = None
    _pool: Pool | None = None
    _temporary: tempfile.TemporaryDirectory[str]

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def pool(self, start: WorkerStart) -> Pool:
        """Workers for the trials of one scene."""
        return LocalPool(start, self.jobs)

    def wait(self, on_event: OnEvent) -> None:
        """Carry out the trials scene by scene.

        A trial whose process dies is begun anew, and recorded as failed where it dies again; one
        that keeps no time limit is killed. Neither touches the others.
        """
        for batch in self.batches:
            job = batch.job
            store = Store(job.store, create=True)
            start = WorkerStart(
                task=job.task,
                sha256=batch.scene.sha256,
                cache=store.cache.resolve(),
                device=job.device,
                limit=job.limit,
                data=BlindData(batch.scene),
                hidden=(*label_files(job.scene_ref), job.store.resolve()),
                bounds=job.bounds,
            )
            if self._pool is None or start != self._start:
                self.cancel()
                if computes_on_device(batch.trials):
                    load_before_fork(*SHARED, "torch")
                self._temporary = tempfile.TemporaryDirectory(prefix="hsiaug-")
                self._start = replace(start, temporary=Path(self._temporary.name).resolve())
                self._pool = self.pool(self._start)
            Dispatch(
                batch, self._pool, ScoredRecords(batch.scene, job, store, self.jobs), on_event
            ).run()

    def cancel(self) -> None:
        """End the processes, which stay between runs on the same scene."""
        if self._pool is not None:
            self._pool.close()
            self._temporary.cleanup()
        self._pool = None


def make(address: str, jobs: int, settings: ClusterSettings, say: Say) -> Local:
    """The engine of this machine. Raises InputError for an address."""
    if address:
        raise InputError(
            "`on` local takes no address", value=repr(address), hint="Write `on` local."
        )
    return Local(jobs)
