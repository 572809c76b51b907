"""Trials whose classifier learns from synthetic samples alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.plugin_calls import StageClock
from hsiaug.trial.run import draw_samples, fit_classifier, learn
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext, TrialRun
from hsiaug_builtin.baselines.smote import FittedSmote

Make = Callable[..., TrialSpec]


@pytest.fixture
def samples(context: SceneContext, plugins: Registry) -> Callable[[TrialSpec], Any]:
    def drawn(trial: TrialSpec) -> Any:
        return training_samples(trial, context, plugins)

    return drawn


def training_samples(trial: TrialSpec, context: SceneContext, plugins: Registry) -> Any:
    """What a classifier of whole patches is to learn from."""
    generator = plugins.find("generator", trial.generator.name).load()(trial.generator.params)
    run = TrialRun(trial, context, generator=generator, devices={"generator": "cpu"})
    fit = learn(run, None, StageClock(), {}) if run.asks_samples else None
    return draw_samples(run, fit, {}, StageClock(), {})[0]


@pytest.mark.parametrize("rate", [Rate(0.0), Rate(0.6), Rate(1.0, 0.5)])
@pytest.mark.parametrize("name", ["smote", "pseudo"])
def test_each_class_has_as_many_samples_as_of_both_and_those_of_both_are_among_them(
    samples, spec, name, rate
):
    alone = samples(spec(name, rate=rate, train="synthetic"))
    both = samples(spec(name, rate=rate))
    assert alone.synthetic.all() and not both.synthetic.all()
    assert np.array_equal(np.bincount(alone.y), np.bincount(both.y))
    made = {patch.tobytes() for patch in alone.x}
    assert all(patch.tobytes() in made for patch in both.x[both.synthetic])
    if name == "pseudo":
        assert len(made) > np.sum(both.synthetic), (
            "it goes on where it was, and repeats nothing before it must"
        )


def test_samples_do_not_depend_on_what_was_drawn_before(samples, spec, toy, plugins):
    trial = spec("pseudo", rate=Rate(0.6), train="synthetic")
    samples(spec("pseudo", rate=Rate(3.0)))
    later = samples(trial)
    fresh = SceneContext(toy, get_task("pixels"))
    first = training_samples(trial, fresh, plugins)
    assert np.array_equal(first.x, later.x) and np.array_equal(first.y, later.y)


def test_weights_keep_their_ratios_and_are_one_in_the_mean(samples, spec, monkeypatch):
    weighed(monkeypatch, lambda y: 0.01 * y)
    alone = samples(spec("smote", train="synthetic"))
    assert np.isclose(alone.weight.mean(), 1) and alone.weight.dtype == np.float32
    assert np.allclose(alone.weight / alone.weight[0], alone.y / alone.y[0])


def test_samples_without_any_weight_fail_the_trial(run, spec, monkeypatch):
    weighed(monkeypatch, lambda y: 0.0 * y)
    record, _ = run(spec("smote", train="synthetic"))
    assert record["status"] == "failed" and "must have some weight" in record["error"]["message"]


def test_the_record_says_what_was_learnt_from(run: Callable[..., Any], spec: Make) -> None:
    record, _ = run(spec("smote", train="synthetic"))
    assert record["status"] == "ok" and record["spec"]["train"] == "synthetic"
    assert not any(record["samples"]["real"]) and all(record["samples"]["synthetic"])


def weighed(monkeypatch: pytest.MonkeyPatch, weight: Callable[[Any], Any]) -> None:
    """Let smote weigh its samples by their classes."""
    plain = FittedSmote.sample

    def sample(self: FittedSmote, *args: Any, **given: Any) -> Any:
        made = plain(self, *args, **given)
        return replace(made, weight=weight(made.y).astype(np.float32))

    monkeypatch.setattr(FittedSmote, "sample", sample)


class Looks:
    """A classifier that keeps the view it is given."""

    def __init__(self, card: Any) -> None:
        self.card = card

    def fit(self, samples: Any, view: Any, **_: Any) -> Any:
        self.samples, self.view = samples, view
        return self

    def predict(self, patches: Any) -> Any:
        raise AssertionError("not asked")


@pytest.mark.parametrize("scope", ["none", "scene"])
@pytest.mark.parametrize("view", ["raw", "unit"])
def test_no_real_label_is_shown_to_what_learns_from_synthetic_samples_alone(
    samples, context, spec, scope, view
):
    def shown(train: str) -> Looks:
        trial = replace(spec("smote", "cnn2d", train=train), view=view)
        looks = Looks(Card(name="looks", version="1", summary="looks", scope=scope))
        run: Any = TrialRun(trial, context, classifier=looks, devices={"classifier": "cpu"})
        fit_classifier(run, samples(trial), StageClock(), {})
        return looks

    both, alone = shown("both"), shown("synthetic")
    assert both.view.y.all() and both.view.real.y.all() and not both.view.sizes
    assert not alone.view.y.any() and not alone.view.real.y.any() and alone.samples.synthetic.all()
    assert alone.view.counts == both.view.counts, "how many there are says nothing of a pixel"
    for name in ("cube", "visible", "coords", "unlabelled"):
        assert np.array_equal(
            getattr(alone.view, name), getattr(both.view, name), equal_nan=name == "cube"
        )
    assert np.array_equal(alone.view.normaliser.mean, both.view.normaliser.mean)
    assert np.array_equal(alone.view.real.x, both.view.real.x)
    assert shown("both").view is both.view and shown("synthetic").view is alone.view
