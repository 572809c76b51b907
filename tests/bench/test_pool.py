"""A worker process by itself."""

import os
import signal

import pytest

from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.engines.local import Worker, computes_on_device
from hsiaug.bench.worker import WorkerStart
from hsiaug.registry.isolation import processes
from hsiaug.registry.isolation.processes import Child
from tests.bench.test_progress import plan


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_ctrl_c_while_a_worker_loads_its_libraries_ends_it_without_a_word(toy, tmp_path, capfd):
    worker = Worker(WorkerStart("pixels", toy.sha256, tmp_path, "cpu", None, BlindData(toy)))
    trial = next(iter(plan().values()))
    worker.send((trial,), None)
    assert worker.child is not None
    for _ in range(10):
        os.kill(worker.child.pid, signal.SIGINT)
        # The process that workers are forked from ignores the signal, and so does a worker in its
        # first milliseconds.
        worker.child.process.join(20)
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
    start = Child._start

    def struck(child: Child, *, again: bool) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        start(child, again=again)

    monkeypatch.setattr(Child, "_start", struck)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    known = set(processes._children)
    worker = Worker(WorkerStart("pixels", toy.sha256, tmp_path, "cpu", None, BlindData(toy)))
    try:
        with pytest.raises(KeyboardInterrupt):
            worker.send((next(iter(plan().values())),), None)
        worker.end()
        with pytest.raises(KeyboardInterrupt):
            Child(_wait, context=processes.CONTEXT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert set(processes._children) == known


def _wait(connection: object) -> None:
    """Until it is killed."""
    signal.pause()


def test_torch_is_loaded_for_all_workers_at_once_where_a_plugin_computes_with_it():
    trials = plan().values()
    assert computes_on_device(trials) and {t.classifier.name for t in trials} > {"svm"}
    assert not computes_on_device(
        [t for t in trials if t.generator.name == "none" and t.classifier.name == "svm"]
    )
