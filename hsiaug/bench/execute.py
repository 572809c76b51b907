"""Carry out trials on an engine, group by group.

A group is all trials of one draw and one generator, so that a worker fits each generator once. Plugins run in worker
processes alone, which hold no test label; this process scores what they answer and writes a record for every trial, so
a killed run loses at most the trials in flight.

Work comes from an iterator that is asked for the next group whenever a process is free, as what is planned next may
depend on what was measured so far.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from hsiaug.bench.engine import (
    Batch,
    Engine,
    Job,
    Message,
    PluginProgress,
    Pool,
    Slot,
    TrialEnded,
    Watch,
    WorkerRefused,
)
from hsiaug.bench.worker import WorkerStart
from hsiaug.errors import SceneError
from hsiaug.plugins.registry import registry
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.run import Outcome, finish, lost
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = [
    "TRIES",
    "Event",
    "Group",
    "Ledger",
    "OnEvent",
    "PoolEngine",
    "Run",
    "Work",
    "execute",
    "groups",
    "uses_device",
    "worker_pool",
]

Group = tuple[TrialSpec, ...]

TRIES = 2
"""How often a trial is begun whose process dies."""


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


class PoolEngine:
    """An engine whose trials are waited for."""

    def run(self: Engine, batches: Sequence[Batch], watch: Watch) -> bool:
        """Carry out trials; records go to the store."""
        with watch(self.jobs) as on_event:
            for batch in batches:
                execute(batch, self, on_event)
        return True


def execute(batch: Batch, engine: Engine, on_event: OnEvent) -> None:
    """Carry out the trials of one scene on an engine's pool; records go to the store, events to ``on_event``."""
    with worker_pool(batch.scene, batch.job, engine) as run:
        run((Work(group, batch.commands) for group in groups(batch.trials)), on_event)


@contextmanager
def worker_pool(scene: TaskData, job: Job, engine: Engine) -> Iterator[Run]:
    """A function that runs work as it comes, on the slots of an engine, which last as long as the context.

    Records go to the store and events to the function's second argument. A trial whose process dies is begun anew, and
    recorded as failed where it dies again; one that keeps no time limit is killed. Neither touches the others.

    Raises SceneError where all workers find another scene, hsiaug or plugin than the plan's, StoreError where a record
    cannot be written.
    """
    store = Store(job.store, create=True)
    start = WorkerStart(job.task, job.scene_ref, scene.sha256, store.cache.resolve(), job.device, job.limit)
    pool = engine.pool(start)
    ledger = Ledger(scene, job, store)
    try:
        yield lambda work, on_event: Dispatch(work, pool, ledger, engine.gpus > 0, on_event).run()
    finally:
        pool.close()


class Ledger:
    """Splits for the workers, and records of what they answer."""

    def __init__(self, scene: TaskData, job: Job, store: Store) -> None:
        self._scene, self._job, self._store = scene, job, store
        self._task = get_task(job.task)
        self._splits: dict[str, TaskSplit] = {}
        self._blind: dict[str, object] = {}

    def write(self, trial: TrialSpec, outcome: Outcome, command: str) -> Event:
        """Score a trial and store its record."""
        record, prediction = finish(
            trial,
            outcome,
            self._task,
            self._scene,
            self._split(trial),
            scene_ref=self._job.scene_ref,
            command=command,
        )
        stored = self._store.put(record, prediction)
        return Event("ok" if stored["status"] == "ok" else "failed", trial.hash)

    def blind(self, trial: TrialSpec) -> object:
        """The split of a trial, without test labels."""
        if trial.draw_hash not in self._blind:
            self._blind[trial.draw_hash] = self._split(trial).blind
        return self._blind[trial.draw_hash]

    def _split(self, trial: TrialSpec) -> TaskSplit:
        """The split of a trial, with all labels."""
        if trial.draw_hash not in self._splits:
            drawn = self._task.split(self._scene, trial.protocol, trial.seed, trial.patch)
            self._splits[trial.draw_hash] = drawn
        return self._splits[trial.draw_hash]


@dataclass
class _Part:
    """What is left of a group of trials, in one slot. gpu: whether its fits ask for one."""

    work: Work
    left: deque[TrialSpec]
    gpu: bool

    @property
    def first(self) -> TrialSpec | None:
        """The trial to run now; None where all are done, or it is too late."""
        if self.left and time.time() > self.work.latest.get(self.left[0].hash, float("inf")):
            self.left.clear()
        return self.left[0] if self.left else None


