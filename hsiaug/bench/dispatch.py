"""Dispatch of trials to worker processes: which runs which, how often, and what becomes of its
answer.

A group is all trials of one draw and one generator, so that a worker fits each generator once.
Where a worker is free and no group waits, it takes half of the trials that are left of another's
group, once the fit of that group is there.
"""

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from hsiaug.bench.engine import Batch, Event, Message, OnEvent, PluginProgress, TrialEnded
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from hsiaug.trial.learning import WORTH_SAVING
from hsiaug.trial.run import Outcome, lost
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.third_party import third_party_parts

Group = tuple[TrialSpec, ...]

TRIES = 2
"""Attempts at a trial whose process dies."""
USUAL_SECONDS = 30.0
"""Default duration of an untimed trial, in seconds."""
WORTH_SHARING = 10.0
"""Seconds that are left of a group: for less, no worker makes the split, the view and the samples
once more.
"""
AHEAD = 64
"""Groups among which a slot looks for one of its draw."""


class Slot(Protocol):
    """Runs one trial at a time."""

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""

    def send(self, trial: TrialSpec, blind: object) -> None:
        """Begin a trial. blind: its split, without any test label."""


class Pool(Protocol):
    """The slots of an engine for the trials of one scene."""

    def slots(self) -> Sequence[Slot]:
        """All slots, always the same."""

    def wait(self) -> Sequence[tuple[Slot, Message]]:
        """Return the messages of busy slots that arrive within a moment."""

    def close(self) -> None:
        """End all that is still running."""


def groups(trials: Iterable[TrialSpec]) -> list[Group]:
    """Trials that share a fitted generator, in the order of the plan, but those with third-party
    plugins last: fewer processes have to be replaced.
    """
    together: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        together.setdefault(trial.fit_hash, []).append(trial)
    return [
        tuple(sorted(group, key=lambda trial: len(third_party_parts(trial))))
        for group in together.values()
    ]


@dataclass(eq=False)
class _Part:
    """Trials of a group that are left, in one slot."""

    left: deque[TrialSpec]
    first: TrialSpec
    begun: bool = False


class Records(Protocol):
    """Where trials find their splits, and what they come to goes."""

    def write(self, trial: TrialSpec, outcome: Outcome, command: str) -> Event:
        """Take in what a trial came to."""

    def request(self, trial: TrialSpec) -> tuple[TrialSpec, object]:
        """A trial as it is sent, and its split without a test label."""

    def keeps_fit(self, trial: TrialSpec) -> bool:
        """Whether other workers may find the trial's fit."""

    def prepares(self, card: Card) -> bool:
        """Whether the first trial of a generator may prepare it, which the others wait for."""


