"""A worker process by itself, and the executor of several."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hsiaug.bench import worker_process
from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.engine import WorkerSettings
from hsiaug.bench.engines.local import computes_on_device
from hsiaug.bench.worker import WorkerStart
from hsiaug.bench.worker_process import Worker, WorkerProcesses
from hsiaug.core.scene import Scene
from hsiaug.registry.isolation import processes
from hsiaug.registry.isolation.processes import Child
from tests.bench.test_progress import plan


def started_with(toy: Scene, cache: Path) -> WorkerStart:
    """What a worker on the toy scene is started with."""
    return WorkerStart(WorkerSettings("cpu"), "pixels", toy.sha256, cache, BlindData(toy))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_ctrl_c_while_a_worker_loads_its_libraries_ends_it_without_a_word(toy, tmp_path, capfd):
    worker = Worker()
    start = started_with(toy, tmp_path)
    trial = next(iter(plan().values()))
    worker.send(start, (trial,), None)
    assert worker.child is not None
    # The process that workers are forked from ignores the signal, and so may a worker in its first
    # milliseconds. Once loaded it ends by itself, as it was sent no split: the next signal must
    # come before that. It may end just before the next signal.
    for _ in range(10_000):
        with suppress(ProcessLookupError):
            os.kill(worker.child.pid, signal.SIGINT)
        worker.child.process.join(0.02)
        if worker.child.process.exitcode is not None:
            break

    assert worker.child.process.exitcode == 130
    assert capfd.readouterr().err == ""
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    worker.end()


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_ctrl_c_while_a_worker_is_started_leaves_no_process_that_python_would_wait_for(
    toy, tmp_path, monkeypatch
):
    start = processes.CONTEXT.Process.start

    def struck(process: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        start(process)

    processes.await_fork_server()
    monkeypatch.setattr(processes.CONTEXT.Process, "start", struck)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    known = set(processes._children)
    worker = Worker()
    begin = started_with(toy, tmp_path)
    try:
        with pytest.raises(KeyboardInterrupt):
            worker.send(begin, (next(iter(plan().values())),), None)
        worker.end()
        with pytest.raises(KeyboardInterrupt):
            Child(_wait, context=processes.CONTEXT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert set(processes._children) == known


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_a_signal_that_another_thread_takes_is_held_back_too():
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)
    other.start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []
    try:
        with pytest.raises(KeyboardInterrupt), processes.hold_back(signal.SIGINT):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            done.append("what is within")
    finally:
        signal.signal(signal.SIGINT, before)
        ended.set()
        other.join()

    assert done == ["what is within"]


def _wait(connection: object) -> None:
    """Until it is killed."""
    signal.pause()


def test_torch_is_loaded_for_all_workers_at_once_where_a_plugin_computes_with_it():
    trials = plan().values()
    assert computes_on_device(trials) and {t.classifier.name for t in trials} > {"svm"}
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
