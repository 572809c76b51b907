"""This machine: worker processes, one trial in each at a time, started when there is work, replaced when they die.

A pool of ``concurrent.futures`` will not do: there the death of one worker ends them all, a result cannot be told from a
worker's last words, and a call into compiled code cannot be ended.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from typing import Any

from hsiaug.base.errors import InputError
from hsiaug.bench.answers import BadAnswer, read_answer, without_half_messages
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.dispatch import Dispatch, Pool
from hsiaug.bench.engine import Batch, Message, OnEvent, PluginProgress, Say, TrialEnded, WorkerLost
from hsiaug.bench.ledger import Ledger
from hsiaug.bench.processes import CONTEXT, without_ctrl_c, without_main
from hsiaug.bench.worker import STAGES, TrialRequest, WorkerStart, serve, strangers
from hsiaug.trial.run import lost
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Local", "Worker", "make", "wait_for_messages"]

GRACE = 5.0
"""Seconds beyond its time limit after which a trial's process is killed: it is in compiled code, or swallows the end."""

PATIENCE = 1.0
"""Seconds after which processes are looked at though nothing was heard: a copy of a dead one may keep its pipe open."""


@dataclass(eq=False)
class Worker:
    """A process and what it does.

    shown: written by the process (see :func:`hsiaug.bench.worker.serve`); the clock is the same in all processes. draw:
    the hash of the draw whose split the process has. ran: the strangers that have run in it. trial: hash of the trial
    that it runs.
    """

    start: WorkerStart
    process: BaseProcess | None = field(default=None, init=False)
    connection: Connection | None = field(default=None, init=False)
    shown: Any = field(default_factory=lambda: CONTEXT.RawArray("d", 2), init=False, repr=False)
    draw: str | None = field(default=None, init=False)
    ran: frozenset[tuple[str, str]] = field(default=frozenset(), init=False)
    trial: str = field(default="", init=False)
    busy: bool = field(default=False, init=False)

    @property
    def stage(self) -> str:
        """The stage that the trial has come to."""
        number = self.shown[0]
        return STAGES[int(number)] if 0 <= number < len(STAGES) else STAGES[0]

    def send(self, trial: TrialSpec, blind: object) -> None:
        """Let the process run a trial. One is started where there is none, or where plugins ran in it that do not come
        with hsiaug and have no part in this trial: they may have replaced anything.
        """
        its = strangers(trial)
        if not self.ran <= its:
            self.end()
        if self.process is None:
            self._begin()
        self.ran, self.trial, self.busy = its, trial.hash, True
        self.shown[0] = self.shown[1] = 0.0
        known = self.draw == trial.draw_hash
        self.draw = trial.draw_hash
        assert self.connection is not None
        # Where it died while it was idle, that is noticed when its answer is waited for.
        with suppress(OSError):
            self.connection.send(TrialRequest(trial, None if known else blind))

    def _begin(self) -> None:
        here, there = CONTEXT.Pipe()
        without_half_messages(here)
        arguments = (there, self.shown, self.start, dict(os.environ))
        self.process = CONTEXT.Process(target=serve, args=arguments)
        # It takes Ctrl-C once it can end without a traceback, and not before.
        with without_ctrl_c(), without_main():
            self.process.start()
        there.close()
        self.connection, self.draw, self.ran = here, None, frozenset()

    def end(self) -> int | None:
        """Kill the process; how it had ended by itself, if it had."""
        if self.process is None or self.connection is None:
            return None
        ended = self.process.exitcode
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.process = self.connection = None
        return ended

    def receive(self) -> Message:
        """The next message, or what is known of the death of the process."""
        assert self.connection is not None
        try:
            message = read_answer(self.connection, self.trial)
        except BadAnswer as error:
            return self.lost(PATIENCE if isinstance(error.__cause__, EOFError | OSError) else 0.0)
        if not isinstance(message, PluginProgress):
            self.busy = False
            if message.outcome.timed_out:
                # A limit may have struck anywhere: in the middle of an import, with a lock held.
                self.end()
        return message

    def lost(self, wait: float = PATIENCE) -> WorkerLost:
        """Clear away a process that is dead or useless. wait: seconds in which it may end by itself."""
        assert self.process is not None
        self.process.join(timeout=wait)
        self.busy = False
        return WorkerLost(_manner(self.end()), self.stage)

    def overdue(self) -> TrialEnded | None:
        """The end of a trial that did not keep its limit, and could not be ended from within; its process is killed."""
        limit, begun = self.start.limit, self.shown[1]
        if limit is None or not begun or time.monotonic() < begun + limit + GRACE:
            return None
        self.end()
        self.busy = False
        said = f"the trial took longer than its time limit of {limit:g} s, and its process had to be killed"
        return TrialEnded(lost(self.stage, "TrialTimeout", said))


