"""A worker process by itself, and the executor of several."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

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

GET_DUMPABLE = 3
"""Of prctl."""


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


class Odd(Exception):
    """One that cannot be unpickled."""

    def __init__(self, words: str, number: int) -> None:
        super().__init__(words)


@dataclass
class Slow:
    """What a process takes a while to unpickle. done: a file that is there afterwards."""

    done: Path

    def __reduce__(self) -> tuple[object, ...]:
        return _touch_late, (self.done,)


def _touch_late(done: Path) -> Slow:
    time.sleep(0.3)
    done.touch()
    return Slow(done)


@dataclass
class Label:
    """What notes, as it is sent, whether a file is there."""

    done: Path
    noted: list[bool]

    def __reduce__(self) -> tuple[object, ...]:
        self.noted.append(self.done.exists())
        return str, ()


def _nothing(*_: object) -> None:
    pass


def _called(starter: int, asked: str) -> tuple[int, int]:
    """Which process is called, and whether others may look into its memory."""
    if asked == "die":
        os._exit(9)
    if asked == "hang":
        _wait(None)
    if asked == "fail":
        raise OSError("as planned")
    if asked == "fail oddly":
        raise Odd("as planned", 2)
    linux = sys.platform == "linux"
    return os.getpid(), ctypes.CDLL(None).prctl(GET_DUMPABLE, 0, 0, 0, 0) if linux else 0


@pytest.mark.skipif(sys.platform != "linux" or not processes.FORKS, reason="no forks here")
def test_a_function_is_called_in_a_process_that_is_closed_to_others():
    processes.await_fork_server()
    known = set(processes._children)

    called, seen = processes.in_fork(threading.Event(), _called, os.getpid(), "")

    assert called != os.getpid() and not seen
    assert set(processes._children) == known


@pytest.mark.skipif(not processes.FORKS, reason="no forks here")
def test_labels_are_sent_once_the_process_has_begun(tmp_path: Path):
    processes.await_fork_server()
    label = Label(tmp_path / "done", [])

    processes.in_fork(threading.Event(), _nothing, Slow(label.done), label)

    assert label.noted == [True]


def test_a_process_asks_for_labels_once_it_has_closed_its_memory(monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []

    class Told:
        def send(self, message: object) -> None:
            done.append("says that it is ready" if message == "ready" else "answers")

        def recv(self) -> tuple[object, ...]:
            done.append("is sent labels")
            return ()

    monkeypatch.setattr(processes, "close_memory", lambda: done.append("closes its memory"))
    monkeypatch.setattr(processes, "join_run", _nothing)
    processes._give(cast(Any, Told()), _nothing, None)

    assert done == ["closes its memory", "says that it is ready", "is sent labels", "answers"]


@pytest.mark.skipif(not processes.FORKS, reason="no forks here")
@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ("fail", OSError, "^as planned$"),
        ("fail oddly", RuntimeError, "Odd.*as planned"),
        ("die", processes.ProcessLost, "exit code 9"),
    ],
)
def test_what_befalls_a_function_in_a_process_of_its_own_is_raised_here(
    asked: str, kind: type[Exception], said: str
):
    processes.await_fork_server()
    with pytest.raises(kind, match=said):
        processes.in_fork(threading.Event(), _called, os.getpid(), asked)


@pytest.mark.skipif(not processes.FORKS, reason="no forks here")
def test_a_process_that_hangs_ends_as_the_run_is_stopped():
    processes.await_fork_server()
    known, stopping = set(processes._children), threading.Event()
    threading.Timer(0.5, stopping.set).start()

    with pytest.raises(processes.ProcessLost, match="stopped"):
        processes.in_fork(stopping, _called, os.getpid(), "hang")

    assert set(processes._children) == known


def test_a_function_is_called_here_where_no_process_can_be_forked(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(processes._fork_server(), "_forkserver_pid", None)
    assert processes.in_fork(threading.Event(), _called, os.getpid(), "")[0] == os.getpid()


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
