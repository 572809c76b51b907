"""Stages of the classifier: its fit, and its predictions."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedClassifier
from hsiaug.core.read_only import seal_all
from hsiaug.trial.pipeline import Stage, TrialRun
from hsiaug.trial.plugin_calls import plain_json
from hsiaug.trial.stages.samples import JOIN
from hsiaug.trial.stages.views import CLASSIFIER_VIEW, SPLIT, TRANSFORM


def _fit_classifier(run: TrialRun) -> FittedClassifier:
    """The fitted classifier. Its seed is the same for every arm of a draw."""
    classifier: Any = run.classifier
    fitted: FittedClassifier = classifier.fit(
        seal_all(run[JOIN]),
        run[CLASSIFIER_VIEW],
        seed=derive_seed("classifier", run.spec.classifier.name, run.spec.seed),
        device=run.devices["classifier"],
        progress=run.progress,
    )
    if not callable(getattr(fitted, "predict", None)):
        raise PluginError(
            "a classifier's fit must return an object with predict",
            value=type(fitted).__name__,
            hint="Return self, or the fitted object.",
        )
    return fitted


def _fit_classifier_facts(run: TrialRun, fitted: FittedClassifier) -> Iterator[tuple[str, object]]:
    facts = getattr(fitted, "facts", None)
    if isinstance(facts, Mapping) and facts:
        yield "classifier_facts", plain_json(facts, "the facts of a fit")


FIT_CLASSIFIER = Stage(
    "fit_classifier",
    make=_fit_classifier,
    plugin="classifier",
    fits=True,
    facts=_fit_classifier_facts,
)


def _predict(run: TrialRun) -> NDArray[np.int16]:
    """Class ids (n,) of the test pixels."""
    labels = run.task.prediction.predict(
        run[FIT_CLASSIFIER], run.card("classifier"), run.data, run[SPLIT], run[TRANSFORM]
    )
    # What the fit wrote into a view is found here too.
    run.context.check_views()
    return labels


PREDICT = Stage("predict", make=_predict, plugin="classifier")
