"""Score and store the records of a run: in its own process, or, where many slots answer, in a few beside it.

To score and to write take several milliseconds a trial: one process would keep two hundred workers waiting.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Literal

from hsiaug.base.errors import HsiaugError, SceneError
from hsiaug.bench.engine import Event, Job
from hsiaug.bench.processes import CONTEXT, end_with_parent, without_ctrl_c, without_main
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.run import Outcome, finish
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Answer", "Writing"]

MANY_SLOTS = 32
"""Slots from which on other processes write the records."""
WRITERS = 8
"""Such processes at most; one more is started where all have work."""
BACKLOG = 128
"""Answers that may wait to be written."""

Answer = tuple[TrialSpec, Outcome, TaskSplit, str]
"""A trial, its outcome, its split with all labels, and the command that runs it again."""

_here: list[Writing] = []
"""In a process that writes: what it writes with."""


class Writing:
    """Writes the records of a job. data: the scene, with all labels."""

    def __init__(self, data: TaskData, job: Job, store: Store) -> None:
        self._data, self._job, self._store = data, job, store
        self._written: deque[Event | Future[Event]] = deque()
        self._pool: ProcessPoolExecutor | None = None

    def put(self, answer: Answer, slots: int) -> None:
        """Write a record, or have it written where there are many slots."""
        if slots < MANY_SLOTS:
            self._written.append(self.write(*answer))
            return
        if self._pool is None:
            start = self._job, self._data.sha256, dict(os.environ)
            self._pool = ProcessPoolExecutor(WRITERS, CONTEXT, _begin, start)
        # It may start a process.
        with without_ctrl_c(), without_main():
            self._written.append(self._pool.submit(_write, answer))

    def ended(self, *, wait: bool) -> Iterator[Event]:
        """Yield what was written since the last call. wait: until all is. Raises StoreError where a record cannot be."""
        while self._written:
            first = self._written[0]
            if isinstance(first, Future) and not (wait or first.done() or len(self._written) > BACKLOG):
                return
            self._written.popleft()
            yield first if isinstance(first, Event) else _result(first)

    def close(self) -> None:
        """Write what waits, and end the processes."""
        if self._pool is not None:
            self._pool.shutdown()

    def write(self, trial: TrialSpec, outcome: Outcome, split: TaskSplit, command: str) -> Event:
        """Score a trial and store its record, in this process."""
        ref, task = self._job.scene_ref, get_task(self._job.task)
        record, made = finish(trial, outcome, task, self._data, split, scene_ref=ref, command=command)
        stored = self._store.put(record, made)
        kind: Literal["ok", "failed"] = "ok" if stored["status"] == "ok" else "failed"
        return Event(kind, trial.hash, timings=stored["timings"])


def _begin(job: Job, sha256: str, environment: Mapping[str, str]) -> None:
    """Make this process one that writes. Ctrl-C stays held back: what waits is written all the same."""
    end_with_parent()
    os.environ.clear()
    os.environ.update(environment)
    data = get_task(job.task).load(job.scene_ref, progress=False)
    if data.sha256 != sha256:
        raise SceneError(
            f"{job.scene_ref} must stay as it is while a run goes on",
            value="other values or labels",
            hint="Run the command again when its files stay as they are.",
        )
    _here.append(Writing(data, job, Store(job.store, create=True)))


def _write(answer: Answer) -> Event:
    return _here[0].write(*answer)


def _result(future: Future[Event]) -> Event:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise HsiaugError(
            "the processes that write records must stay until a run has ended",
            value=error,
            hint="What is finished is in the store: run the same command again.",
        ) from error
