"""Dispatch of trials to the slots of a pool: which slot runs which, how often, and what becomes of its answer.

A group is all trials of one draw and one generator, so that a worker fits each generator once. Where a slot is free and
no group waits, it takes half of the trials that are left of another slot's group, once the fit of that group is there.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from hsiaug.base.errors import SceneError
from hsiaug.bench.engine import Batch, Event, Message, OnEvent, PluginProgress, TrialEnded, WorkerRefused
from hsiaug.bench.ledger import Ledger
from hsiaug.bench.worker import WorkerStart, strangers
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.trial.cache import WORTH_SAVING
from hsiaug.trial.run import Outcome, lost
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["TRIES", "USUAL_SECONDS", "Dispatch", "Group", "Pool", "PoolEngine", "groups", "uses_device"]

Group = tuple[TrialSpec, ...]

TRIES = 2
"""Attempts at a trial whose process dies."""
USUAL_SECONDS = 30.0
"""Default duration of an untimed trial, in seconds."""
WORTH_SHARING = 5.0
"""Seconds that are left of a group: for less, no slot makes the split, the view and the samples once more."""


class Slot(Protocol):
    """Runs one trial at a time."""

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""

    @property
    def gpu(self) -> bool:
        """Whether fits that ask for a GPU may run here."""

    def send(self, trial: TrialSpec, blind: object) -> None:
        """Begin a trial. blind: its split, without any test label."""


class Pool(Protocol):
    """The slots of an engine for the trials of one scene."""

    def slots(self) -> Sequence[Slot]:
        """Slots that are there now: machines may join and leave."""

    def wait(self) -> Sequence[tuple[Slot, Message]]:
        """Return the messages of busy slots that arrive within a moment."""

    def close(self) -> None:
        """End all that is still running."""


class PoolEngine(ABC):
    """An engine that gives a pool of slots for each scene. gpus: that trials ask for which can use one; 0 = any."""

    waits = True
    gpus = 0
    _batches: Sequence[Batch] = ()
    _start: WorkerStart | None = None
    _pool: Pool | None = None

    @abstractmethod
    def pool(self, start: WorkerStart) -> Pool:
        """Slots for the trials of one scene."""

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
            start = WorkerStart(
                job.task, job.scene_ref, batch.scene.sha256, store.cache.resolve(), job.device, job.limit
            )
            if self._pool is None or start != self._start:
                PoolEngine.cancel(self)
                self._start, self._pool = start, self.pool(start)
            with closing(Ledger(batch.scene, job, store, batch.trials)) as ledger:
                Dispatch(batch, self._pool, ledger, self.gpus > 0, on_event).run()

    def cancel(self) -> None:
        """End the slots, which stay between runs on the same scene."""
        if self._pool is not None:
            self._pool.close()
        self._pool = None


def groups(trials: Iterable[TrialSpec]) -> list[Group]:
    """Trials that share a fitted generator, in the order of the plan, but those with strangers last: fewer processes have
    to be replaced.
    """
    together: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        together.setdefault(trial.fit_hash, []).append(trial)
    return [tuple(sorted(group, key=lambda trial: len(strangers(trial)))) for group in together.values()]


@dataclass(eq=False)
class _Part:
    """Trials of a group that are left, in one slot. gpu: whether its fits ask for one."""

    left: deque[TrialSpec]
    fit: str
    gpu: bool
    begun: bool = False


class Dispatch:
    """Gives the trials of a batch to the slots of a pool, and follows what becomes of them."""

    def __init__(self, batch: Batch, pool: Pool, ledger: Ledger, gpu: bool, on_event: OnEvent) -> None:
        self._batch, self._pool, self._ledger, self._on_event = batch, pool, ledger, on_event
        self._waiting: deque[_Part] = deque()
        self._parts: dict[Slot, _Part] = {}
        self._begun: Counter[str] = Counter()
        self._told: set[str] = set()
        self._fitted: set[str] = set()
        self._refused: dict[Slot, str] = {}
        for group in groups(batch.trials):
            first = group[0]
            self._waiting.append(_Part(deque(group), first.fit_hash, gpu and uses_device(first)))
            if not _card("generator", first.generator.name).adds or ledger.keeps_fit(first):
                self._fitted.add(first.fit_hash)

    def run(self) -> None:
        """Run until all work is done. Raises SceneError where no worker will do it."""
        while True:
            there = self._pool.slots()
            slots = [slot for slot in there if slot not in self._refused]
            self._take_back(there)
            self._occupy(slots)
            # A busy slot that has gone is heard of by the next wait.
            if not self._waiting and not any(slot.busy for slot in (*slots, *self._parts)):
                break
            if there and not slots:
                self._give_up()
            for slot, message in self._pool.wait():
                self._follow(slot, message)
            self._tell()
        self._tell(wait=True)

    def _take_back(self, there: Sequence[Slot]) -> None:
        """Let other slots have what is left in idle ones that have gone."""
        for slot in [slot for slot in self._parts if not slot.busy and slot not in there]:
            part = self._parts.pop(slot)
            self._waiting.extendleft([part] if part.left else [])

    def _occupy(self, slots: Iterable[Slot]) -> None:
        """Begin what free slots can take."""
        none_for: set[bool] = set()
        for slot in slots:
            if slot.busy or (slot.gpu in none_for and slot not in self._parts):
                continue
            if trial := self._next(slot):
                self._begin(slot, trial)
            else:
                none_for.add(slot.gpu)

    def _first(self, part: _Part) -> TrialSpec | None:
        """The trial of a part to run now; None where all are done, or it is too late."""
        if part.left and self._batch.deadline is not None:
            # Half a group is of no use.
            needed = part.left if not part.begun else [part.left[0]]
            if time.time() + sum(map(self._expected, needed)) > self._batch.deadline:
                part.left.clear()
        return part.left[0] if part.left else None

    def _expected(self, trial: TrialSpec) -> float:
        return self._batch.expected.get(trial.hash, USUAL_SECONDS)

    def _next(self, slot: Slot) -> TrialSpec | None:
        """The trial that a slot runs now: of its group, else of the first group that it can take."""
        while True:
            part = self._parts.get(slot)
            if part is not None and (trial := self._first(part)):
                return trial
            self._parts.pop(slot, None)
            taken = self._take(slot)
            if taken is None:
                return None
            self._parts[slot] = taken

    def _take(self, slot: Slot) -> _Part | None:
        for part in [part for part in self._waiting if slot.gpu or not part.gpu]:
            self._waiting.remove(part)
            if self._first(part):
                return part
        return self._share(slot)

    def _share(self, slot: Slot) -> _Part | None:
        """Half of what is left in the slot that has the most left, of groups whose fit need not be made again."""
        parts = [part for part in self._parts.values() if part.fit in self._fitted and (slot.gpu or not part.gpu)]
        behind = {part: sum(map(self._expected, islice(part.left, 1, None))) for part in parts}
        longest = max(parts, key=lambda part: behind[part], default=None)
        if longest is None or behind[longest] < WORTH_SHARING:
            return None
        taken = [longest.left.pop() for _ in range(len(longest.left) // 2)]
        return replace(longest, left=deque(reversed(taken)))

    def _begin(self, slot: Slot, trial: TrialSpec) -> None:
        self._begun[trial.hash] += 1
        self._parts[slot].begun = True
        slot.send(*self._ledger.request(trial))
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

    def _settle(self, slot: Slot, part: _Part, outcome: Outcome) -> None:
        """Write the records of what has ended, while the slot goes on."""
        trial = part.left.popleft()
        ends = [
            (trial, outcome),
            *((other, _same_failure(outcome, trial)) for other in self._doomed(outcome, trial, part)),
        ]
        if self._is_there(outcome, trial):
            self._fitted.add(part.fit)
        if self._there(slot) and (following := self._first(part)):
            # Before the record is written: the worker need not wait for that.
            self._begin(slot, following)
        for ended, its in ends:
            self._write(ended, its)

    def _write(self, trial: TrialSpec, outcome: Outcome) -> None:
        command = self._batch.commands.get(trial.hash, "")
        self._ledger.write(trial, outcome, command, len(self._pool.slots()))

    def _tell(self, *, wait: bool = False) -> None:
        """Report what has been written. wait: once all is."""
        for event in self._ledger.written(wait=wait):
            self._on_event(event)

    def _doomed(self, outcome: Outcome, trial: TrialSpec, part: _Part) -> list[TrialSpec]:
        """The trials of a group that would fail as one did, as they need the same fit and run the same strangers' code:
        they are not begun."""
        if not outcome.failed or outcome.result["error"]["stage"] not in ("prepare", "fit_generator"):
            return []
        to_blame = strangers(trial)
        running = {other.left[0].hash for other in self._parts.values() if other.left and other is not part}
        doomed: dict[str, TrialSpec] = {}
        for other in (part, *self._waiting, *self._parts.values()):
            if other.fit == part.fit:
                mine = {x.hash: x for x in other.left if x.hash not in running and to_blame <= strangers(x)}
                doomed |= mine
                other.left = deque(x for x in other.left if x.hash not in mine)
        self._waiting = deque(other for other in self._waiting if other.left)
        return list(doomed.values())

    def _is_there(self, outcome: Outcome, trial: TrialSpec) -> bool:
        """Whether a trial's fit is in the store, or quick to make again: one that took longer may have no such place."""
        seconds = outcome.result["timings"].get("fit_generator")
        return seconds is not None and (seconds <= WORTH_SAVING or self._ledger.keeps_fit(trial))

    def _there(self, slot: Slot) -> bool:
        return slot in self._pool.slots()

    def _give_up(self) -> None:
        """Record the trial that was refused, and say why nobody runs it."""
        found = next(iter(self._refused.values()))
        refused = lost("load", "WorkerRefused", f"every worker refused it: it has {found}")
        self._write(self._waiting[0].left[0], refused)
        self._tell(wait=True)
        raise SceneError(
            "the workers of a run must have the scene, the hsiaug and the plugins that it was planned with",
            value=found,
            hint="Start the run again when files and installations stay as they are.",
        )


def uses_device(trial: TrialSpec) -> bool:
    """Whether a trial's generator or classifier computes on a GPU where there is one."""
    return any(_card(kind, one.name).uses_device for kind, one in trial.plugins)


def _card(kind: Kind, name: str) -> Card:
    card: Card = registry().find(kind, name).load().card
    return card


def _same_failure(outcome: Outcome, trial: TrialSpec) -> Outcome:
    error = outcome.result["error"]
    return lost(error["stage"], error["type"], f"{error['message']} (the same fit failed in trial {trial.hash})")
