"""Run one trial: split, view, generator, λ, classifier, score; the result is a record, also where
it fails.

In two halves: :func:`compute` runs the plugins and needs no test label, :func:`finish` scores what
they answered. A benchmark runs the first in a worker process and the second in its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.threads import threads
from hsiaug.contracts import Progress
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import Prediction, TaskData, TaskSplit, locate_labels
from hsiaug.trial.machine import environment, resolve_device
from hsiaug.trial.pipeline import StageClock, TrialRun, run_stages
from hsiaug.trial.plugin_calls import call_failure, kept_state, time_limit
from hsiaug.trial.predictions import checksum
from hsiaug.trial.record_json import EMPTY, FORMAT
from hsiaug.trial.scene_context import SceneContext
from hsiaug.trial.sheet import SampleSheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.stages import STAGES
from hsiaug.trial.stages.classifier import PREDICT
from hsiaug.trial.stages.samples import SHEET, count_by_class
from hsiaug.trial.stages.views import SPLIT, view_of
from hsiaug.trial.store import Record

NOT_TIMED: Record = {"timings": {}, "cpu_seconds": {}, "peak_memory_mb": None}
NOT_KNOWN: Record = {"audit": None, "samples": None, "provenance": {}, "notes": []} | dict.fromkeys(
    (
        "scope",
        "transductive",
        "spectral_view",
        "device",
        "optimiser_steps",
        "metrics",
        "predictions_sha256",
    )
)
"""Of a trial that failed early."""


@dataclass(frozen=True, eq=False)
class TrialOutcome:
    """Outcome of running the plugins of a trial.

    Attributes
    ----------
    result : dict
        A part of the record, as JSON.
    labels : ndarray of int16, shape (n,), or None
        Predicted class ids at the test positions; None where the trial failed.
    sheet : SampleSheet or None
        A few of its samples; None where none was made.
    """

    result: Record
    labels: NDArray[np.int16] | None
    sheet: SampleSheet | None = None

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return bool(self.result["status"] != "ok")

    @property
    def timed_out(self) -> bool:
        """Whether it took longer than it may."""
        return self.failed and bool(self.result["error"]["type"] == "TrialTimeout")


def run_trial(
    spec: TrialSpec,
    context: SceneContext,
    plugins: Registry,
    *,
    device: str = "auto",
    progress: Progress,
) -> tuple[Record, Prediction | None]:
    """Both halves of a trial in this process.

    Parameters
    ----------
    spec : TrialSpec
        What is run.
    context : SceneContext
        With all labels.
    plugins : Registry
        Where its plugins are found.
    device : str
        "auto", "cpu", "cuda" ...
    progress : callable
        Is told how far a fit is.

    Returns
    -------
    record : dict
        Of status "failed" where a plugin raised, whatever it was.
    prediction : Prediction or None
        None where the trial failed.
    """
    outcome = compute(spec, context, plugins, device=device, progress=progress)
    run = TrialRun(spec, context)
    run_stages((SPLIT,), run)
    record, prediction = finish(
        spec, outcome, context.task, context.scene, run[SPLIT], scene_ref="", command=""
    )
    if prediction is not None:
        record = {**record, "predictions_sha256": checksum(prediction)}
    return record, prediction


def compute(
    spec: TrialSpec,
    context: SceneContext,
    plugins: Registry,
    *,
    device: str,
    progress: Progress,
    limit: float | None = None,
    tell: Callable[[str], object] = lambda stage: None,
) -> TrialOutcome:
    """Run the plugins of a trial. Reads no test label.

    Parameters
    ----------
    spec : TrialSpec
        What is run.
    context : SceneContext
        May hold a scene without labels and a blind split.
    plugins : Registry
        Where its plugins are found.
    device : str
        "auto", "cpu", "cuda" ...
    progress : callable
        Is told how far a fit is.
    limit : float, optional
        Seconds after which the trial is ended and failed; None = never. They run from the moment
        at which all libraries are loaded.
    tell : callable
        Is called with the name of each stage that begins, "split" being the first.

    Returns
    -------
    TrialOutcome
        Failed where a plugin raised, whatever it was.
    """
    run = TrialRun(spec, context, progress=progress, clock=StageClock(tell=tell))
    clock = run.clock
    error: Record | None = None
    clock.start()
    try:
        load_plugins(run, plugins, device)
        with time_limit(limit):
            clock.begin("split")
            run_stages(STAGES, run)
    except BaseException as failure:
        # SystemExit and KeyboardInterrupt too: in a worker nobody but a plugin raises them.
        error = {"stage": clock.stage, **call_failure(failure)}
        context.renew_views()
    result = {
        "status": "ok" if error is None else "failed",
        "error": error,
        **run.facts,
        "notes": context.take_notes(),
        **clock.as_json(),
    }
    if error is not None:
        return TrialOutcome(result, None)
    return TrialOutcome(result, run[PREDICT], run[SHEET])


def load_plugins(run: TrialRun, plugins: Registry, device: str) -> None:
    """Load both plugins of a trial, and the libraries that they compute with.

    Parameters
    ----------
    run : TrialRun
        Takes the plugins, their devices, and what the record says of them.
    plugins : Registry
        Where they are found.
    device : str
        "auto", "cpu", "cuda" ...

    Raises
    ------
    InputError
        For a device that is not there.
    Exception
        Whatever the import of a plugin raises.
    """
    spec = run.spec
    with kept_state():
        run.generator = plugins.find("generator", spec.generator.name).load()(spec.generator.params)
        run.classifier = plugins.find("classifier", spec.classifier.name).load()(
            spec.classifier.params
        )
        cards = {"generator": run.card("generator"), "classifier": run.card("classifier")}
        if any(card.uses_device for card in cards.values()):
            # A time limit that strikes in the middle of this import leaves a torch that cannot be
            # imported again.
            import torch  # noqa: F401
    run.devices = {kind: resolve_device(device, card) for kind, card in cards.items()}
    scopes = {kind: card.scope for kind, card in cards.items()}
    controls = {kind: card.control_of for kind, card in cards.items() if card.control_of}
    run.facts["device"] = {"requested": device, **run.devices, "threads": threads()}
    run.facts["scope"] = scopes
    run.facts["transductive"] = "scene" in scopes.values()
    if cards["generator"].baseline:
        run.facts["baseline"] = cards["generator"].baseline
    if controls:
        run.facts["control_of"] = controls


def finish(
    spec: TrialSpec,
    outcome: TrialOutcome,
    task: Task,
    data: TaskData,
    split: TaskSplit,
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
        What :func:`compute` gave.
    task : Task
        Of the trial.
    data : Scene or PairSet
        With all labels.
    split : Split or TileSplit
        With all labels.
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
    labels = outcome.labels
    fault = "" if labels is None else _fault_of(labels, split, len(data.class_names))
    if fault:
        outcome = failed_outcome("predict", "PluginError", fault)
        labels = None
    result = dict(outcome.result)
    prediction = None
    if labels is not None:
        prediction = locate_labels(split, labels)
        result["metrics"] = task.scoring.score(data, split, prediction)
    result["audit"] = split.audit.as_json()
    return _record(spec, data.class_names, scene_ref, command, result), prediction


def _fault_of(labels: NDArray[np.int16], split: TaskSplit, classes: int) -> str:
    """What is wrong with predicted class ids (n,); "" where nothing is."""
    number = sum(int(tested.sum()) for _, tested, _ in split.sides)
    if len(labels) != number:
        return f"{number} class ids must come back; found {len(labels)}"
    wrong = labels[(labels < 1) | (labels > classes)]
    if len(wrong):
        return f"class ids must lie in 1..{classes}; found {wrong[0]}"
    return ""


def _record(
    spec: TrialSpec, class_names: Sequence[str], scene_ref: str, command: str, result: Record
) -> Record:
    return {
        "format": FORMAT,
        "hash": spec.hash,
        "spec": spec.as_json(),
        "scene_ref": scene_ref,
        "class_names": list(class_names),
        **NOT_KNOWN,
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
        "status": "failed",
        "error": {"stage": stage, "type": kind, "message": message, "traceback": ""},
        **NOT_TIMED,
    }
    return TrialOutcome(result, None)


def empty(spec: TrialSpec, context: SceneContext, scene_ref: str, command: str) -> Record:
    """The record of a trial whose λ asks for no sample in its draw: nothing is fitted, and no
    plugin is loaded.
    """
    run = TrialRun(spec, context)
    run_stages((SPLIT,), run)
    real = context.task.sampling.join(view_of(run, "none"), [])
    result = {
        "status": EMPTY,
        "error": None,
        "metrics": None,
        "audit": run[SPLIT].audit.as_json(),
        "samples": count_by_class(real, len(context.scene.class_names)),
        **NOT_TIMED,
    }
    return _record(spec, context.scene.class_names, scene_ref, command, result)
