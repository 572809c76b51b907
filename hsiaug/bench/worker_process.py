"""Worker processes (:mod:`hsiaug.bench.worker`), as the process that starts them has them: one, and
an executor of threads, each of which has one.

They are started when there is work, run one trial at a time, and are replaced when they die. The
processes of ``concurrent.futures`` will not do: there the death of one ends them all, a result
cannot be told from a worker's last words, and a call into compiled code cannot be ended.
"""

import math
import os
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait as wait_for
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from hsiaug.base.temporary_folders import PluginsFolder
from hsiaug.bench.engine import Group, PluginProgress
from hsiaug.bench.messages import LONGEST_MESSAGE, BadMessage, read_message
from hsiaug.bench.worker import SHORT, WorkerStart, serve
from hsiaug.registry.isolation.processes import (
    CONTEXT,
    Child,
    await_fork_server,
    end_strays,
    ending,
    receive,
    without_secrets,
)
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.record import STAGES
from hsiaug.trial.saved_fits import fits_folder

PATIENCE, LAST_WORDS = 1.0, 10.0
"""Seconds after which processes are looked at though nothing was heard: a copy of a dead one may
keep its pipe open; and in which one that closed its pipe may end by itself.
"""
LOADED_WITHIN = 300.0
"""Seconds in which a process has loaded libraries and plugins, where trials have a time limit."""
CAUSES = {"signal SIGKILL": ", often for want of memory", "signal SIGSEGV": ", in compiled code"}


BEGINNING = next(iter(STAGES))
"""The stage that a trial begins with."""


@dataclass(frozen=True)
class WorkerLost:
    """A worker was lost in the middle of a trial. how: in words. stage: of the trial."""

    how: str
    stage: str


Message = PluginProgress | TrialOutcome | WorkerLost
"""What a worker says of the trial that runs; its outcome is the end of it."""


class Stopped(Exception):
    """The run of a worker was stopped: nobody waits for what it runs any more."""