def wait_for_messages(workers: Iterable[Worker]) -> list[tuple[Worker, Message]]:
    """Wait until something is heard of one of the busy workers, or for a moment."""
    busy = [worker for worker in workers if worker.busy]
    speaking: set[Any] = set(
        wait_for(
            [x for w in busy if w.connection and w.process for x in (w.connection, w.process.sentinel)], PATIENCE
        )
    )
    found: list[tuple[Worker, Message]] = []
    for worker in busy:
        assert worker.connection is not None and worker.process is not None
        if late := worker.overdue():
            found.append((worker, late))
        elif worker.connection in speaking:
            found.append((worker, worker.receive()))
        elif worker.process.sentinel in speaking or worker.process.exitcode is not None:
            found.append((worker, worker.receive() if worker.connection.poll() else worker.lost()))
    return found


def _manner(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "gave no valid answer"
    if code >= 0:
        return f"left with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    reason = {"SIGKILL": ", often for want of memory", "SIGSEGV": ", in compiled code"}.get(name, "")
    return f"was killed by {name}{reason}"


class _LocalPool:
    """Processes of this machine."""

    def __init__(self, start: WorkerStart, jobs: int) -> None:
        self._workers = [Worker(start) for _ in range(max(1, jobs))]

    def slots(self) -> list[Worker]:
        return self._workers

    def wait(self) -> list[tuple[Worker, Message]]:
        return wait_for_messages(self._workers)

    def close(self) -> None:
        for worker in self._workers:
            worker.end()


class Local:
    """The engine of this machine. jobs: processes."""

    waits = True
    _batches: Sequence[Batch] = ()
    _start: WorkerStart | None = None
    _pool: Pool | None = None

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def pool(self, start: WorkerStart) -> Pool:
        """Slots for the trials of one scene."""
        return _LocalPool(start, self.jobs)

    def submit(self, batches: Sequence[Batch]) -> None:
        """Take trials, to be run when they are waited for."""
        self._batches = batches

    def wait(self, on_event: OnEvent) -> None:
        """Carry out the trials scene by scene.

        A trial whose process dies is begun anew, and recorded as failed where it dies again; one that keeps no time
        limit is killed. Neither touches the others.
        """
        for batch in self._batches:
            job, store = batch.job, Store(batch.job.store, create=True)
            cache = store.cache.resolve()
            start = WorkerStart(job.task, job.scene_ref, batch.scene.sha256, cache, job.device, job.limit)
            if self._pool is None or start != self._start:
                self.cancel()
                self._start, self._pool = start, self.pool(start)
            Dispatch(batch, self._pool, Ledger(batch.scene, job, store, batch.trials), on_event).run()

    def cancel(self) -> None:
        """End the processes, which stay between runs on the same scene."""
        if self._pool is not None:
            self._pool.close()
        self._pool = None


def make(address: str, jobs: int, settings: ClusterSettings, say: Say) -> Local:
    """The engine of this machine. Raises InputError for an address."""
    if address:
        raise InputError("`on` local takes no address", value=repr(address), hint="Write `on` local.")
    return Local(jobs)
