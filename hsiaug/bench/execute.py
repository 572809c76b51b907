"""Carry out trials in worker processes, group by group.

A group is all trials of one draw and one generator, so that a worker fits each generator once. Plugins run in the workers
alone, which hold no test label; this process scores what they answer and writes a record for every trial, so a killed run
loses at most the trials in flight.

Work comes from an iterator that is asked for the next group whenever a process is free, as what is planned next may
depend on what was measured so far.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hsiaug.bench.pool import PluginProgress, TrialEnded, Worker, wait_for_messages
from hsiaug.bench.worker import WorkerStart
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.run import Outcome, finish, lost
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Event", "Job", "OnEvent", "Run", "Work", "execute", "groups", "worker_pool"]

Group = tuple[TrialSpec, ...]

TRIES = 2
"""How often a trial is begun whose process dies."""


@dataclass(frozen=True)
class Job:
    """What every trial of a run shares.

    scene_ref: catalogue name or card. limit: seconds that a trial may take; None = any.
    """

    task: str
    scene_ref: str
    store: Path
    device: str
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


@dataclass(frozen=True)
class Work:
    """Trials that share a fitted generator.

    commands: by hash, what reruns it. latest: by hash, the time (as ``time.time()``) after which it is not started, nor
    those behind it; none = any time.
    """

    trials: Group
    commands: Mapping[str, str]
    latest: Mapping[str, float] = field(default_factory=dict)


Run = Callable[[Iterable[Work], OnEvent], None]


def groups(trials: Iterable[TrialSpec]) -> list[Group]:
    """Trials that share a fitted generator, in the order of the plan."""
    together: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        together.setdefault(trial.fit_hash, []).append(trial)
    return [tuple(group) for group in together.values()]


def execute(
    trials: Sequence[TrialSpec],
    scene: TaskData,
    job: Job,
    jobs: int,
    on_event: OnEvent,
    commands: Mapping[str, str] | None = None,
) -> None:
    """Run all trials with ``jobs`` processes; records go to the store, events to ``on_event``.

    commands: by hash, what reruns a trial.
    """
    with worker_pool(scene, job, jobs) as run:
        run((Work(group, commands or {}) for group in groups(trials)), on_event)


@contextmanager
def worker_pool(scene: TaskData, job: Job, jobs: int) -> Iterator[Run]:
    """A function that runs work as it comes, with ``jobs`` processes, which last as long as the context.

    Records go to the store and events to the function's second argument. A trial whose process dies is begun anew, and
    recorded as failed where it dies again; one that keeps no time limit is killed. Neither touches the others.

    Raises SceneError where a process finds another scene, StoreError where a record cannot be written.
    """
    store = Store(job.store, create=True)
    start = WorkerStart(job.task, job.scene_ref, scene.sha256, store.cache, job.device, job.limit)
    workers = [Worker(start) for _ in range(max(1, jobs))]
    ledger = _Ledger(scene, job, store)
    try:
        yield lambda work, on_event: _run(work, workers, ledger, on_event)
    finally:
        for worker in workers:
            worker.end()


class _Ledger:
    """Splits for the workers, and records of what they answer."""

    def __init__(self, scene: TaskData, job: Job, store: Store) -> None:
        self._scene, self._job, self._store = scene, job, store
        self._task = get_task(job.task)
        self._splits: dict[str, TaskSplit] = {}

    def write(self, trial: TrialSpec, outcome: Outcome, command: str) -> Event:
        """Score a trial and store its record."""
        record, prediction = finish(
            trial,
            outcome,
            self._task,
            self._scene,
            self.split(trial),
            scene_ref=self._job.scene_ref,
            command=command,
        )
        stored = self._store.put(record, prediction)
        return Event("ok" if stored["status"] == "ok" else "failed", trial.hash)

    def split(self, trial: TrialSpec) -> TaskSplit:
        """The split of a trial, with all labels."""
        if trial.draw_hash not in self._splits:
            drawn = self._task.split(self._scene, trial.protocol, trial.seed, trial.patch)
            self._splits[trial.draw_hash] = drawn
        return self._splits[trial.draw_hash]


@dataclass
class _Part:
    """What is left of a group of trials, in one worker."""

    work: Work
    left: deque[TrialSpec]

    @property
    def first(self) -> TrialSpec | None:
        """The trial to run now; None where all are done, or it is too late."""
        if self.left and time.time() > self.work.latest.get(self.left[0].hash, float("inf")):
            self.left.clear()
        return self.left[0] if self.left else None


def _run(work: Iterable[Work], workers: Sequence[Worker], ledger: _Ledger, on_event: OnEvent) -> None:
    coming = iter(work)
    parts: dict[int, _Part] = {}
    begun: Counter[str] = Counter()

    def begin(worker: Worker, trial: TrialSpec) -> None:
        begun[trial.hash] += 1
        worker.send(trial, ledger.split(trial))
        if begun[trial.hash] == 1:
            on_event(Event("start", trial.hash))

    def settle(worker: Worker, part: _Part, outcome: Outcome) -> None:
        trial = part.left.popleft()
        ends = [(trial, outcome)]
        for other in _doomed(outcome, part):
            part.left.remove(other)
            ends.append((other, _same_failure(outcome, trial)))
        if following := part.first:
            # Before the record is written: the worker need not wait for that.
            begin(worker, following)
        for ended, its in ends:
            on_event(ledger.write(ended, its, part.work.commands.get(ended.hash, "")))

    def next_trial(i: int) -> TrialSpec | None:
        while True:
            trial = parts[i].first if i in parts else None
            if trial is not None:
                return trial
            following = next(coming, None)
            if following is None:
                parts.pop(i, None)
                return None
            parts[i] = _Part(following, deque(following.trials))

    while True:
        for i, worker in enumerate(workers):
            if not worker.busy and (trial := next_trial(i)):
                begin(worker, trial)
        if not any(worker.busy for worker in workers):
            return
        for worker, news in wait_for_messages(workers):
            part = parts[workers.index(worker)]
            trial = part.left[0]
            if isinstance(news, PluginProgress):
                on_event(Event("step", trial.hash, news.done, news.total, news.note))
            elif isinstance(news, TrialEnded):
                if (news.outcome.result["error"] or {}).get("type") == "TrialTimeout":
                    # A limit may have struck anywhere: in the middle of an import, with a lock held.
                    worker.end()
                settle(worker, part, news.outcome)
            elif begun[trial.hash] >= TRIES:
                said = f"the process of this trial {news.how}, {TRIES} times"
                settle(worker, part, lost(news.stage, "WorkerDied", said))


def _doomed(outcome: Outcome, part: _Part) -> list[TrialSpec]:
    """The trials of a group that would fail as one did: they need the same fit."""
    if not outcome.failed or outcome.result["error"]["stage"] != "fit_generator":
        return []
    return list(part.left)


def _same_failure(outcome: Outcome, trial: TrialSpec) -> Outcome:
    error = outcome.result["error"]
    return lost(error["stage"], error["type"], f"{error['message']} (the same fit failed in trial {trial.hash})")
