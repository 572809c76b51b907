"""Equal budget: the runner counts optimiser steps itself, and reports name classifiers whose arms
differ.
"""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from hsiaug.registry.lookup import Registry, build_registry
from hsiaug.trial.machine import counted_work
from hsiaug.trial.spec import TrialSpec
from tests.effort import loaded
from tests.third_party import DUMMY, install

Spec = Callable[..., TrialSpec]
Run = Callable[..., Any]

STEPPERS = '''
"""Nearest class means that also take optimiser steps of torch, and a generator that does."""
from hsiaug.api import Card, Entry, hookimpl
from dummy_plugin import Generator, Nearest


def step(times):
    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    for _ in range(times):
        optimiser.step()


class Honest(Nearest):
    card = Card(name="honest", version="1", summary="7 steps, always", input="spectrum", uses_device=True)

    def fit(self, samples, view, **given):
        step(7)
        return super().fit(samples, view, **given)


class Greedy(Nearest):
    card = Card(name="greedy", version="1", summary="epochs", input="spectrum", uses_device=True)

    def fit(self, samples, view, **given):
        step(len(samples))
        return super().fit(samples, view, **given)


class Stepping(Generator):
    card = Card(name="stepping", version="1", summary="3 steps", params=Generator.card.params, uses_device=True)

    def fit(self, view, **given):
        step(3)
        return super().fit(view, **given)


@hookimpl
def hsiaug_plugins():
    kinds = {"Honest": "classifier", "Greedy": "classifier", "Stepping": "generator"}
    return [Entry(kind, name.lower(), f"stepping_plugin:{name}") for name, kind in kinds.items()]
'''


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The built-ins, and those that take steps."""
    install(tmp_path / "site", "dummy_plugin", DUMMY)
    install(tmp_path / "site", "stepping_plugin", STEPPERS)
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name in ("dummy_plugin", "stepping_plugin"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    names = (
        "hsiaug_builtin.baselines",
        "hsiaug_builtin.classifiers",
        "dummy_plugin",
        "stepping_plugin",
    )
    return build_registry([EntryPoint(name, name, "hsiaug") for name in names])


def test_the_record_holds_the_steps_that_torch_counted(spec: Spec, run: Run) -> None:
    record, _ = run(spec("stepping", "honest"))
    assert record["status"] == "ok", record["error"]
    assert record["optimiser_steps"] == {"fit_generator": 3, "fit_classifier": 7}


def test_a_network_is_counted_by_its_own_steps(spec: Spec, run: Run) -> None:
    trial = spec("none", "cnn2d", 0.0)
    record, _ = run(trial)
    assert record["optimiser_steps"]["fit_classifier"] == trial.classifier.params.steps


def test_a_reused_fit_and_a_plugin_without_torch_have_no_count(spec: Spec, run_all: Run) -> None:
    _, second = run_all([spec("stepping", "nearest", lam) for lam in (1.0, 0.5)])
    assert second.record["optimiser_steps"] == {"fit_generator": None, "fit_classifier": None}


def test_steps_outside_the_fit_are_not_counted_and_the_hook_goes_also_after_a_failure() -> None:
    import torch
    from torch.optim import optimizer

    weights = torch.zeros(1, requires_grad=True)
    sgd = torch.optim.SGD([weights], lr=0.1)
    hooks = len(optimizer._global_optimizer_post_hooks)
    with pytest.raises(ZeroDivisionError), counted_work() as work:
        sgd.step()
        assert work.steps == 1
        raise ZeroDivisionError
    sgd.step()
    assert work.steps == 1
    assert len(optimizer._global_optimizer_post_hooks) == hooks


def test_a_trial_of_plugins_without_torch_does_not_load_it() -> None:
    code = (
        "from hsiaug.registry.card import Card; from hsiaug.trial.plugin_calls import StageClock;"
        " clock = StageClock(); svm = Card(name='svm', version='1', summary='no net')\n"
        "with clock.plugin('fit_classifier', svm): pass\n"
        "assert clock.steps['fit_classifier'] is None"
    )
    assert "torch" not in loaded(code)
