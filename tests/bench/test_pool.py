"""A worker process by itself, and the executor of several."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from hsiaug.bench import worker_process
from hsiaug.bench.engines.local import computes_on_device
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.bench.worker_process import Worker, WorkerProcesses
from hsiaug.registry.lookup import registry


def test_torch_is_loaded_for_all_workers_at_once_where_a_plugin_computes_with_it(toy):
    request = read_request(generators=["wgan"], classifiers=["svm"], lambdas=[1.0], seeds=[0])
    trials = build_plan(toy, request, registry()).trials
    assert computes_on_device(trials) and {t.classifier.name for t in trials} >= {"svm"}
    assert not computes_on_device(
        [t for t in trials if t.generator.name == "none" and t.classifier.name == "svm"]
    )


class Seat:
    """In place of a worker process. ended: how often."""

    def __init__(self, stopping: threading.Event) -> None:
        self.stopping, self.child, self.ended = stopping, None, 0

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def executor(monkeypatch) -> Iterator[WorkerProcesses]:
    monkeypatch.setattr(worker_process, "Worker", Seat)
    monkeypatch.setattr(worker_process, "await_fork_server", lambda: True)
    executor = WorkerProcesses(1)
    yield executor
    executor.shutdown(cancel_futures=True)


def test_a_worker_whose_call_fails_is_ended_and_serves_the_next(executor):
    def fail(worker: Seat) -> None:
        raise ValueError(worker.ended)

    assert [type(executor.submit(fail).exception()) for _ in range(2)] == [ValueError] * 2
    worker = executor.submit(lambda worker: worker).result()
    assert worker.ended == 2
    executor.shutdown()
    assert worker.ended == 3


def test_what_is_cancelled_is_not_begun_and_what_runs_is_told_to_stop(executor):
    begun = threading.Event()

    def run(worker: Seat) -> None:
        begun.set()
        worker.stopping.wait()

    running, waiting = (executor.submit(run) for _ in range(2))
    begun.wait()
    executor.shutdown(cancel_futures=True)

    assert running.done() and waiting.cancelled()


def test_the_time_in_which_the_machine_slept_counts_to_no_limit(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(worker_process, "time", SimpleNamespace(monotonic=lambda: clock.now))
    worker = Worker()
    process = SimpleNamespace(sentinel=object(), exitcode=None, join=lambda wait: None)
    connection = SimpleNamespace(poll=lambda: False)
    worker.child = SimpleNamespace(connection=connection, process=process, end=lambda: None)
    worker.deadline = 10.0
    waits = iter([1.0, 65.0, *[1.0] * 9])

    def wait(_: object, patience: float) -> list[object]:
        clock.now += next(waits)
        return []

    monkeypatch.setattr(worker_process, "wait_for", wait)
    ended = worker.receive()

    # Of 65 s one has counted: the limit of ten was passed with the last wait.
    assert ended.record["error"]["type"] == "TrialTimeout" and not list(waits)