class Dispatch:
    """Gives work to the slots of a pool, and follows what becomes of it."""

    def __init__(self, work: Iterable[Work], pool: Pool, ledger: Ledger, gpu: bool, on_event: OnEvent) -> None:
        self._coming = iter(work)
        self._waiting: deque[_Part] = deque()
        self._pool, self._ledger, self._gpu, self._on_event = pool, ledger, gpu, on_event
        self._parts: dict[Slot, _Part] = {}
        self._begun: Counter[str] = Counter()
        self._told: set[str] = set()
        self._refused: dict[Slot, str] = {}

    def run(self) -> None:
        """Until all work is done. Raises SceneError where no worker will do it."""
        while True:
            slots = [slot for slot in self._pool.slots() if slot not in self._refused]
            for slot in slots:
                if not slot.busy and (trial := self._next(slot)):
                    self._begin(slot, trial)
            if not any(slot.busy for slot in slots) and not self._more():
                return
            if self._refused and not slots:
                self._give_up()
            for slot, message in self._pool.wait():
                self._follow(slot, message)

    def _more(self) -> bool:
        """Whether there is work that nobody has begun."""
        if not self._waiting and (following := next(self._coming, None)):
            self._waiting.append(self._part(following))
        return bool(self._waiting)

    def _part(self, work: Work) -> _Part:
        return _Part(work, deque(work.trials), self._gpu and uses_device(work.trials[0]))

    def _next(self, slot: Slot) -> TrialSpec | None:
        """The trial that a slot runs now: of its group, else of the first group that it can take."""
        while True:
            part = self._parts.get(slot)
            if part is not None and (trial := part.first):
                return trial
            self._parts.pop(slot, None)
            taken = self._take(slot)
            if taken is None:
                return None
            self._parts[slot] = taken

    def _take(self, slot: Slot) -> _Part | None:
        while self._waiting and not self._waiting[0].first:
            self._waiting.popleft()
        for part in self._waiting:
            if slot.gpu or not part.gpu:
                self._waiting.remove(part)
                return part
        for work in self._coming:
            part = self._part(work)
            if slot.gpu or not part.gpu:
                return part
            self._waiting.append(part)
        return None

    def _begin(self, slot: Slot, trial: TrialSpec) -> None:
        self._begun[trial.hash] += 1
        slot.send(trial, self._ledger.blind(trial))
        if trial.hash not in self._told:
            self._told.add(trial.hash)
            self._on_event(Event("start", trial.hash))

    def _follow(self, slot: Slot, message: Message) -> None:
        part = self._parts[slot]
        trial = part.left[0]
        if isinstance(message, PluginProgress):
            self._on_event(Event("step", trial.hash, message.done, message.total, message.note))
        elif isinstance(message, TrialEnded):
            self._settle(slot, part, message.outcome)
        elif isinstance(message, WorkerRefused):
            self._refused[slot] = message.found
            self._begun[trial.hash] -= 1
            self._waiting.appendleft(self._parts.pop(slot))
        elif message.counts and self._begun[trial.hash] >= TRIES:
            said = f"the process of this trial {message.how}, {TRIES} times"
            self._settle(slot, part, lost(message.stage, "WorkerDied", said))
        else:
            self._begun[trial.hash] -= not message.counts
            if not self._there(slot):
                self._waiting.appendleft(self._parts.pop(slot))

    def _settle(self, slot: Slot, part: _Part, outcome: Outcome) -> None:
        """Write the records of what has ended, while the slot goes on."""
        trial = part.left.popleft()
        ends = [(trial, outcome)]
        for other in _doomed(outcome, part):
            part.left.remove(other)
            ends.append((other, _same_failure(outcome, trial)))
        if not self._there(slot):
            self._waiting.appendleft(self._parts.pop(slot))
        elif following := part.first:
            # Before the record is written: the worker need not wait for that.
            self._begin(slot, following)
        for ended, its in ends:
            self._on_event(self._ledger.write(ended, its, part.work.commands.get(ended.hash, "")))

    def _there(self, slot: Slot) -> bool:
        return slot in self._pool.slots()

    def _give_up(self) -> None:
        """Record the trial that was refused, and say why nobody runs it."""
        found = next(iter(self._refused.values()))
        part = self._waiting[0]
        refused = lost("load", "WorkerRefused", f"every worker refused it: it has {found}")
        self._on_event(self._ledger.write(part.left[0], refused, part.work.commands.get(part.left[0].hash, "")))
        raise SceneError(
            "the workers of a run must have the scene, the hsiaug and the plugins that it was planned with",
            value=found,
            hint="Start the run again when files and installations stay as they are.",
        )


def uses_device(trial: TrialSpec) -> bool:
    """Whether a trial's generator or classifier computes on a GPU where there is one."""
    return any(registry().find(kind, one.name).load().card.uses_device for kind, one in trial.plugins)


def _doomed(outcome: Outcome, part: _Part) -> list[TrialSpec]:
    """The trials of a group that would fail as one did: they need the same fit."""
    if not outcome.failed or outcome.result["error"]["stage"] != "fit_generator":
        return []
    return list(part.left)


def _same_failure(outcome: Outcome, trial: TrialSpec) -> Outcome:
    error = outcome.result["error"]
    return lost(error["stage"], error["type"], f"{error['message']} (the same fit failed in trial {trial.hash})")
