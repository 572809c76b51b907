"""Which Dask workers are given what: those with the resource GPU the fits that ask for it; and what if they leave."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base.errors import HsiaugError
from hsiaug.bench import dispatch
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.engine import Batch, Job, WorkerLost
from hsiaug.bench.plan import Request, build_plan
from hsiaug.bench.worker import WorkerStart
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.trial.store import Store

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
from hsiaug.bench.engines import dask_client, dask_host  # noqa: E402


@pytest.fixture
def cluster() -> Iterator[Any]:
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
        yield cluster


def carry_out(cluster: Any, toy: Scene, store: Path) -> None:
    request = Request(generators=["smote"], classifiers=["svm"], lambdas=[1.0], seeds=range(3), patch=5)
    trials = build_plan(toy, request, registry()).trials
    settings = ClusterSettings(on=f"dask:{cluster.scheduler_address}", gpus=1)
    engine = dask_client.make(cluster.scheduler_address, 1, settings, lambda line: None)
    try:
        engine.submit([Batch(toy, Job("pixels", "toy", store, "cpu"), trials, {}, {})])
        engine.wait(lambda event: None)
    finally:
        engine.cancel()


def test_fits_on_a_gpu_go_to_workers_that_have_one_and_others_anywhere(
    cluster: Any, toy: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "uses_device", lambda trial: trial.generator.name == "smote")
    places: list[tuple[str, bool]] = []
    submit = dask_client._DaskPool.submit

    def noted(pool: Any, slot: Any, trial: Any, packed: Any) -> Any:
        places.append((trial.generator.name, slot.gpu))
        return submit(pool, slot, trial, packed)

    monkeypatch.setattr(dask_client._DaskPool, "submit", noted)
    carry_out(cluster, toy, tmp_path)

    assert {record["status"] for record in Store(tmp_path).records()} == {"ok"}
    assert {gpu for name, gpu in places if name == "smote"} == {True}
    assert {gpu for name, gpu in places if name != "smote"} == {True, False}


@pytest.mark.parametrize("left", [[], ["plain"]])
def test_a_run_without_a_worker_that_can_go_on_ends_and_keeps_what_is_finished(
    left: list[str], cluster: Any, toy: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "uses_device", lambda trial: trial.generator.name == "smote")
    cluster.scale(0) if not left else cluster.sync(cluster.workers["gpu"].close)
    cluster.sync(cluster._correct_state)

    with (
        dask.config.set({"distributed.scheduler.no-workers-timeout": "0s"}),
        pytest.raises(
            HsiaugError, match="a run on Dask must have a worker that can take its trials; found none for"
        ),
    ):
        carry_out(cluster, toy, tmp_path)

    assert bool([*Store(tmp_path).records()]) == bool(left)


def test_a_worker_that_leaves_is_told_of_whoever_notices_it(
    cluster: Any, toy: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_client, "REFRESH", 0.0)
    request = Request(generators=["none"], classifiers=["svm"], lambdas=[1.0], seeds=[0], patch=5)
    (trial, *_) = build_plan(toy, request, registry()).trials
    settings = ClusterSettings(on="dask")
    start = WorkerStart("pixels", "toy", toy.sha256, tmp_path, "cpu", None)
    engine = dask_client.make(cluster.scheduler_address, 1, settings, lambda line: None)
    pool = engine.pool(start)
    (slot,) = [slot for slot in pool.slots() if slot.address == cluster.workers["gpu"].address]
    slot.send(trial, None)
    cluster.sync(cluster.workers["gpu"].close)
    while slot in pool.slots():
        """Until the scheduler says so."""

    told = [message for one, message in pool.wait() if one is slot]
    engine.cancel()

    assert [type(message) for message in told] == [WorkerLost]
    assert not slot.busy


def test_a_dask_worker_that_ends_does_not_wait_for_the_processes_of_its_slots(toy: Scene) -> None:
    script = f"""
        from pathlib import Path
        from hsiaug.bench.engines import dask_host
        from hsiaug.bench.worker import WorkerStart

        start = WorkerStart("pixels", "toy", "{toy.sha256}", Path(), "cpu", None)
        dask_host._seat(("run", "tcp://here", 0), start).worker._begin()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def test_trials_do_not_inherit_what_a_nanny_makes_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    inherited: list[str | None] = []
    monkeypatch.setattr(
        dask_host, "Worker", lambda start: inherited.append(os.environ.get("MALLOC_TRIM_THRESHOLD_"))
    )
    monkeypatch.setattr(dask_host, "_seats", {})

    dask_host._seat(("run", "tcp://here", 0), WorkerStart("pixels", "toy", "", Path(), "cpu", None))

    assert inherited == [None]
