"""Trials against the clock: none is started that is not expected to be done in time.

What is planned next depends on what was measured so far, so the work comes from an iterator that is asked for the next
group whenever a process is free.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hsiaug.bench.execute import Event, Job, OnEvent, execute, follow_parent
from hsiaug.errors import PluginError
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.task import get_task

__all__ = ["Run", "Work", "crew"]


@dataclass(frozen=True)
class Work:
    """Trials that share a fitted generator.

    latest: by hash, the time (as ``time.time()``) after which it is not started. commands: by hash, what reruns it.
    """

    trials: tuple[TrialSpec, ...]
    latest: Mapping[str, float]
    commands: dict[str, str]


Run = Callable[[Iterable[Work], OnEvent], None]


class _TooLate(Exception):
    """A trial was not started, for want of time."""


@contextmanager
def crew(scene: Any, job: Job, jobs: int) -> Iterator[Run]:
    """A function that runs work as it comes, with ``jobs`` processes, which last as long as the context.

    Records go to the store and events to the function's second argument; with several processes only the ends of
    trials are told. Raises PluginError where a process dies; what is finished is in the store.
    """
    if jobs <= 1:
        yield partial(_in_turn, scene, job)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start, (job,)) as pool:
        try:
            yield partial(_spread, pool, jobs)
        except BrokenProcessPool as error:
            raise PluginError(
                "a process of a trial must not die",
                value=error,
                mend="Try --jobs 1: memory is often what it wants.",
            ) from error
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def _in_turn(scene: Any, job: Job, work: Iterable[Work], on_event: OnEvent) -> None:
    for part in work:
        _run(part, scene, job, on_event)


def _spread(pool: ProcessPoolExecutor, jobs: int, work: Iterable[Work], on_event: OnEvent) -> None:
    running: set[Future[list[Event]]] = set()
    for part in work:
        running.add(pool.submit(_run_here, part))
        if len(running) >= jobs:
            running = _told(running, on_event)
    while running:
        running = _told(running, on_event)


def _told(running: set[Future[list[Event]]], on_event: OnEvent) -> set[Future[list[Event]]]:
    """Wait for one at least; what still runs."""
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        for event in future.result():
            on_event(event)
    return left


def _run(part: Work, scene: Any, job: Job, on_event: OnEvent) -> None:
    def watch(event: Event) -> None:
        if event.kind == "start" and time.time() > part.latest[event.hash]:
            raise _TooLate
        on_event(event)

    with suppress(_TooLate):
        execute(part.trials, scene, replace(job, commands=part.commands), 1, watch)


_here: tuple[Any, Job] | None = None
"""The scene and job of this worker process."""


def _start(job: Job) -> None:
    global _here
    follow_parent()
    _here = get_task(job.task).load(job.scene_ref, progress=False), job


def _run_here(part: Work) -> list[Event]:
    """The ends of the trials that a worker ran."""
    if _here is None:
        raise PluginError("a worker must be started before it runs trials", mend="Report this as a bug.")
    ends: list[Event] = []
    _run(part, *_here, lambda event: ends.append(event) if event.kind in ("ok", "failed") else None)
    return ends
