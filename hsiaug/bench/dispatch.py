"""Dispatch of trials to worker processes: which runs which, how often, and what becomes of its
answer.

A group is all trials of one draw and one generator, so that a worker fits each generator once;
those that a first answer needs may be a group of their own. Where a worker is free and no group
waits, it takes half of the trials that are left of another's group, once the fit of that group
is there.
"""

import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Protocol

from hsiaug.bench.engine import Batch, Event, Message, OnEvent, PluginProgress, TrialEnded
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from hsiaug.trial.fits import WORTH_SAVING
from hsiaug.trial.run import TrialOutcome, failed_outcome
from hsiaug.trial.spec import TrialSpec

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
"""Groups among which a worker looks for one of its draw."""


class TrialWorker(Protocol):
    """Runs one trial at a time."""

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""

    @property
    def stage(self) -> str:
        """The stage that the trial has come to."""

    def send(self, trial: TrialSpec, blind: object) -> None:
        """Begin a trial. blind: its split, without any test label."""


class Pool(Protocol):
    """The workers of an engine for the trials of one scene."""

    def workers(self) -> Sequence[TrialWorker]:
        """All workers, always the same."""

    def wait(self) -> Sequence[tuple[TrialWorker, Message]]:
        """Return the messages of busy workers that arrive within a moment."""

    def close(self) -> None:
        """End all that is still running."""


def groups(
    trials: Iterable[TrialSpec], urgency: Mapping[str, int] = MappingProxyType({})
) -> list[Group]:
    """Trials that share a fitted generator, in the order of the plan, but those with third-party
    plugins last: fewer processes have to be replaced.

    Parameters
    ----------
    urgency : mapping of str to int
        By hash; trials of unlike urgency are no group.
    """
    together: dict[tuple[str, int], list[TrialSpec]] = {}
    for trial in trials:
        key = trial.fit_hash, urgency.get(trial.hash, 0)
        together.setdefault(key, []).append(trial)
    return [
        tuple(sorted(group, key=lambda trial: len(trial.third_party_parts)))
        for group in together.values()
    ]


@dataclass(eq=False)
class _Queue:
    """Trials of a group that are left for one worker.

    Attributes
    ----------
    left : deque of TrialSpec
        The next one first.
    first : TrialSpec
        Of the whole group: it names the draw and the fit.
    begun : bool
        Whether a trial of it was sent.
    """

    left: deque[TrialSpec]
    first: TrialSpec
    begun: bool = False


class Records(Protocol):
    """Where trials find their splits, and what they come to goes."""

    def write(self, trial: TrialSpec, outcome: TrialOutcome, command: str) -> Event:
        """Take in what a trial came to."""

    def request(self, trial: TrialSpec) -> tuple[TrialSpec, object]:
        """A trial as it is sent, and its split without a test label."""

    def keeps_fit(self, trial: TrialSpec) -> bool:
        """Whether other workers may find the trial's fit."""

    def prepares(self, card: Card) -> bool:
        """Whether the first trial of a generator may prepare it, which the others wait for."""


