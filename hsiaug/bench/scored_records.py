"""Scored records of the outcomes that workers send: in the process that has the labels and runs no
plugin.
"""

from dataclasses import replace
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.bench.command import command_for
from hsiaug.bench.engine import Batch, Event
from hsiaug.core.scene import Scene
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskSplit
from hsiaug.trial.outcome import TrialOutcome, finish
from hsiaug.trial.said_seen import PromptJudge
from hsiaug.trial.sheet import means_of_test_pixels, with_test_pixels
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

IDLE_DRAWS = 16
"""Draws of which what was computed is kept beside that of trials that run: another generator's
trials may follow.
"""
FEWEST_ORACLES = 2
"""Draws whose oracle is kept, or one for each trial that runs: the first two draws run in turn. An
oracle takes 80 MB, is asked once a fit and ω, and is the same when it is learnt again.
"""


class ScoredRecords:
    """Records of the outcomes that workers send.

    Parameters
    ----------
    batch : Batch
        The scene with all labels, and its splits.
    store : Store
        Takes the records.
    jobs : int
        Trials that run at the same time.
    """

    def __init__(self, batch: Batch, store: Store, jobs: int = 1) -> None:
        self._batch, self._store = batch, store
        self._task = get_task(batch.job.task)
        self._judge = PromptJudge(batch.scene, max(FEWEST_ORACLES, jobs))
        self._test_means = lru_cache(IDLE_DRAWS + jobs)(self._means_of_test_pixels)

    def write(self, trial: TrialSpec, outcome: TrialOutcome) -> Event:
        """Score a trial and store its record. Raises StoreError where it cannot be written."""
        split = self._batch.split(trial)
        record, prediction = finish(
            trial,
            outcome,
            self._task,
            self._batch.scene,
            split,
            self._judge,
            scene_ref=self._batch.scene_ref,
            command=command_for(trial, self._batch.scene_ref),
        )
        sheet = outcome.sheet
        if sheet is not None and sheet.spectra is not None:
            spectra = with_test_pixels(sheet.spectra, self._test_means(split))
            sheet = replace(sheet, spectra=spectra)
        stored = self._store.put(record, prediction, sheet)
        ok = stored["status"] == "ok"
        return Event("ok" if ok else "failed", trial.hash, error=stored["error"])

    def _means_of_test_pixels(self, split: TaskSplit) -> dict[int, NDArray[np.float32]]:
        """Mean spectra of the test pixels of a draw, by class id."""
        labels = self._task.draws.test_classes(split)
        return (
            {} if labels is None else means_of_test_pixels(cast(Scene, self._batch.scene), labels)
        )