@dataclass(eq=False)
class Worker:
    """A process and what it does, for one thread.

    Attributes
    ----------
    stopping : Event
        Set where the run is stopped, by another thread.
    start : WorkerStart or None
        What the process was started with.
    stage : str
        The stage that the trial has come to, as the process says.
    deadline : float
        When the trial must have ended, by ``time.monotonic()``. Its time limit runs from the stage
        "split"; all before that has LOADED_WITHIN more.
    draw : str or None
        The hash of the draw whose split the process has.
    ran : frozenset of (str, str)
        The third-party parts of trials that have run in it.
    temporary : PluginsFolder or None
        Of the process, which may be killed before it has removed its files.
    """

    stopping: threading.Event = field(default_factory=threading.Event)
    start: WorkerStart | None = field(default=None, init=False)
    child: Child | None = field(default=None, init=False)
    stage: str = field(default=BEGINNING, init=False)
    deadline: float = field(default=math.inf, init=False)
    draw: str | None = field(default=None, init=False)
    ran: frozenset[tuple[str, str]] = field(default=frozenset(), init=False)
    temporary: PluginsFolder | None = field(default=None, init=False)

    @property
    def runs(self) -> bool:
        """Whether its process is there, as far as is known."""
        return self.child is not None

    def send(self, start: WorkerStart, trials: Group, blind: object) -> None:
        """Let the process run trials. One is started where there is none for their scene, or where
        plugins ran in it that do not come with hsiaug and have no part in these trials: they may
        have replaced anything.
        """
        if self.stopping.is_set():
            raise Stopped
        first = trials[0]
        if start != self.start or not self.ran <= first.third_party_parts:
            self.end()
        if self.child is None:
            self.start = start
            self.child = self._begin(start)
        self.ran = trials[-1].third_party_parts
        self._begin_trial()
        known = self.draw == first.draw_hash
        self.draw = first.draw_hash
        # Where it died while it was idle, that is noticed when its message is waited for.
        with suppress(OSError):
            fits = fits_folder(start.cache, first)
            packed = [pickle.dumps(trial) for trial in trials]
            self.child.connection.send((fits, packed, None if known else blind))

    def _begin(self, start: WorkerStart) -> Child:
        self.temporary = PluginsFolder()
        start = replace(start, temporary=Path(self.temporary.name).resolve())
        # It takes Ctrl-C once it can end without a traceback, and not before.
        shown = without_secrets(os.environ)
        child = Child(serve, start, shown, context=CONTEXT, environment=shown)
        self.draw = None
        self.ran = frozenset()
        return child

    def end(self) -> int | None:
        """Kill the process; how it had ended by itself, if it had."""
        exit_code: int | None = None
        if self.child is not None:
            exit_code = self.child.process.exitcode
            self.child.end()
            self.child = None
            end_strays()
        if self.temporary is not None:
            self.temporary.cleanup()
            self.temporary = None
        return exit_code

    def receive(self, trial: str) -> Message:
        """Wait for the next message on the trial of that hash, which runs, or what is known of the
        death of the process. Raises Stopped where the run was stopped.
        """
        while True:
            assert self.child is not None
            connection, process = self.child.connection, self.child.process
            speaking = wait_for([connection, process.sentinel], PATIENCE)
            if self.stopping.is_set():
                raise Stopped
            ended = process.sentinel in speaking or process.exitcode is not None
            message = None
            if connection in speaking or (ended and connection.poll()):
                message = self._read(trial)
            elif ended:
                return self.clear_away()
            if isinstance(message, TrialOutcome | WorkerLost):
                return message
            if late := self.overdue():
                return late
            if message is not None:
                return message

    def _read(self, trial: str) -> Message | None:
        """The next message, whose beginning is there, or how the process ended; None where a stage
        has begun.
        """
        assert self.child is not None
        try:
            message = read_message(receive(self.child.connection, LONGEST_MESSAGE), trial)
        except (EOFError, OSError):
            return self.clear_away(LAST_WORDS)
        except (BadMessage, MemoryError):
            return self.clear_away(0.0)
        if isinstance(message, str):
            self.stage = message
            if self.stage == "split":
                # A plugin may say so again.
                self.deadline = min(self.deadline, time.monotonic() + self._limit)
            return None
        if isinstance(message, TrialOutcome):
            self._begin_trial()
        return message

    def _begin_trial(self) -> None:
        self.stage = BEGINNING
        self.deadline = time.monotonic() + LOADED_WITHIN + self._limit

    @property
    def _limit(self) -> float:
        """Seconds that a trial may take."""
        limit = self.start.settings.limit if self.start else None
        return math.inf if limit is None else limit

    def clear_away(self, wait: float = PATIENCE) -> WorkerLost:
        """Clear away a process that is dead or useless, and say how it ended.

        Parameters
        ----------
        wait : float
            Seconds in which it may end by itself.
        """
        assert self.child is not None
        self.child.await_end(wait)
        code = self.end()
        typed = self.start.settings.bounds.as_typed if self.start else ()
        limits = f" ({', '.join(f'--limit {limit}' for limit in typed)})" if typed else ""
        if code is None:
            said = "sent no valid message"
        elif code == SHORT:
            said = f"was short of memory or processes{limits}"
        elif code >= 0:
            said = f"left with {ending(code)}"
        else:
            said = f"was killed by {ending(code)}{CAUSES.get(ending(code), '')}{limits}"
        return WorkerLost(said, self.stage)

    def overdue(self) -> TrialOutcome | None:
        """The end of a trial that took longer than it may; its process is killed."""
        if time.monotonic() < self.deadline:
            return None
        self.end()
        said = f"the trial took longer than its time limit of {self._limit:g} s"
        return failed_outcome(self.stage, "TrialTimeout", said)


class WorkerProcesses(ThreadPoolExecutor):
    """An executor of threads, each with a worker process, which what is submitted is called with as
    its last argument.

    A program that does not shut it down waits at its end for what was submitted.

    Parameters
    ----------
    jobs : int
        Threads at most.
    """

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs, initializer=self._begin)
        self._own = threading.local()
        self._workers: list[Worker] = []
        self._stopping = threading.Event()
        # Where a signal ends this process, or multiprocessing does, before its children end with
        # it: no thread then takes that for the death of one.
        Finalize(self, self._stopping.set, exitpriority=1)

    def _begin(self) -> None:
        self._own.worker = Worker(self._stopping)
        self._workers.append(self._own.worker)

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function with these arguments and a worker process."""
        # In the thread that signals interrupt.
        await_fork_server()
        return super().submit(self._call, call, *args, **kwargs)

    def _call(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        worker = self._own.worker
        try:
            return call(*args, worker, **kwargs)
        except BaseException:
            worker.end()
            raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers once they have run what was submitted; with ``cancel_futures`` at
        once.
        """
        if cancel_futures:
            self._stopping.set()
            for worker in self._workers:
                if child := worker.child:
                    child.kill()
        super().shutdown(wait, cancel_futures=cancel_futures)
        for worker in self._workers if wait else ():
            worker.end()
