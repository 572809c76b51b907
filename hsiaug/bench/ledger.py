"""Inputs that a run gives its workers, and the records that are written of their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from hsiaug.bench.engine import Event, Job
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.cache import has_fit
from hsiaug.trial.run import Outcome, finish
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Ledger"]

IDLE_SPLITS = 16
"""Splits that are kept although no trial of theirs runs: another generator's trials may follow."""


class Ledger:
    """Splits for the workers, and records of what they answer.

    Of the draws that have trials left, it keeps the splits of those whose trials run, and of a few others.
    """

    def __init__(self, scene: TaskData, job: Job, store: Store, trials: Iterable[TrialSpec]) -> None:
        self._scene, self._job, self._store = scene, job, store
        self._task = get_task(job.task)
        self._splits: dict[str, TaskSplit] = {}
        self._running: dict[str, str] = {}
        self._left = Counter(trial.draw_hash for trial in trials)

    def write(self, trial: TrialSpec, outcome: Outcome, command: str) -> Event:
        """Score a trial and store its record. Raises StoreError where it cannot be written."""
        split, ref = self._split(trial), self._job.scene_ref
        record, made = finish(trial, outcome, self._task, self._scene, split, scene_ref=ref, command=command)
        stored = self._store.put(record, made)
        self._running.pop(trial.hash, None)
        self._left[trial.draw_hash] -= 1
        if not self._left[trial.draw_hash]:
            del self._splits[trial.draw_hash]
        kind: Literal["ok", "failed"] = "ok" if stored["status"] == "ok" else "failed"
        return Event(kind, trial.hash, timings=stored["timings"])

    def request(self, trial: TrialSpec) -> tuple[TrialSpec, object]:
        """A trial as it is sent, and its split without a test label."""
        self._running[trial.hash] = trial.draw_hash
        return trial, self._split(trial).blind

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