class Dispatch:
    """Gives the trials of a batch to the workers of a pool, and follows what becomes of them."""

    def __init__(self, batch: Batch, pool: Pool, records: Records, on_event: OnEvent) -> None:
        self._batch, self._pool, self._records, self._on_event = batch, pool, records, on_event
        self._waiting: deque[_Queue] = deque()
        self._queues: dict[TrialWorker, _Queue] = {}
        self._worker_of_draw: dict[str, TrialWorker] = {}
        self._begun: Counter[str] = Counter()
        self._fitted: set[str] = set()
        self._unprepared: set[str] = set()
        for group in groups(batch.trials, batch.urgency):
            first = group[0]
            self._waiting.append(_Queue(deque(group), first))
            card: Card = registry().find("generator", first.generator.name).load().card
            if records.prepares(card):
                self._unprepared.add(first.generator.hash)
            if not card.adds or records.keeps_fit(first):
                self._fitted.add(first.fit_hash)

    def run(self) -> None:
        """Run until all work is done."""
        workers = self._pool.workers()
        while True:
            nothing = False
            for worker in workers:
                if worker.busy or (nothing and worker not in self._queues):
                    continue
                if trial := self._next(worker):
                    self._begin(worker, trial)
                else:
                    nothing = True
            if not any(worker.busy for worker in workers):
                return
            for worker, message in self._pool.wait():
                self._follow(worker, message)

    def _first(self, queue: _Queue) -> TrialSpec | None:
        """The trial of a queue to run now; None where all are done, or it is too late."""
        if queue.left and self._batch.deadline is not None:
            # Half a group is of no use.
            needed = queue.left if not queue.begun else [queue.left[0]]
            if time.time() + sum(map(self._expected, needed)) > self._batch.deadline:
                queue.left.clear()
        return queue.left[0] if queue.left else None

    def _expected(self, trial: TrialSpec) -> float:
        return self._batch.expected.get(trial.hash, USUAL_SECONDS)

    def _next(self, worker: TrialWorker) -> TrialSpec | None:
        """The trial that a worker runs now: of its queue, the first that waits, or half of
        another's.
        """
        queue = self._queues.get(worker)
        draw = queue.first.draw_hash if queue else ""
        while queue is None or not (trial := self._first(queue)):
            self._queues.pop(worker, None)
            queue = self._take(worker, draw) or self._share()
            if queue is None:
                return None
            self._queues[worker] = queue
        return trial

    def _take(self, worker: TrialWorker, draw: str) -> _Queue | None:
        """Take the queue that a free worker begins.

        Among those that wait, in this order of preference: one whose generator no other worker is
        preparing, or fitting to this draw; one that a first answer needs; one of the draw that
        this worker had last, so that what its arms share is made once; one of a draw that no other
        worker has begun.
        """
        busy = [queue for queue in self._queues.values() if queue.left]
        preparing = self._unprepared & {queue.left[0].generator.hash for queue in busy}
        fitting = {queue.first.fit_hash for queue in busy} - self._fitted

        def rank(queue: _Queue) -> tuple[bool, int, bool, bool]:
            own = queue.first.draw_hash
            return (
                queue.first.generator.hash in preparing or queue.first.fit_hash in fitting,
                self._batch.urgency.get(queue.first.hash, 0),
                own != draw,
                self._worker_of_draw.get(own, worker) is not worker,
            )

        queue = min(islice(self._waiting, AHEAD), key=rank, default=None)
        if queue is not None:
            self._waiting.remove(queue)
            self._worker_of_draw.setdefault(queue.first.draw_hash, worker)
        return queue

    def _share(self) -> _Queue | None:
        """Half of the longest queue of another worker, of groups whose fit need not be made
        again.
        """
        queues = [queue for queue in self._queues.values() if queue.first.fit_hash in self._fitted]
        behind = {queue: sum(map(self._expected, islice(queue.left, 1, None))) for queue in queues}
        longest = max(queues, key=lambda queue: behind[queue], default=None)
        if longest is None or behind[longest] < WORTH_SHARING:
            return None
        taken = [longest.left.pop() for _ in range(len(longest.left) // 2)]
        return _Queue(deque(reversed(taken)), longest.first, longest.begun)

    def _begin(self, worker: TrialWorker, trial: TrialSpec) -> None:
        self._begun[trial.hash] += 1
        self._queues[worker].begun = True
        worker.send(*self._records.request(trial))
        if self._begun[trial.hash] == 1:
            self._on_event(Event("start", trial.hash))

    def _follow(self, worker: TrialWorker, message: Message) -> None:
        queue = self._queues[worker]
        trial = queue.left[0]
        if isinstance(message, PluginProgress):
            self._on_event(
                Event(
                    "step",
                    trial.hash,
                    done=message.done,
                    total=message.total,
                    note=message.note,
                    stage=worker.stage,
                )
            )
        elif isinstance(message, TrialEnded):
            self._settle(worker, queue, message.outcome)
        elif self._begun[trial.hash] >= TRIES:
            said = f"the process of this trial {message.how}, {TRIES} times"
            self._settle(worker, queue, failed_outcome(message.stage, "WorkerDied", said))

    def _settle(self, worker: TrialWorker, queue: _Queue, outcome: TrialOutcome) -> None:
        """Write the records of what has ended, while the worker goes on."""
        trial = queue.left.popleft()
        certain_failures = self._certain_failures(outcome, trial, queue)
        self._unprepared.discard(trial.generator.hash)
        seconds = outcome.result["timings"].get("fit_generator")
        # A fit that took long may have no place in the store.
        if seconds is not None and (seconds <= WORTH_SAVING or self._records.keeps_fit(trial)):
            self._fitted.add(queue.first.fit_hash)
        if following := self._first(queue):
            # Before the record is written: the worker need not wait for that.
            self._begin(worker, following)
        self._write(trial, outcome)
        error = outcome.result["error"]
        for other in certain_failures:
            said = f"{error['message']} (the same fit failed in trial {trial.hash})"
            self._write(other, failed_outcome(error["stage"], error["type"], said))

    def _write(self, trial: TrialSpec, outcome: TrialOutcome) -> None:
        self._on_event(
            self._records.write(trial, outcome, self._batch.commands.get(trial.hash, ""))
        )

    def _certain_failures(
        self, outcome: TrialOutcome, trial: TrialSpec, queue: _Queue
    ) -> list[TrialSpec]:
        """The trials of a group that would fail as one did, as they need the same fit and run the
        same third-party code: they are not begun.
        """
        if not outcome.failed or outcome.result["error"]["stage"] not in (
            "prepare",
            "fit_generator",
        ):
            return []
        to_blame = trial.third_party_parts
        running = {
            other.left[0].hash
            for other in self._queues.values()
            if other.left and other is not queue
        }
        certain_failures: dict[str, TrialSpec] = {}
        for other in (queue, *self._waiting, *self._queues.values()):
            if other.first.fit_hash == queue.first.fit_hash:
                failing = {
                    x.hash: x
                    for x in other.left
                    if x.hash not in running and to_blame <= x.third_party_parts
                }
                certain_failures |= failing
                other.left = deque(x for x in other.left if x.hash not in failing)
        return list(certain_failures.values())
