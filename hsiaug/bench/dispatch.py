"""Which slot of a pool runs which trial, how often a trial is begun, and what becomes of its answer.

A group is all trials of one draw and one generator, so that a worker fits each generator once. Where a slot is free and
no group waits, it takes half of the trials that are left of another slot's group, once the fit of that group is there.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from hsiaug.base.errors import SceneError
from hsiaug.bench.engine import Message, PluginProgress, Pool, Slot, TrialEnded, WorkerRefused
from hsiaug.bench.ledger import Event, Ledger, OnEvent
from hsiaug.bench.worker import strangers
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.trial.cache import WORTH_SAVING
from hsiaug.trial.run import Outcome, lost
from hsiaug.trial.spec import TrialSpec

__all__ = ["TRIES", "USUAL_SECONDS", "Dispatch", "Group", "Work", "groups", "uses_device"]

Group = tuple[TrialSpec, ...]

TRIES = 2
"""How often a trial is begun whose process dies."""
USUAL_SECONDS = 30.0
"""Of a trial of which nothing is known."""
WORTH_SHARING = 5.0
"""Seconds that are left of a group: for less, no slot makes the split, the view and the samples once more."""


@dataclass(frozen=True)
class Work:
    """Trials that share a fitted generator.

    commands: by hash, what reruns it. latest: by hash, the time (as ``time.time()``) after which it is not started, nor
    those behind it; none = any time. expected: by hash, the seconds that it should take, where that is known.
    """

    trials: Group
    commands: Mapping[str, str]
    latest: Mapping[str, float] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)


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

    @property
    def fit(self) -> str:
        """Hash of the fit that its trials share."""
        return self.work.trials[0].fit_hash

    @property
    def behind(self) -> float:
        """Expected seconds of the trials behind the first."""
        return sum(self.work.expected.get(trial.hash, USUAL_SECONDS) for trial in islice(self.left, 1, None))

    def half(self) -> _Part:
        """The last half of the trials behind the first, taken off."""
        taken = [self.left.pop() for _ in range(len(self.left) // 2)]
        return _Part(self.work, deque(reversed(taken)), self.gpu)


class Dispatch:
    """Gives work to the slots of a pool, and follows what becomes of it."""

    def __init__(self, work: Iterable[Work], pool: Pool, ledger: Ledger, gpu: bool, on_event: OnEvent) -> None:
        self._coming = iter(work)
        self._waiting: deque[_Part] = deque()
        self._pool, self._ledger, self._gpu, self._on_event = pool, ledger, gpu, on_event
        self._parts: dict[Slot, _Part] = {}
        self._begun: Counter[str] = Counter()
        self._told: set[str] = set()
        self._fitted: set[str] = set()
        self._refused: dict[Slot, str] = {}

    def run(self) -> None:
        """Until all work is done. Raises SceneError where no worker will do it."""
        while True:
            there = self._pool.slots()
            slots = [slot for slot in there if slot not in self._refused]
            self._occupy(slots)
            if not any(slot.busy for slot in slots) and not self._more():
                return
            if there and not slots:
                self._give_up()
            for slot, message in self._pool.wait():
                self._follow(slot, message)

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

    def _more(self) -> bool:
        """Whether there is work that nobody has begun."""
        if not self._waiting and (following := next(self._coming, None)):
            self._waiting.append(self._part(following))
        return bool(self._waiting)

    def _part(self, work: Work) -> _Part:
        first = work.trials[0]
        if first.diagnosis or not _card("generator", first.generator.name).adds or self._ledger.keeps_fit(first):
            self._fitted.add(first.fit_hash)
        return _Part(work, deque(work.trials), self._gpu and uses_device(first))

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
        return self._share(slot)

    def _share(self, slot: Slot) -> _Part | None:
        """Half of what is left in the slot that has the most left, of groups whose fit need not be made again."""
        parts = [part for part in self._parts.values() if part.fit in self._fitted and (slot.gpu or not part.gpu)]
        longest = max(parts, key=lambda part: part.behind, default=None)
        return longest.half() if longest is not None and longest.behind >= WORTH_SHARING else None

    def _begin(self, slot: Slot, trial: TrialSpec) -> None:
        self._begun[trial.hash] += 1
        slot.send(self._ledger.equipped(trial), self._ledger.blind(trial))
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
        ends = [
            (trial, outcome),
            *((other, _same_failure(outcome, trial)) for other in self._doomed(outcome, trial, part)),
        ]
        if self._is_there(outcome, trial):
            self._fitted.add(part.fit)
        if not self._there(slot):
            del self._parts[slot]
            self._waiting.extendleft([part] if part.left else [])
        elif following := part.first:
            # Before the record is written: the worker need not wait for that.
            self._begin(slot, following)
        for ended, its in ends:
            self._on_event(self._ledger.write(ended, its, part.work.commands.get(ended.hash, "")))

    def _doomed(self, outcome: Outcome, trial: TrialSpec, part: _Part) -> list[TrialSpec]:
        """The trials of a group that would fail as one did, as they need the same fit and run the same strangers' code:
        they are not begun."""
        if not outcome.failed or outcome.result["error"]["stage"] != "fit_generator":
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
    return any(_card(kind, one.name).uses_device for kind, one in trial.plugins)


def _card(kind: Kind, name: str) -> Card:
    card: Card = registry().find(kind, name).load().card
    return card


def _same_failure(outcome: Outcome, trial: TrialSpec) -> Outcome:
    error = outcome.result["error"]
    return lost(error["stage"], error["type"], f"{error['message']} (the same fit failed in trial {trial.hash})")
