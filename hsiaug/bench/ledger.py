"""Inputs that a run gives its workers, and the records that are written of their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from hsiaug.bench.engine import Event, Job
from hsiaug.bench.writing import Writing
from hsiaug.tasks.task import TaskData, TaskSplit, get_task
from hsiaug.trial.cache import has_fit
from hsiaug.trial.run import Outcome
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
        self._scene, self._store = scene, store
        self._task = get_task(job.task)
        self._splits: dict[str, TaskSplit] = {}
        self._running: dict[str, str] = {}
        self._left = Counter(trial.draw_hash for trial in trials)
        self._writing = Writing(scene, job, store)

    def write(self, trial: TrialSpec, outcome: Outcome, command: str, slots: int) -> None:
        """Score a trial and store its record. slots: how many there are."""
        self._writing.put((trial, outcome, self._split(trial), command), slots)
        self._running.pop(trial.hash, None)
        self._left[trial.draw_hash] -= 1
        if not self._left[trial.draw_hash]:
            del self._splits[trial.draw_hash]

    def written(self, *, wait: bool = False) -> Iterator[Event]:
        """Yield what became of the trials that were written since the last call. wait: for all of them.

        Raises StoreError where a record could not be written.
        """
        return self._writing.ended(wait=wait)

    def close(self) -> None:
        """Write what waits to be written."""
        self._writing.close()

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
