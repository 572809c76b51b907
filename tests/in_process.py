"""Trials in this process in place of worker processes, for tests whose plugins, scene or clock exist here alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import hsiaug.registry.lookup as plugins
from hsiaug.bench.engine import TrialEnded
from hsiaug.bench.worker import WorkerStart
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.run import Outcome, compute
from hsiaug.trial.spec import TrialSpec


class Here:
    """What a worker process does, without a process: blind scene and split, and no other."""

    def __init__(self, start: WorkerStart) -> None:
        self.busy = False
        self._start = start
        self._bench: Workbench | None = None
        self.outcome: Outcome | None = None

    def send(self, trial: TrialSpec, blind: Any) -> None:
        if self._bench is None:
            data: Any = get_task(self._start.task).load(self._start.scene_ref, progress=False)
            self._bench = Workbench(data.unlabelled, get_task(self._start.task), Path(self._start.cache))
        self._bench.give(trial, blind)
        self.outcome = compute(
            trial, self._bench, plugins.registry(), device=self._start.device, progress=lambda *_: None
        )
        self.busy = True

    def end(self) -> None:
        self.busy = False


def _listen(workers: Iterable[Here]) -> list[tuple[Here, TrialEnded]]:
    heard = []
    for worker in workers:
        if worker.busy and worker.outcome is not None:
            worker.busy = False
            heard.append((worker, TrialEnded(worker.outcome)))
    return heard


def run_trials_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every trial from now on run in this process."""
    monkeypatch.setattr("hsiaug.bench.engines.local.Worker", Here)
    monkeypatch.setattr("hsiaug.bench.engines.local.wait_for_messages", _listen)


__all__ = ["run_trials_here"]
