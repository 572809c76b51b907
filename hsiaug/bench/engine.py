"""The interface of engines, and the loop that gives them the trials of a run."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from hsiaug.bench.bounds import UNBOUNDED, Bounds
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec

USUAL_SECONDS = 30.0
"""Default duration of an untimed trial, in seconds."""
LISTEN = 1.0
"""Seconds after which an engine is looked at though nothing was heard."""

Group = tuple[TrialSpec, ...]
"""Trials that share a generator's fit, in the order in which one process runs them."""


@dataclass(frozen=True)
class Job:
    """What all trials of a run on a scene share, and their workers are told.

    sha256: of the scene that the run was planned on. limit: seconds that a trial may take; None =
    any. bounds: of the workers.
    """

    task: str
    sha256: str
    device: str
    limit: float | None = None
    bounds: Bounds = UNBOUNDED


@dataclass(frozen=True, eq=False)
class Batch:
    """The trials of one scene that a run carries out, in their order.

    scene: its data, as the task loads them. scene_ref: catalogue name or card. store: root of the
    store. groups: trials that share a generator's fit, and run one after the other in one process.
    split: gives the split of a trial's draw. expected: by hash, the seconds that a trial should
    take, where that is known. deadline: the time (as ``time.time()``) by which trials should have
    ended: none is begun that would not, nor a group that would not; None = any time.
    """

    scene: TaskData
    scene_ref: str
    store: Path
    job: Job
    groups: Sequence[Group]
    split: Callable[[TrialSpec], TaskSplit]
    expected: Mapping[str, float] = field(default_factory=dict)
    deadline: float | None = None

    @property
    def trials(self) -> list[TrialSpec]:
        """All trials, in their order."""
        return [trial for group in self.groups for trial in group]

    def seconds(self, trials: Iterable[TrialSpec]) -> float:
        """Seconds that trials should take, one after the other."""
        return sum(self.expected.get(trial.hash, USUAL_SECONDS) for trial in trials)


@dataclass(frozen=True)
class PluginProgress:
    """Progress reported by a plugin."""

    done: int
    total: int
    note: str


@dataclass(frozen=True)
class Event:
    """Something happened to a trial.

    Attributes
    ----------
    kind : {"start", "step", "ok", "failed"}
        A step is one of a plugin's own.
    hash : str
        Of the trial.
    progress : PluginProgress or None
        Of a step.
    stage : str
        The stage of the trial that a step is of.
    error : mapping or None
        Of a failed trial, as its record has it.
    """

    kind: Literal["start", "step", "ok", "failed"]
    hash: str
    progress: PluginProgress | None = None
    stage: str = ""
    error: Mapping[str, str] | None = None

    @classmethod
    def of_end(cls, hash: str, record: Record) -> "Event":
        """That a trial has ended, as its record says."""
        return cls("ok" if record["status"] == "ok" else "failed", hash, error=record["error"])


OnEvent = Callable[[Event], None]


Piece = tuple[Batch, Group]


class Engine(ABC):
    """Somewhere to run trials, behind an executor (:class:`concurrent.futures.Executor`).

    Attributes
    ----------
    waits : bool
        Whether a run lasts until its trials have ended; else they go on elsewhere, once all are
        submitted (:meth:`submit_all`).
    """

    waits = True

    @property
    @abstractmethod
    def jobs(self) -> int:
        """Trials that run at the same time, as far as is known now."""

    def divide(self, batches: Sequence[Batch]) -> list[list[Piece]]:
        """What the executor is given at once, in order: here every group by itself."""
        return [[(batch, group)] for batch in batches for group in batch.groups]

    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[Sequence[Event]]:
        """Submit groups to the executor. What it does not tell at once, the future gives."""
        raise NotImplementedError

    def result(self, future: Future[Sequence[Event]]) -> Iterable[Event]:
        """What happened that was not told. Raises what ended a future otherwise."""
        return future.result()

    def check(self) -> None:  # noqa: B027
        """Raise where nothing is to be waited for any more."""

    def submit_all(self, batches: Sequence[Batch]) -> None:
        """Submit all groups of a run that does not wait for them. Raises InputError where they are
        not taken.
        """
        raise NotImplementedError

    @abstractmethod
    def cancel(self) -> None:
        """End what still runs in workers that answer to this process, and these workers."""


Say = Callable[[str], None]
"""Tells the user a line."""


def run_groups(engine: Engine, batches: Sequence[Batch], on_event: OnEvent) -> None:
    """Run the trials of batches: every engine's are submitted here, in their order.

    Parameters
    ----------
    engine : Engine
        Whose executor runs them.
    batches : sequence of Batch
        One scene after the other.
    on_event : callable
        Is told, in this thread, what happens to each trial.

    Raises
    ------
    HsiaugError
        Where a record cannot be written, a machine has another scene than the plan, or workers are
        lost for good.
    """
    waiting = deque(engine.divide(batches))
    running: set[Future[Sequence[Event]]] = set()
    news: SimpleQueue[Event | Future[Sequence[Event]]] = SimpleQueue()
    while waiting or running:
        # A worker has its next group, too, but not at the end: it would not be given to another
        # that is free.
        while waiting and len(running) < engine.jobs * (2 if 2 * len(waiting) > engine.jobs else 1):
            future = engine.submit(waiting.popleft(), news.put)
            running.add(future)
            future.add_done_callback(news.put)
        engine.check()
        with suppress(Empty):
            heard = news.get(timeout=LISTEN)
            if isinstance(heard, Event):
                on_event(heard)
            else:
                running.remove(heard)
                for event in engine.result(heard):
                    on_event(event)
