"""The interface of engines, what these are given to run, and what they tell of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec

USUAL_SECONDS = 30.0
"""Default duration of an untimed trial, in seconds."""

Group = tuple[TrialSpec, ...]
"""Trials that share a generator's fit, in the order in which one process runs them."""


@dataclass(frozen=True)
class WorkerSettings:
    """How the workers of a run run trials. limit: seconds that one may take; None = any."""

    device: str
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """The trials of one scene that a run carries out, in their order.

    scene: the data, as the task loads them. scene_ref: catalogue name or card. store: root of the
    store. groups: trials that share a generator's fit, and run one after the other in one process.
    split: gives the split of a trial's split. expected: by hash, the seconds that a trial should
    take, where that is known. deadline: the time (as ``time.time()``) by which trials should have
    ended: none is begun that would not, nor a group that would not; None = any time.
    """

    task: Task
    scene: TaskData
    scene_ref: str
    store: Path
    settings: WorkerSettings
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
class Event:
    """A trial began or ended, or no trial did for a while.

    Attributes
    ----------
    kind : {"start", "wait", "ok", "failed"}
        "wait" if no trial began or ended.
    hash : str
        Of the trial; empty for "wait".
    error : mapping or None
        Of a failed trial, as its record has it.
    """

    kind: Literal["start", "wait", "ok", "failed"]
    hash: str = ""
    error: Mapping[str, str] | None = None

    @classmethod
    def of_end(cls, hash: str, record: Record) -> "Event":
        """That a trial has ended, as its record says."""
        return cls("ok" if record["status"] == "ok" else "failed", hash, error=record["error"])


OnEvent = Callable[[Event], None]
Say = Callable[[str], None]
"""Tells the user a line."""
Piece = tuple[Batch, Group]


class Engine(ABC):
    """Somewhere to run trials, behind an executor (:class:`concurrent.futures.Executor`).

    Attributes
    ----------
    waits : bool
        Whether a run lasts until its trials have ended; else they go on elsewhere, and a future
        ends once they are submitted.
    """

    waits = True

    @property
    @abstractmethod
    def jobs(self) -> int:
        """Trials that run at the same time, as far as is known now."""

    def divide(self, batches: Sequence[Batch]) -> list[list[Piece]]:
        """What the executor is given at once, in order: here every group by itself."""
        return [[(batch, group)] for batch in batches for group in batch.groups]

    @abstractmethod
    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[Any]:
        """Submit groups to the executor. Raises InputError where they are not taken."""

    def result(self, future: Future[Any]) -> Iterable[Event]:
        """What happened that was not told, of a future that has ended. Raises what ended it where
        it did not end well.
        """
        future.result()
        return ()

    def check(self) -> None:  # noqa: B027
        """Raise where nothing is to be waited for any more."""

    @abstractmethod
    def cancel(self) -> None:
        """End what still runs in workers that answer to this process, and these workers."""
