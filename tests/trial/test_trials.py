"""One trial: what its record says, what is deterministic, what is shared, and what happens when a
plugin fails.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from hsiaug.api import param, resampled
from hsiaug.core.scene import Scene
from hsiaug.protocol.view import TrainView
from hsiaug.tasks.task import get_task
from hsiaug.trial import fits
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.trial_run import SceneContext

Spec = Callable[..., TrialSpec]
Run = Callable[..., Any]
VOLATILE = ("timings", "cpu_seconds", "peak_memory_mb", "created")


def stable(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in VOLATILE}


def test_a_record_is_strict_json_and_holds_what_is_needed_to_trust_it(spec: Spec, run: Run) -> None:
    record, prediction = run(spec("dummy", "nearest", 0.5))
    assert record["status"] == "ok", record["error"]
    json.dumps(record, allow_nan=False)

    assert record["spec"]["lambda"] == 0.5 and record["spec"]["seed"] == 0
    assert (
        record["scope"] == {"generator": "none", "classifier": "none"}
        and record["transductive"] is False
    )
    assert record["audit"]["centre_overlap_percent"] == 0
    assert record["provenance"] == {"note": "dummy"}
    assert {"fit_generator", "sample", "fit_classifier", "predict", "total"} <= set(
        record["timings"]
    )
    assert {"hsiaug", "numpy", "torch"} <= set(record["environment"]["versions"])
    assert record["device"] == {
        "requested": "cpu",
        "generator": "cpu",
        "classifier": "cpu",
        "threads": 1,
    }
    assert sum(record["metrics"]["n_test"]) == record["audit"]["n_test"] == len(prediction[0])
    real, target = record["samples"]["real"], int(0.5 * max(record["samples"]["real"]) + 0.5)
    assert record["samples"]["synthetic"] == [max(0, target - n) for n in real]


def test_the_metrics_follow_from_the_stored_predictions(toy: Scene, spec: Spec, run: Run) -> None:
    record, (index, label) = run(spec())
    true = toy.labels.ravel()[index]

    assert record["metrics"]["oa"] == pytest.approx(float((true == label).mean()))
    recalls = [float((label[true == c] == c).mean()) for c in np.unique(true)]
    assert record["metrics"]["aa"] == pytest.approx(np.mean(recalls))


@pytest.mark.parametrize(("generator", "classifier"), [("smote", "svm"), ("noise", "cnn2d")])
def test_the_same_trial_gives_the_same_record(toy, spec, run, generator, classifier):
    trial = spec(generator, classifier, 0.5)
    first, _ = run(trial, SceneContext(toy, get_task("pixels")))
    again, _ = run(trial, SceneContext(toy, get_task("pixels")))

    assert first["status"] == "ok", first["error"]
    assert stable(first) == stable(again)


@pytest.mark.parametrize("classifier", ["svm", "nearest"])
def test_lambda_zero_equals_none_bit_for_bit(spec: Spec, run: Run, classifier: str) -> None:
    nothing, expected = run(spec("none", classifier, 0.0))
    zero, predicted = run(spec("smote", classifier, 0.0))

    assert zero["predictions_sha256"] == nothing["predictions_sha256"]
    assert (predicted[1] == expected[1]).all()
    assert zero["metrics"] == nothing["metrics"]


def test_every_arm_of_a_draw_has_the_same_split(spec: Spec, run: Run) -> None:
    audits = [
        run(spec(g, c, lam))[0]["audit"] for g, c, lam in [("none", "svm", 0), ("smote", "rf", 1)]
    ]

    assert audits[0] == audits[1]


def test_a_sample_does_not_depend_on_the_other_lambdas_of_the_plan(spec, run_all):
    (alone,) = run_all([spec("smote", "nearest", 0.5)])
    _, after = run_all([spec("smote", "nearest", 1.0), spec("smote", "nearest", 0.5)])

    assert np.array_equal(alone.labels, after.labels)


def test_a_sweep_fits_each_generator_once_and_samples_each_block_once(
    spec, run_all, monkeypatch, plugins
):
    calls = []
    module = sys.modules[plugins.find("generator", "dummy").load().__module__]
    fit, sample = module.Generator.fit, module.Fitted.sample
    monkeypatch.setattr(
        module.Generator, "fit", lambda *a, **k: calls.append("fit") or fit(*a, **k)
    )
    monkeypatch.setattr(
        module.Fitted, "sample", lambda *a, **k: calls.append("sample") or sample(*a, **k)
    )

    run_all(
        spec("dummy", classifier, lam)
        for lam in (0.25, 0.5, 1.0)
        for classifier in ("nearest", "commonest")
    )
    assert calls.count("fit") == 1
    assert calls.count("sample") == 4


def test_a_slow_fit_is_saved_and_gives_the_same_trial_when_loaded(
    toy, spec, run, context, tmp_path, monkeypatch
):
    monkeypatch.setattr(fits, "WORTH_SAVING", 0.0)
    trial = spec("smote", "nearest", 1.0)
    first, _ = run(trial, context)
    saved = tmp_path / "cache" / trial.fit_hash
    assert (saved / "fitted").is_dir()

    again, _ = run(trial, SceneContext(toy, get_task("pixels"), tmp_path / "cache"))
    assert again["predictions_sha256"] == first["predictions_sha256"]
    assert again["timings"]["fit_generator"] == first["timings"]["fit_generator"]


def test_a_failing_plugin_gives_a_failed_record_with_stage_and_traceback(
    spec, run, monkeypatch, plugins
):
    module = sys.modules[plugins.find("classifier", "nearest").load().__module__]

    def explode(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(module.Nearest, "fit", explode)
    record, prediction = run(spec())

    assert prediction is None and record["metrics"] is None
    assert record["status"] == "failed"
    assert (
        record["error"]["stage"] == "fit_classifier"
        and record["error"]["type"] == "ZeroDivisionError"
    )
    assert "explode" in record["error"]["traceback"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: s.take(np.arange(len(s) - 1)), "exactly the samples"),
        (lambda s: type(s).made(s.x * np.nan, s.y), "finite samples"),
        (lambda s: type(s).made(s.x[:, :3], s.y), "patches of shape"),
    ],
)
def test_a_generator_that_breaks_its_contract_is_told_how(
    spec, run, monkeypatch, plugins, damage, message
):
    module = sys.modules[plugins.find("generator", "dummy").load().__module__]
    sample = module.Fitted.sample
    monkeypatch.setattr(module.Fitted, "sample", lambda *a, **k: damage(sample(*a, **k)))
    record, _ = run(spec())

    assert record["error"]["type"] == "PluginError" and message in record["error"]["message"]


@pytest.mark.parametrize(
    "answer",
    [lambda n: np.zeros(n, dtype=int), lambda n: np.ones(n), lambda n: np.ones(n - 1, int)],
)
def test_a_classifier_that_breaks_its_contract_fails_its_trial(
    spec, run, monkeypatch, plugins, answer
):
    module = sys.modules[plugins.find("classifier", "nearest").load().__module__]
    monkeypatch.setattr(module.Nearest, "predict", lambda self, patches: answer(len(patches)))
    record, _ = run(spec())

    assert record["status"] == "failed" and "predict must give" in record["error"]["message"]


def test_classifiers_get_what_their_card_reads_and_no_more(spec, run, toy, monkeypatch, plugins):
    seen: dict[str, Any] = {}
    for name in ("svm", "coords"):
        cls = plugins.find("classifier", name).load()
        fit = cls.fit

        def spy(
            self: Any, samples: Any, view: TrainView, name: str = name, fit: Any = fit, **rest: Any
        ) -> Any:
            seen[name] = samples
            return fit(self, samples, view, **rest)

        monkeypatch.setattr(cls, "fit", spy)
        assert run(spec("none", name, 0.0))[0]["status"] == "ok"

    assert seen["svm"].x.shape[1:] == (toy.bands, 1, 1) and (seen["svm"].coords == -1).all()
    assert seen["coords"].x.shape[1] == 0 and (seen["coords"].coords >= 0).all()


def test_what_only_sampling_reads_does_not_ask_for_another_fit(spec: Spec) -> None:
    @dataclass(frozen=True)
    class Params:
        steps: int = param(10, "")
        strength: float = param(1.0, "", sampling=True)

    def trial(**values: Any) -> TrialSpec:
        base = spec()
        return replace(base, generator=PluginSpec("made", "1", Params(**values)))

    assert trial(strength=0.5).fit_hash == trial().fit_hash != trial(steps=11).fit_hash
    assert trial(strength=0.5).hash != trial().hash
    assert trial(strength=0.5).as_json()["generator"]["params"] == {"steps": 10, "strength": 0.5}
    assert resampled(Params(3, 0.1), Params(4, 0.2)) == Params(3, 0.2)
