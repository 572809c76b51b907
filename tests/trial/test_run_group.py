"""Trials of one fit: what they share, what a failure costs, and what is left behind."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hsiaug.registry.card import Card
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.plugin_calls import StageClock
from hsiaug.trial.record import STAGES
from hsiaug.trial.spec import TrialSpec

Spec = Callable[..., TrialSpec]
RunAll = Callable[..., list[TrialOutcome]]
LAMBDAS = (1.0, 0.5)


@pytest.fixture
def dummy(plugins: Any) -> Any:
    """The module of the plugins ``dummy`` and ``nearest``."""
    return sys.modules[plugins.find("generator", "dummy").load().__module__]


def errors(outcomes: list[TrialOutcome]) -> list[str]:
    """The stage in which each trial failed; "" for one that went well."""
    return [outcome.record["error"]["stage"] if outcome.failed else "" for outcome in outcomes]


def explode(*_: Any, **__: Any) -> None:
    raise ValueError("on purpose")


def test_all_trials_state_the_seconds_of_the_one_fit(spec: Spec, run_all: RunAll) -> None:
    outcomes = run_all(spec("dummy", lam=lam) for lam in LAMBDAS)
    first, second = (outcome.record["timings"]["fit_generator"] for outcome in outcomes)
    assert first == second > 0


def test_after_a_fit_that_fails_no_other_trial_is_run(spec, run_all, dummy, monkeypatch):
    monkeypatch.setattr(dummy.Generator, "fit", explode)
    (outcome,) = run_all(spec("dummy", lam=lam) for lam in LAMBDAS)
    assert outcome.failed_learning and outcome.record["error"]["stage"] == "fit_generator"


def test_a_classifier_that_fails_costs_its_trial_alone(spec, run_all, dummy, monkeypatch):
    fit, fails = dummy.Nearest.fit, iter([True, False])
    monkeypatch.setattr(
        dummy.Nearest, "fit", lambda *a, **k: explode() if next(fails) else fit(*a, **k)
    )
    outcomes = run_all(spec("dummy", lam=lam) for lam in LAMBDAS)
    assert errors(outcomes) == ["fit_classifier", ""]


def test_samples_that_fail_are_asked_for_again_by_the_next_trial(spec, run_all, dummy, monkeypatch):
    sample, fails = dummy.Fitted.sample, iter([True, *[False] * 9])
    monkeypatch.setattr(
        dummy.Fitted, "sample", lambda *a, **k: explode() if next(fails) else sample(*a, **k)
    )
    outcomes = run_all(spec("dummy", lam=lam) for lam in LAMBDAS)
    assert errors(outcomes) == ["sample", ""]


def test_views_that_a_classifier_wrote_into_are_made_anew_and_so_is_the_fit(
    spec, run_all, dummy, monkeypatch
):
    fits: list[str] = []
    fit_generator, fit, spoils = dummy.Generator.fit, dummy.Nearest.fit, iter([True, False])

    def spoil(self: Any, samples: Any, view: Any, **given: Any) -> Any:
        if next(spoils):
            ctypes.memset(view.real.x.ctypes.data, 1, 4)
        return fit(self, samples, view, **given)

    monkeypatch.setattr(dummy.Nearest, "fit", spoil)
    monkeypatch.setattr(
        dummy.Generator, "fit", lambda *a, **k: fits.append("once") or fit_generator(*a, **k)
    )
    spoilt, after = run_all(spec("dummy", lam=1.0) for _ in range(2))
    assert "leave the arrays" in spoilt.record["error"]["message"]
    assert not after.failed and len(fits) == 2


def test_a_failure_is_that_of_the_last_stage_in_which_a_plugin_computed(spec, run_all, monkeypatch):
    monkeypatch.setattr("hsiaug.trial.run.join_samples", explode)
    (outcome,) = run_all([spec("dummy")])
    assert errors([outcome]) == ["sample"]
    assert set(outcome.record["timings"]) == {"fit_generator", "sample", "total"}
    assert set(outcome.record["cpu_seconds"]) == set(outcome.record["timings"])


def test_facts_before_a_faulty_one_are_in_the_record(spec, run_all, monkeypatch):
    monkeypatch.setattr("hsiaug.trial.run.plain_json", explode)
    (outcome,) = run_all([spec("dummy")])
    assert outcome.failed and outcome.record["samples"]["synthetic"]
    assert outcome.record["provenance"] == {}


def test_a_trial_that_asks_for_no_sample_has_no_stage_of_a_generator(spec, run_all):
    (outcome,) = run_all([spec("dummy", lam=0.0)])
    assert set(outcome.record["timings"]) == {"fit_classifier", "predict", "total"}


def test_memory_is_given_back_where_a_plugin_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[str] = []
    monkeypatch.setattr(
        "hsiaug.trial.plugin_calls.give_back_memory", lambda: given_back.append("once")
    )
    for frees in (True, False):
        with StageClock().plugin("fit_generator", frees=frees):
            pass
    assert given_back == ["once"]


def test_the_process_is_as_before_after_a_stage_of_a_plugin() -> None:
    before, drawn = np.geterr(), []
    for _ in range(2):
        with StageClock().plugin("sample"):
            np.seterr(all="ignore")
            drawn.append(np.random.random())
        np.random.random()
    assert np.geterr() == before and drawn[0] == drawn[1]


def test_steps_are_counted_of_plugins_with_a_device_alone() -> None:
    clock = StageClock()
    plain = Card(name="plain", version="1", summary="no network")
    with clock.plugin("fit_generator", plain) as work:
        assert work is None
    assert clock.steps["fit_generator"] is None


def test_records_know_the_stages_by_these_names() -> None:
    assert tuple(STAGES) == (
        "load",
        "split",
        "prepare",
        "fit_generator",
        "sample",
        "fit_classifier",
        "predict",
    )
