"""Which Dask workers are given what: those with the resource GPU the fits that ask for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hsiaug.bench import dispatch
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.dispatch import Work, groups
from hsiaug.bench.engine import Job
from hsiaug.bench.execute import worker_pool
from hsiaug.bench.plan import Request, build_plan
from hsiaug.bench.worker import WorkerStart
from hsiaug.plugins.registry import registry
from hsiaug.scene import Scene
from hsiaug.trial.store import Store

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
from hsiaug.bench.engines import dask_client, dask_host  # noqa: E402


@pytest.fixture
def address() -> Iterator[str]:
    """A scheduler with two workers, one of them with a GPU; all in this process.

    Clients look at the scheduler all the time, as they may at any moment.
    """
    workers = {
        name: {"cls": distributed.Worker, "options": {"nthreads": 1, "resources": resources}}
        for name, resources in (("plain", {}), ("gpu", {"GPU": 1}))
    }
    scheduler = {"cls": distributed.Scheduler, "options": {"dashboard": False, "port": 0, "host": "127.0.0.1"}}
    with (
        dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}),
        distributed.SpecCluster(workers=workers, scheduler=scheduler, silence_logs=50) as cluster,
    ):
        yield cluster.scheduler_address


def test_fits_on_a_gpu_go_to_workers_that_have_one_and_others_anywhere(
    address: str, toy: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "uses_device", lambda trial: trial.generator.name == "smote")
    places: list[tuple[str, bool]] = []
    submit = dask_client._DaskPool.submit

    def noted(pool: Any, slot: Any, trial: Any, packed: Any) -> Any:
        places.append((trial.generator.name, slot.gpu))
        return submit(pool, slot, trial, packed)

    monkeypatch.setattr(dask_client._DaskPool, "submit", noted)
    request = Request(generators=["smote"], classifiers=["svm"], lambdas=[1.0], seeds=range(3), patch=5)
    trials = build_plan(toy, request, registry()).trials
    settings = ClusterSettings(on=f"dask:{address}", gpus=1)
    with (
        dask_client.make(address, 1, settings, lambda line: None) as engine,
        worker_pool(toy, Job("pixels", "toy", tmp_path, "cpu"), engine) as run,
    ):
        run((Work(group, {}) for group in groups(trials)), lambda event: None)

    assert {record["status"] for record in Store(tmp_path).records()} == {"ok"}
    assert {gpu for name, gpu in places if name == "smote"} == {True}
    assert {gpu for name, gpu in places if name != "smote"} == {True, False}


def test_trials_do_not_inherit_what_a_nanny_makes_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    inherited: list[str | None] = []
    monkeypatch.setattr(
        dask_host, "Worker", lambda start: inherited.append(os.environ.get("MALLOC_TRIM_THRESHOLD_"))
    )
    monkeypatch.setattr(dask_host, "_seats", {})

    dask_host._seat(("run", "tcp://here", 0), WorkerStart("pixels", "toy", "", Path(), "cpu", None))

    assert inherited == [None]
