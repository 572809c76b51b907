"""Trials of throw-away plugins, in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hsiaug.core.scene import Scene
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.run import run_trial
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec
from hsiaug.trial.store import Store


@pytest.fixture
def spec(toy: Scene, plugins: Registry) -> Callable[..., TrialSpec]:
    """``spec(generator="smote", lam=0.5, …)``: a trial on the toy scene."""

    def make(generator: str = "dummy", classifier: str = "nearest", lam: float = 1.0, **changes: Any) -> TrialSpec:
        def plugin(kind: Any, name: str) -> PluginSpec:
            card = plugins.find(kind, name).load().card
            return plugin_spec(card, build_params(card, "tiny"), toy)

        trial = TrialSpec(
            task="pixels",
            scene=toy.name,
            scene_sha256=toy.sha256,
            protocol=parse_protocol("issd"),
            patch=5,
            seed=0,
            generator=plugin("generator", generator),
            classifier=plugin("classifier", classifier),
            rate=Rate(lam),
            omega=None,
        )
        return replace(trial, **changes)

    return make


@pytest.fixture
def bench(toy: Scene, tmp_path: Path) -> Workbench:
    return Workbench(toy, get_task("pixels"), tmp_path / "cache")


@pytest.fixture
def run(plugins: Registry, bench: Workbench) -> Callable[..., Any]:
    """``run(trial)`` → (record, predictions)."""
    return lambda trial, on=bench: run_trial(trial, on, plugins, device="cpu", progress=lambda *_: None)


@pytest.fixture
def filled(tmp_path: Path, spec: Callable[..., TrialSpec], run: Callable[..., Any]) -> Store:
    """A store of two records."""
    store = Store(tmp_path / "store", create=True)
    for seed in range(2):
        store.put(*run(spec(seed=seed)))
    return store
