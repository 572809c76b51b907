"""Inputs that a run gives its workers, and the records that it writes of their answers."""

from __future__ import annotations

from typing import Literal

from hsiaug.bench.engine import Event, Job
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.cache import has_fit
from hsiaug.trial.ceilings import equip
from hsiaug.trial.run import Outcome, finish
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Ledger"]

IDLE_SPLITS = 16
"""Splits that are kept although no trial of theirs runs: another generator's trials may follow."""


class Ledger:
    """Splits for the workers, and records of what they answer.

    It keeps the splits of the draws whose trials run, and of a few others, however many draws a plan has.
    """

    def __init__(self, scene: TaskData, job: Job, store: Store) -> None:
        self._scene, self._job, self._store = scene, job, store
        self._task = get_task(job.task)
        self._splits: dict[str, TaskSplit] = {}
        self._running: dict[str, str] = {}

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
        self._running.pop(trial.hash, None)
        kind: Literal["ok", "failed"] = "ok" if stored["status"] == "ok" else "failed"
        return Event(kind, trial.hash, timings=stored["timings"])

    def request(self, trial: TrialSpec) -> tuple[TrialSpec, object]:
        """A trial as it is sent, a diagnosis with what it needs of the test labels; and its split without any."""
        self._running[trial.hash] = trial.draw_hash
        split = self._split(trial)
        return equip(trial, self._scene, split) if trial.diagnosis else trial, split.blind

    def keeps_fit(self, trial: TrialSpec) -> bool:
        """Whether other workers may find the trial's fit in the cache of the store."""
        return has_fit(self._store.cache, trial)

    def _split(self, trial: TrialSpec) -> TaskSplit:
        """The split of a trial, with all labels; drawn again if it is no longer kept."""
        if trial.draw_hash not in self._splits:
            idle = [draw for draw in self._splits if draw not in self._running.values()]
            for draw in idle[: 1 - IDLE_SPLITS]:
                del self._splits[draw]
            drawn = self._task.split(self._scene, trial.protocol, trial.seed, trial.patch)
            self._splits[trial.draw_hash] = drawn
        return self._splits[trial.draw_hash]
