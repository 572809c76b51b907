"""What a run gives its workers, and the records that it writes of what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from hsiaug.bench.engine import Job
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.cache import has_fit
from hsiaug.trial.ceilings import equipped
from hsiaug.trial.run import Outcome, finish
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Answers", "Event", "Ledger", "OnEvent"]


@dataclass(frozen=True)
class Event:
    """Something happened to a trial; ``done``/``total``/``note`` are a plugin's own progress.

    timings: seconds by stage, as in the record, of a trial that has ended.
    """

    kind: Literal["start", "step", "ok", "failed"]
    hash: str
    done: int = 0
    total: int = 0
    note: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)


OnEvent = Callable[[Event], None]


class Answers(Protocol):
    """What becomes of the answers of workers, and what they are given."""

    def blind(self, trial: TrialSpec) -> object:
        """The split of a trial, without test labels."""

    def equipped(self, trial: TrialSpec) -> TrialSpec:
        """As it is sent: a diagnosis with what it needs of the test labels, any other trial as it is."""

    def keeps_fit(self, trial: TrialSpec) -> bool:
        """Whether other workers may find the trial's fit in the cache of the store."""

    def write(self, trial: TrialSpec, outcome: Outcome, command: str) -> Event:
        """Take in the end of a trial."""


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
        kind: Literal["ok", "failed"] = "ok" if stored["status"] == "ok" else "failed"
        return Event(kind, trial.hash, timings=stored["timings"])

    def blind(self, trial: TrialSpec) -> object:
        """The split of a trial, without test labels."""
        if trial.draw_hash not in self._blind:
            self._blind[trial.draw_hash] = self._split(trial).blind
        return self._blind[trial.draw_hash]

    def equipped(self, trial: TrialSpec) -> TrialSpec:
        """As it is sent: a diagnosis with what it needs of the test labels, any other trial as it is."""
        return equipped(trial, self._scene, self._split(trial)) if trial.diagnosis else trial

    def keeps_fit(self, trial: TrialSpec) -> bool:
        """Whether other workers may find the trial's fit in the cache of the store."""
        return has_fit(self._store.cache, trial)

    def _split(self, trial: TrialSpec) -> TaskSplit:
        """The split of a trial, with all labels."""
        if trial.draw_hash not in self._splits:
            drawn = self._task.split(self._scene, trial.protocol, trial.seed, trial.patch)
            self._splits[trial.draw_hash] = drawn
        return self._splits[trial.draw_hash]