class Dispatch:
    """Gives the trials of a batch to the slots of a pool, and follows what becomes of them."""

    def __init__(self, batch: Batch, pool: Pool, records: Records, on_event: OnEvent) -> None:
        self._batch, self._pool, self._records, self._on_event = batch, pool, records, on_event
        self._waiting: deque[_Part] = deque()
        self._parts: dict[Slot, _Part] = {}
        self._home: dict[str, Slot] = {}
        self._begun: Counter[str] = Counter()
        self._fitted: set[str] = set()
        self._unprepared: set[str] = set()
        for group in groups(batch.trials):
            first = group[0]
            self._waiting.append(_Part(deque(group), first))
            card: Card = registry().find("generator", first.generator.name).load().card
            if records.prepares(card):
                self._unprepared.add(first.generator.hash)
            if not card.adds or records.keeps_fit(first):
                self._fitted.add(first.fit_hash)

    def run(self) -> None:
        """Run until all work is done."""
        slots = self._pool.slots()
        while True:
            nothing = False
            for slot in slots:
                if slot.busy or (nothing and slot not in self._parts):
                    continue
                if trial := self._next(slot):
                    self._begin(slot, trial)
                else:
                    nothing = True
            if not any(slot.busy for slot in slots):
                return
            for slot, message in self._pool.wait():
                self._follow(slot, message)

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
        """The trial that a slot runs now: of its part, else of the first that waits, else half of
        another's.
        """
        part = self._parts.get(slot)
        draw = part.first.draw_hash if part else ""
        while part is None or not (trial := self._first(part)):
            self._parts.pop(slot, None)
            part = self._take(slot, draw) or self._share()
            if part is None:
                return None
            self._parts[slot] = part
        return trial

    def _take(self, slot: Slot, draw: str) -> _Part | None:
        """The first part that waits: of the latest draw here, else of one that no other slot began:
        what arms of a draw share is so made once; but rather one whose generator is not being
        prepared in another slot.
        """
        held = self._unprepared & {
            part.left[0].generator.hash for part in self._parts.values() if part.left
        }

        def rank(part: _Part) -> tuple[bool, bool, bool]:
            own = part.first.draw_hash
            return (
                part.first.generator.hash in held,
                own != draw,
                self._home.get(own, slot) is not slot,
            )

        part = min(islice(self._waiting, AHEAD), key=rank, default=None)
        if part is not None:
            self._waiting.remove(part)
            self._home.setdefault(part.first.draw_hash, slot)
        return part

    def _share(self) -> _Part | None:
        """Half of what is left in the slot that has the most left, of groups whose fit need not be
        made again.
        """
        parts = [part for part in self._parts.values() if part.first.fit_hash in self._fitted]
        behind = {part: sum(map(self._expected, islice(part.left, 1, None))) for part in parts}
        longest = max(parts, key=lambda part: behind[part], default=None)
        if longest is None or behind[longest] < WORTH_SHARING:
            return None
        taken = [longest.left.pop() for _ in range(len(longest.left) // 2)]
        return _Part(deque(reversed(taken)), longest.first, longest.begun)

    def _begin(self, slot: Slot, trial: TrialSpec) -> None:
        self._begun[trial.hash] += 1
        self._parts[slot].begun = True
        slot.send(*self._records.request(trial))
        if self._begun[trial.hash] == 1:
            self._on_event(Event("start", trial.hash))

    def _follow(self, slot: Slot, message: Message) -> None:
        part = self._parts[slot]
        trial = part.left[0]
        if isinstance(message, PluginProgress):
            self._on_event(Event("step", trial.hash, message.done, message.total, message.note))
        elif isinstance(message, TrialEnded):
            self._settle(slot, part, message.outcome)
        elif self._begun[trial.hash] >= TRIES:
            said = f"the process of this trial {message.how}, {TRIES} times"
            self._settle(slot, part, lost(message.stage, "WorkerDied", said))

    def _settle(self, slot: Slot, part: _Part, outcome: Outcome) -> None:
        """Write the records of what has ended, while the slot goes on."""
        trial = part.left.popleft()
        doomed = self._doomed(outcome, trial, part)
        self._unprepared.discard(trial.generator.hash)
        seconds = outcome.result["timings"].get("fit_generator")
        # A fit that took long may have no place in the store.
        if seconds is not None and (seconds <= WORTH_SAVING or self._records.keeps_fit(trial)):
            self._fitted.add(part.first.fit_hash)
        if following := self._first(part):
            # Before the record is written: the worker need not wait for that.
            self._begin(slot, following)
        self._write(trial, outcome)
        error = outcome.result["error"]
        for other in doomed:
            said = f"{error['message']} (the same fit failed in trial {trial.hash})"
            self._write(other, lost(error["stage"], error["type"], said))

    def _write(self, trial: TrialSpec, outcome: Outcome) -> None:
        self._on_event(
            self._records.write(trial, outcome, self._batch.commands.get(trial.hash, ""))
        )

    def _doomed(self, outcome: Outcome, trial: TrialSpec, part: _Part) -> list[TrialSpec]:
        """The trials of a group that would fail as one did, as they need the same fit and run the
        same third-party code: they are not begun.
        """
        if not outcome.failed or outcome.result["error"]["stage"] not in (
            "prepare",
            "fit_generator",
        ):
            return []
        to_blame = third_party_parts(trial)
        running = {
            other.left[0].hash for other in self._parts.values() if other.left and other is not part
        }
        doomed: dict[str, TrialSpec] = {}
        for other in (part, *self._waiting, *self._parts.values()):
            if other.first.fit_hash == part.first.fit_hash:
                mine = {
                    x.hash: x
                    for x in other.left
                    if x.hash not in running and to_blame <= third_party_parts(x)
                }
                doomed |= mine
                other.left = deque(x for x in other.left if x.hash not in mine)
        return list(doomed.values())
