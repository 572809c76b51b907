"""Trials of throw-away plugins, in this process."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.testing.subject import run_trial
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.run import run_group
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.trial_run import SceneContext


@pytest.fixture
def context(toy: Scene, tmp_path: Path) -> SceneContext:
    return SceneContext(toy, get_task("pixels"), tmp_path / "cache")


@pytest.fixture
def run(plugins: Registry, context: SceneContext) -> Callable[..., Any]:
    """``run(trial)`` → (record, predictions)."""
    return lambda trial, on=context: run_trial(
        trial, on, plugins, device="cpu", progress=lambda *_: None
    )


@pytest.fixture
def run_all(plugins: Registry, context: SceneContext) -> Callable[..., list[TrialOutcome]]:
    """``run_all(trials)`` → what trials of one fit come to."""

    def run(trials: Iterable[TrialSpec], on: SceneContext = context) -> list[TrialOutcome]:
        ended = run_group(trials, on, plugins, device="cpu", progress=lambda *_: None)
        return [outcome for _, outcome in ended]

    return run


@pytest.fixture
def filled(tmp_path: Path, spec: Callable[..., TrialSpec], run: Callable[..., Any]) -> Store:
    """A store of two records."""
    store = Store(tmp_path / "store", create=True)
    for seed in range(2):
        store.put(*run(spec(seed=seed)))
    return store
