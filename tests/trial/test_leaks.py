"""A generator that tries to reach test labels fails by construction."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext


def test_permuting_the_test_labels_changes_no_prediction(toy, spec, run):
    """The strongest statement that can be tested: all that is learnt is blind to every test
    label.
    """
    trial = spec("smote", "svm", 1.0, protocol=parse_protocol("random:0.1"))
    honest = SceneContext(toy, get_task("pixels"))
    record, prediction = run(trial, honest)

    split = honest.views(trial).split
    labels = toy.labels.copy()
    labels[split.test] = np.random.default_rng(0).permutation(labels[split.test])
    scrambled = SceneContext(
        replace(toy, labels=labels),
        get_task("pixels"),
        split=replace(split, labels=labels),
    )
    other, same = run(trial, scrambled)

    assert record["status"] == other["status"] == "ok"
    assert (prediction[1] == same[1]).all()
    assert record["metrics"]["oa"] != other["metrics"]["oa"]


@pytest.mark.parametrize(
    "attempt", ["view.labels", "view.scene.labels", "view.split.test", "view.patches(hidden)"]
)
def test_a_generator_that_reaches_for_more_fails_its_trial(
    spec, run, monkeypatch, plugins, attempt
):
    module = sys.modules[plugins.find("generator", "dummy").load().__module__]

    def fit(self: Any, view: Any, **_: Any) -> Any:
        hidden = np.argwhere(~view.visible)
        return eval(attempt, {"view": view, "hidden": hidden})

    monkeypatch.setattr(module.Generator, "fit", fit)
    record, _ = run(spec())

    assert record["status"] == "failed" and record["error"]["stage"] == "fit_generator"
    assert record["error"]["type"] in ("AttributeError", "PluginError")
