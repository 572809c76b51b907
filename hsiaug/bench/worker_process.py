"""Worker processes (:mod:`hsiaug.bench.worker`), as the process that starts them has them: one, and
an executor of threads, each of which has one.

They are started when there is work, run one trial at a time, and are replaced when they die. The
processes of ``concurrent.futures`` will not do: there the death of one ends them all, nothing is
told while a task runs, and a call into compiled code cannot be ended.
"""

import math
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
from hsiaug.bench.engine import Group
from hsiaug.bench.worker import WorkerStart, serve
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.isolation.processes import Child, await_fork_server, ending
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.record import STAGES

PATIENCE, LAST_WORDS = 1.0, 10.0
"""Seconds after which processes are looked at though nothing was heard; and in which one that
closed its pipe may end by itself.
"""
SLEPT = 5.0
"""Seconds beyond PATIENCE after which the machine, or this process, was stopped meanwhile: they
count to no time limit.
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


Message = TrialOutcome | WorkerLost
"""What the trial that runs ends with."""


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
    split : str or None
        The hash of the split that the process has.
    ran : frozenset of (str, str)
        The third-party parts of trials that have run in it.
    outside : list of (str or None, str)
        What plugins did outside of their packages, by the kind of the plugin that computed.
    temporary : PluginsFolder or None
        Of the process, which may be killed before it has removed its files.
    """

    stopping: threading.Event = field(default_factory=threading.Event)
    start: WorkerStart | None = field(default=None, init=False)
    child: Child | None = field(default=None, init=False)
    stage: str = field(default=BEGINNING, init=False)
    deadline: float = field(default=math.inf, init=False)
    split: str | None = field(default=None, init=False)
    ran: frozenset[tuple[str, str]] = field(default=frozenset(), init=False)
    outside: list[tuple[Kind | None, str]] = field(default_factory=list, init=False)
    temporary: PluginsFolder | None = field(default=None, init=False)

    @property
    def runs(self) -> bool:
        """Whether its process is there, as far as is known."""
        return self.child is not None

    def send(self, start: WorkerStart, trials: Group, blind: object) -> None:
        """Let the process run trials. One is started where there is none for their scene, or where
        plugins ran in it that do not come with hsiaug and have no part in these trials: they may
        have replaced anything.

        Parameters
        ----------
        start : WorkerStart
            What a process is started with.
        trials : tuple of TrialSpec
            Of one split.
        blind : Split or TileSplit
            That split, without test labels.
        """
        if self.stopping.is_set():
            raise Stopped
        first = trials[0]
        if start != self.start or not self.ran <= first.third_party_parts:
            self.end()
        if self.child is None:
            self.start = start
            self.temporary = PluginsFolder()
            folder = Path(self.temporary.name).resolve()
            self.child = Child(serve, replace(start, temporary=folder))
            self.split = None
        self.ran = trials[-1].third_party_parts
        self.outside = []
        self._begin_trial()
        known = self.split == first.draw_hash
        self.split = first.draw_hash
        # Where it died while it was idle, that is noticed when its message is waited for.
        with suppress(OSError):
            packed = [pickle.dumps(trial) for trial in trials]
            self.child.connection.send((packed, None if known else blind))

    def end(self) -> int | None:
        """Kill the process; how it had ended by itself, if it had."""
        exit_code: int | None = None
        if self.child is not None:
            exit_code = self.child.process.exitcode
            self.child.end()
            self.child = None
            self.ran = frozenset()
        if self.temporary is not None:
            self.temporary.cleanup()
            self.temporary = None
        return exit_code

    def receive(self) -> Message:
        """Wait for the next message on the trial that runs, or what is known of the death of the
        process. Raises Stopped where the run was stopped.
        """
        while True:
            assert self.child is not None
            connection, process = self.child.connection, self.child.process
            asked = time.monotonic()
            speaking = wait_for([connection, process.sentinel], PATIENCE)
            slept = time.monotonic() - asked - PATIENCE
            if slept > SLEPT:
                self.deadline += slept
            if self.stopping.is_set():
                raise Stopped
            message = None
            if connection in speaking or connection.poll():
                message = self._read(connection)
            elif process.sentinel in speaking:
                return self._lost()
            if message is not None:
                return message
            if time.monotonic() > self.deadline:
                self.end()
                said = f"the trial took longer than its time limit of {self._limit:g} s"
                return failed_outcome(self.stage, "TrialTimeout", said)

    def _read(self, connection: Any) -> Message | None:
        """The next message, or how the process ended; None for what need not be told at once."""
        try:
            kind, value = connection.recv()
        except (EOFError, OSError):
            return self._lost(LAST_WORDS)
        except Exception:
            # What cannot be unpickled here, as a class of a plugin's.
            return self._lost(0.0)
        if kind == "stage":
            self.stage = value
            if value == "split":
                self.deadline = min(self.deadline, time.monotonic() + self._limit)
            return None
        if kind == "outside":
            self.outside.append((STAGES[self.stage].plugin, value))
            return None
        if kind == "end":
            self._begin_trial()
        return value  # type: ignore[no-any-return]

    def take_outside(self) -> list[tuple[Kind | None, str]]:
        """What plugins of the trial did outside of their packages. What a generator did counts to
        all trials of the group, which share its fit.
        """
        taken = self.outside
        self.outside = [one for one in taken if one[0] == "generator"]
        return taken

    def _begin_trial(self) -> None:
        self.stage = BEGINNING
        self.deadline = time.monotonic() + LOADED_WITHIN + self._limit

    @property
    def _limit(self) -> float:
        """Seconds that a trial may take."""
        limit = self.start.settings.limit if self.start else None
        return math.inf if limit is None else limit

    def _lost(self, wait: float = PATIENCE) -> WorkerLost:
        """Clear away a process that is dead or useless, and say how it ended.

        Parameters
        ----------
        wait : float
            Seconds in which it may end by itself.
        """
        assert self.child is not None
        self.child.process.join(wait)
        code = self.end()
        if code is None:
            return WorkerLost("sent no valid message", self.stage)
        how = "left with" if code >= 0 else "was killed by"
        return WorkerLost(f"{how} {ending(code)}{CAUSES.get(ending(code), '')}", self.stage)


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
