"""Carry out trials: in this process, or spread over worker processes, group by group.

A group is all trials of one draw and one generator, so that a worker fits each generator once. Every trial writes
its own record, so a killed run loses at most the trials in flight.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Literal

from hsiaug.errors import PluginError
from hsiaug.plugins.progress import told
from hsiaug.plugins.registry import registry
from hsiaug.trial.cache import Workbench
from hsiaug.trial.run import died, run_trial
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.task import get_task

__all__ = ["Event", "Job", "execute", "follow_parent", "groups"]

Group = tuple[TrialSpec, ...]

STEP_EVERY = 0.2
"""Seconds between two reports of a plugin's own progress: fits call it at every step."""


@dataclass(frozen=True)
class Job:
    """What every trial of a run shares. scene_ref: catalogue name or card; commands: {hash: command}.

    limit: seconds that a trial may take; None = any.
    """

    task: str
    scene_ref: str
    store: Path
    device: str
    commands: dict[str, str]
    limit: float | None = None


@dataclass(frozen=True)
class Event:
    """Something happened to a trial; ``done``/``total``/``note`` are a plugin's own progress."""

    kind: Literal["start", "step", "ok", "failed"]
    hash: str
    done: int = 0
    total: int = 0
    note: str = ""


OnEvent = Callable[[Event], None]


def groups(trials: Iterable[TrialSpec]) -> list[Group]:
    """Trials that share a fitted generator, in the order of the plan."""
    together: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        together.setdefault(trial.fit_hash, []).append(trial)
    return [tuple(group) for group in together.values()]


def execute(trials: Sequence[TrialSpec], scene: Any, job: Job, jobs: int, on_event: OnEvent) -> None:
    """Run all trials with ``jobs`` processes; records go to the store, events to ``on_event``.

    A worker that dies (out of memory, say) does not stop the run: the groups in flight are tried again one at a
    time, and a trial whose worker dies again is recorded as failed.
    """
    if jobs <= 1:
        bench, store = _open(scene, job)
        for group in groups(trials):
            _run_group(group, bench, store, job, on_event)
        return
    left = _in_pool(groups(trials), job, jobs, on_event)
    for group in left:
        _alone(group, job, on_event)


def _open(scene: Any, job: Job) -> tuple[Workbench, Store]:
    """What a process keeps for all its trials: groups of one draw share its split and views."""
    store = Store(job.store, create=True)
    return Workbench(scene, get_task(job.task), store.cache), store


def _run_group(group: Group, bench: Workbench, store: Store, job: Job, on_event: OnEvent) -> None:
    for trial in group:
        _run_one(trial, bench, store, job, on_event)


def _run_one(trial: TrialSpec, bench: Workbench, store: Store, job: Job, on_event: OnEvent) -> None:
    on_event(Event("start", trial.hash))

    last = 0.0

    def progress(done: int, total: int, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last > STEP_EVERY:
            last = time.monotonic()
            on_event(Event("step", trial.hash, *told(done, total, note)))

    record, prediction = run_trial(
        trial,
        bench,
        registry(),
        device=job.device,
        progress=progress,
        scene_ref=job.scene_ref,
        command=job.commands.get(trial.hash, ""),
        limit=job.limit,
    )
    store.put(record, prediction)
    on_event(Event("ok" if record["status"] == "ok" else "failed", trial.hash))


def _in_pool(todo: Sequence[Group], job: Job, jobs: int, on_event: OnEvent) -> list[Group]:
    """Run groups side by side; returns what was not finished because a worker died."""
    finished: set[str] = set()

    def watch(event: Event) -> None:
        if event.kind in ("ok", "failed"):
            finished.add(event.hash)
        on_event(event)

    with _Pool(job, min(jobs, len(todo)), watch) as pool:
        futures = [pool.submit(_worker_group, group) for group in todo]
        with contextlib.suppress(BrokenProcessPool):
            for future in as_completed(futures):
                future.result()
    left = [tuple(trial for trial in group if trial.hash not in finished) for group in todo]
    return [group for group in left if group]


def _alone(group: Group, job: Job, on_event: OnEvent) -> None:
    """Run the trials of a group one after the other in a worker of their own, past those that kill it."""
    while group:
        left = _in_pool([group], job, 1, on_event)
        if not left:
            return
        culprit, *rest = left[0]
        store = Store(job.store)
        store.put(died(culprit, job.scene_ref, job.commands.get(culprit.hash, "")), None)
        on_event(Event("failed", culprit.hash))
        group = tuple(rest)


class _Pool:
    """A process pool whose workers send events back, and do not outlive this process."""

    def __init__(self, job: Job, jobs: int, on_event: OnEvent) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue = context.Queue()
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(on_event,), daemon=True)
        self._pool = ProcessPoolExecutor(jobs, context, _start_worker, (job, self._queue))

    def __enter__(self) -> ProcessPoolExecutor:
        self._listener.start()
        return self._pool

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for worker in multiprocessing.active_children():
                worker.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._closing.set()
        # A worker killed in the middle of a message leaves the queue unreadable: do not wait for it for ever.
        self._listener.join(timeout=5)

    def _listen(self, on_event: OnEvent) -> None:
        while True:
            try:
                on_event(self._queue.get(timeout=0.1))
            except queue.Empty:
                if self._closing.is_set():
                    return


_worker: tuple[Workbench, Store, Job, OnEvent] | None = None
"""What this worker process was started with."""


def _start_worker(job: Job, events: Any) -> None:
    global _worker
    follow_parent()
    _worker = (*_open(get_task(job.task).load(job.scene_ref, progress=False), job), job, events.put)


def follow_parent() -> None:
    """Let this worker process end with Ctrl-C, and with the process that started it."""
    # Ctrl-C reaches the workers too; records are written whole or not at all, so they may stop at once.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _worker_group(group: Group) -> None:
    if _worker is None:
        raise PluginError("a worker must be started before it runs trials", mend="Report this as a bug.")
    _run_group(group, *_worker)
