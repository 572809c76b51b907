"""Splits of trials for the workers, and scored records of what they answer: in the process that has
the labels and runs no plugin.
"""

from dataclasses import replace
from functools import lru_cache, partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.bench.engine import Event, Job
from hsiaug.core.scene import Scene
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.outcome import TrialOutcome, finish
from hsiaug.trial.said_seen import PromptJudge
from hsiaug.trial.sheet import SampleSheet, means_of_test_pixels, with_test_pixels
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

IDLE_SPLITS = 16
"""Splits that are kept beside those of trials that run: another generator's trials may follow."""


class ScoredRecords:
    """Splits for the workers, and records of what they answer.

    Parameters
    ----------
    scene : Scene or PairSet
        With all labels.
    job : Job
        Settings shared by the trials.
    store : Store
        Takes the records.
    jobs : int
        Trials that run at the same time.
    """

    def __init__(self, scene: TaskData, job: Job, store: Store, jobs: int = 1) -> None:
        self._scene, self._job, self._store = scene, job, store
        self._task = get_task(job.task)
        self._draw = lru_cache(IDLE_SPLITS + jobs)(partial(self._task.draws.split, scene))
        self._judge = PromptJudge(scene, IDLE_SPLITS + jobs)
        self._test_means = lru_cache(IDLE_SPLITS + jobs)(self._means_of_test_pixels)

    def write(self, trial: TrialSpec, outcome: TrialOutcome, command: str) -> Event:
        """Score a trial and store its record. Raises StoreError where it cannot be written."""
        split, ref = self._split(trial), self._job.scene_ref
        record, prediction = finish(
            trial,
            outcome,
            self._task,
            self._scene,
            split,
            self._judge,
            scene_ref=ref,
            command=command,
        )
        stored = self._store.put(record, prediction, self._whole_sheet(trial, outcome.sheet))
        return Event("ok" if stored["status"] == "ok" else "failed", trial.hash)

    def blind_split(self, trial: TrialSpec) -> object:
        """The split of a trial as it is sent: without a test label."""
        return self._split(trial).blind

    def _whole_sheet(self, trial: TrialSpec, sheet: SampleSheet | None) -> SampleSheet | None:
        """The sheet of a trial with the mean spectra of test pixels."""
        if sheet is None or sheet.spectra is None:
            return sheet
        means = self._test_means(trial.protocol, trial.seed, trial.patch)
        return replace(sheet, spectra=with_test_pixels(sheet.spectra, means))

    def _means_of_test_pixels(
        self, protocol: SplitProtocol, seed: int, patch: int
    ) -> dict[int, NDArray[np.float32]]:
        """Mean spectra of the test pixels of a draw, by class id."""
        labels = self._task.draws.test_classes(self._draw(protocol, seed, patch))
        return {} if labels is None else means_of_test_pixels(cast(Scene, self._scene), labels)

    def _split(self, trial: TrialSpec) -> TaskSplit:
        """The split of a trial, with all labels; drawn again if it is no longer kept."""
        return self._draw(trial.protocol, trial.seed, trial.patch)
