"""A whole trial in one process, which has all labels: for checks of plugins that are trusted."""

from hsiaug.contracts import Progress
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.types import Prediction
from hsiaug.trial.outcome import finish
from hsiaug.trial.predictions import checksum
from hsiaug.trial.record_json import Record
from hsiaug.trial.run import run_group
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext


def run_trial(
    spec: TrialSpec,
    context: SceneContext,
    plugins: Registry,
    *,
    device: str = "auto",
    progress: Progress,
) -> tuple[Record, Prediction | None]:
    """Run and score a trial in this process.

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
    ((_, outcome),) = run_group([spec], context, plugins, device=device, progress=progress)
    split = context.views(spec).split
    record, prediction = finish(spec, outcome, context.task, context.scene, split, scene_ref="")
    if prediction is not None:
        record = {**record, "predictions_sha256": checksum(prediction)}
    return record, prediction
