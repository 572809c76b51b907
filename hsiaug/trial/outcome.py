"""What a trial came to, and its record: scored and stored, in the process that has the labels and
runs no plugin.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, give_back_files
from hsiaug.base.errors import StoreError, shortage_of
from hsiaug.core.scene import Scene
from hsiaug.protocol.split import Split
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import Prediction, TaskData, TaskSplit, locate_labels
from hsiaug.trial.machine import environment
from hsiaug.trial.record import STAGES, TrialRecord, fault_of_lists, not_reached, partial_record
from hsiaug.trial.record_json import EMPTY, RECORD_FORMAT, Record
from hsiaug.trial.samples import count_by_class
from hsiaug.trial.sheet import SampleSheet, means_of_test_pixels, with_test_pixels
from hsiaug.trial.spec import TrialSpec, command_for
from hsiaug.trial.store import Store

IDLE_DRAWS = 16
"""Draws of which what was computed is kept beside that of trials that run: another generator's
trials may follow.
"""


@dataclass(frozen=True, eq=False)
class TrialOutcome:
    """Outcome of running the plugins of a trial.

    Attributes
    ----------
    record : dict
        The part of its record that needs no test label, as JSON.
    labels : ndarray, shape (n,) or (n, K), or None
        Predictions at the test positions, of most tasks class ids as int16; None where the trial
        failed.
    sheet : SampleSheet or None
        A few of its samples; None where none was made.
    """

    record: Record
    labels: AnyArray | None
    sheet: SampleSheet | None = None

    def with_notes(self, notes: Sequence[str]) -> "TrialOutcome":
        """The same, with more notes in its record."""
        if not notes:
            return self
        return replace(self, record={**self.record, "notes": [*self.record["notes"], *notes]})

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return bool(self.record["status"] != "ok")

    @property
    def failed_learning(self) -> bool:
        """Whether its generator could not learn, so that no trial with the same fit can go well."""
        return self.failed and STAGES[self.record["error"]["stage"]].of_fit


def finish(
    spec: TrialSpec,
    outcome: TrialOutcome,
    task: Task,
    data: TaskData,
    split: TaskSplit,
    *,
    scene_ref: str,
) -> tuple[Record, Prediction | None]:
    """The record of a trial, scored. In the process that has the labels and runs no plugin.

    Parameters
    ----------
    spec : TrialSpec
        What was run.
    outcome : TrialOutcome
        What its plugins gave.
    task : Task
        Of the trial.
    data : Scene or PairSet
        With all labels.
    split : Split or TileSplit
        With all labels.
    scene_ref : str
        How a user names the data; none where nobody can run the trial again by a command.

    Returns
    -------
    record : dict
        Of the trial, without the checksum of its predictions, which the store states.
    prediction : Prediction or None
        Its predictions; None where it failed.
    """
    labels = outcome.labels
    fault = ""
    if labels is not None:
        number = sum(int(tested.sum()) for _, tested, _ in split.sides)
        fault = task.scoring.fault_of_values(labels, number, len(data.class_names))
    if fault:
        outcome = failed_outcome("predict", "PluginError", fault)
        labels = None
    record = dict(outcome.record)
    prediction = None
    if labels is not None:
        prediction = locate_labels(split, labels)
        record["metrics"] = task.scoring.score(data, split, prediction)
    record["audit"] = split.audit.as_json()
    return _whole(spec, data.class_names, scene_ref, record), prediction


def _whole(spec: TrialSpec, class_names: Sequence[str], scene_ref: str, record: Record) -> Record:
    """The record of a trial, of the part of it that is not the same for every outcome."""
    return {
        **not_reached(TrialRecord),
        "format": RECORD_FORMAT,
        "hash": spec.hash,
        "spec": spec.as_json(),
        "scene_ref": scene_ref,
        "class_names": list(class_names),
        **record,
        "environment": environment(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_for(spec, scene_ref) if scene_ref else "",
    }


def failed_outcome(stage: str, kind: str, message: str) -> TrialOutcome:
    """The failed outcome of a trial that its process could not finish.

    Parameters
    ----------
    stage : str
        The stage that it had come to, one of ``STAGES``.
    kind : str
        What the record calls the error.
    message : str
        What happened.
    """
    error = {"stage": stage, "type": kind, "message": message, "traceback": ""}
    return TrialOutcome(partial_record(error), None)


def empty_records(
    trials: Iterable[TrialSpec], task: Task, data: TaskData, split: TaskSplit, scene_ref: str
) -> Iterator[Record]:
    """The records of trials of a split whose λ asks for no sample there: nothing is fitted, and no
    plugin is loaded.

    Parameters
    ----------
    trials : iterable of TrialSpec
        Those of the split.
    task, data, split, scene_ref
        As of :func:`finish`.
    """
    real = task.sampling.join(task.draws.view(data, split, "none"), [])
    record = partial_record(
        status=EMPTY,
        metrics=None,
        audit=split.audit.as_json(),
        samples=count_by_class(real, len(data.class_names)),
    )
    for trial in trials:
        yield _whole(trial, data.class_names, scene_ref, record)


class ScoredRecords:
    """Records of the outcomes that workers send, written as they come, by any number of threads.

    Parameters
    ----------
    task : Task
        Of all trials.
    data : Scene or PairSet
        With all labels.
    scene_ref : str
        How a user names the data.
    split : callable
        Gives the split of a trial's split, with all labels.
    store : Store
        Takes the records.
    jobs : int
        Trials that run at the same time.
    """

    def __init__(
        self,
        task: Task,
        data: TaskData,
        scene_ref: str,
        split: Callable[[TrialSpec], TaskSplit],
        store: Store,
        jobs: int = 1,
    ) -> None:
        self._task, self._data, self._scene_ref = task, data, scene_ref
        self._split, self._store = split, store
        self._lock = threading.Lock()
        self._test_means = lru_cache(IDLE_DRAWS + jobs)(self._means_of_test_pixels)

    def write(self, trial: TrialSpec, outcome: TrialOutcome) -> Record:
        """Score a trial and store its record. Raises StoreError where it cannot be written."""
        split = self._split(trial)
        # By one thread at a time: predictions of a large set of pairs take gigabytes while they
        # are scored.
        with self._lock:
            try:
                return self._store.put(*self._scored(trial, split, outcome))
            except StoreError:
                raise
            except Exception as error:
                return self._store.put(*self._scored(trial, split, _not_scored(error)))

    def _scored(
        self, trial: TrialSpec, split: TaskSplit, outcome: TrialOutcome
    ) -> tuple[Record, Prediction | None, SampleSheet | None]:
        record, prediction = finish(
            trial, outcome, self._task, self._data, split, scene_ref=self._scene_ref
        )
        if fault := fault_of_lists(record):
            raise ValueError(fault)
        sheet = outcome.sheet
        if sheet is not None and sheet.spectra is not None:
            spectra = with_test_pixels(sheet.spectra, self._test_means(split))
            sheet = replace(sheet, spectra=spectra)
        return record, prediction, sheet

    def _means_of_test_pixels(self, split: TaskSplit) -> dict[int, NDArray[np.float32]]:
        """Mean spectra of the test pixels of a split, by class id."""
        if not isinstance(split, Split):
            return {}
        labels = np.where(split.test, split.labels, np.int16(0))
        means = means_of_test_pixels(cast(Scene, self._data), labels)
        # The cube is read for nothing else here.
        give_back_files()
        return means


def _not_scored(error: Exception) -> TrialOutcome:
    """The failed outcome of a trial whose process sent what cannot be scored, as a plugin's may:
    anything that has the form. Raises the error where this machine is short of something.
    """
    if shortage_of(error) is not None:
        raise error
    said = f"what the process of this trial sent cannot be scored: {error}"
    return failed_outcome("predict", type(error).__name__, said)
