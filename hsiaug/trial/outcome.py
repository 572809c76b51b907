"""What a trial came to, and its record: in the process that has the labels and runs no plugin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hsiaug.base.arrays import AnyArray
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import Prediction, TaskData, TaskSplit, locate_labels
from hsiaug.trial.machine import environment
from hsiaug.trial.prompts import PromptedSamples
from hsiaug.trial.record import TrialRecord, TrialResult, not_reached
from hsiaug.trial.record_json import EMPTY, FORMAT
from hsiaug.trial.said_seen import PromptJudge
from hsiaug.trial.samples import count_by_class
from hsiaug.trial.sheet import SampleSheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.stage_clock import LEARNING
from hsiaug.trial.store import Record
from hsiaug.trial.trial_run import SceneContext


@dataclass(frozen=True, eq=False)
class TrialOutcome:
    """Outcome of running the plugins of a trial.

    Attributes
    ----------
    result : dict
        A part of the record, as JSON.
    labels : ndarray, shape (n,) or (n, K), or None
        Predictions at the test positions, of most tasks class ids as int16; None where the trial
        failed.
    sheet : SampleSheet or None
        A few of its samples; None where none was made.
    prompted : PromptedSamples or None
        Samples of prompts, with the first trial of a fit and ω that goes well; None of a generator
        that takes none.
    """

    result: Record
    labels: AnyArray | None
    sheet: SampleSheet | None = None
    prompted: PromptedSamples | None = None

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return bool(self.result["status"] != "ok")

    @property
    def failed_learning(self) -> bool:
        """Whether its generator could not learn, so that no trial with the same fit can go well."""
        return self.failed and self.result["error"]["stage"] in LEARNING


def finish(
    spec: TrialSpec,
    outcome: TrialOutcome,
    task: Task,
    data: TaskData,
    split: TaskSplit,
    judge: PromptJudge,
    *,
    scene_ref: str,
    command: str,
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
    judge : PromptJudge
        Of the data.
    scene_ref : str
        How a user names the data.
    command : str
        What runs the trial again.

    Returns
    -------
    record : dict
        Of the trial, without the checksum of its predictions, which the store states.
    prediction : Prediction or None
        Its predictions; None where it failed.
    """
    # Also where its predictions are at fault: they came once for all trials of its fit and ω.
    said = judge.said_and_seen(spec, split, outcome.prompted)
    labels = outcome.labels
    fault = ""
    if labels is not None:
        number = sum(int(tested.sum()) for _, tested, _ in split.sides)
        fault = task.scoring.fault_of_values(labels, number, len(data.class_names))
    if fault:
        outcome = failed_outcome("predict", "PluginError", fault)
        labels = None
    result = dict(outcome.result)
    prediction = None
    if labels is not None:
        prediction = locate_labels(split, labels)
        result["metrics"] = task.scoring.score(data, split, prediction)
        if said:
            result["said_and_seen"] = said
    result["audit"] = split.audit.as_json()
    return _record(spec, data.class_names, scene_ref, command, result), prediction


def _record(
    spec: TrialSpec, class_names: Sequence[str], scene_ref: str, command: str, result: Record
) -> Record:
    return {
        **not_reached(TrialRecord),
        "format": FORMAT,
        "hash": spec.hash,
        "spec": spec.as_json(),
        "scene_ref": scene_ref,
        "class_names": list(class_names),
        **result,
        "environment": environment(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }


def failed_outcome(stage: str, kind: str, message: str) -> TrialOutcome:
    """The failed outcome of a trial that its process could not finish.

    Parameters
    ----------
    stage : str
        The stage that it had come to, one of ``RECORDED``.
    kind : str
        What the record calls the error.
    message : str
        What happened.
    """
    result = {
        **not_reached(TrialResult),
        "status": "failed",
        "error": {"stage": stage, "type": kind, "message": message, "traceback": ""},
    }
    return TrialOutcome(result, None)


def empty(spec: TrialSpec, context: SceneContext, scene_ref: str, command: str) -> Record:
    """The record of a trial whose λ asks for no sample in its draw: nothing is fitted, and no
    plugin is loaded.
    """
    views = context.views(spec)
    real = context.task.sampling.join(views.of("none"), [])
    result = {
        **not_reached(TrialResult),
        "status": EMPTY,
        "error": None,
        "metrics": None,
        "audit": views.split.audit.as_json(),
        "samples": count_by_class(real, len(context.scene.class_names)),
    }
    return _record(spec, context.scene.class_names, scene_ref, command, result)
