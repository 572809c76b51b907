"""A worker process by itself."""

import os
import signal

import pytest

from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.engines.local import Worker, computes_on_device
from hsiaug.bench.worker import WorkerStart
from tests.bench.test_progress import plan


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_ctrl_c_while_a_worker_loads_its_libraries_ends_it_without_a_word(toy, tmp_path, capfd):
    worker = Worker(WorkerStart("pixels", toy.sha256, tmp_path, "cpu", None, BlindData(toy)))
    trial = next(iter(plan().values()))
    worker.send(trial, None)
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


def test_torch_is_loaded_for_all_workers_at_once_where_a_plugin_computes_with_it():
    trials = plan().values()
    assert computes_on_device(trials) and {t.classifier.name for t in trials} > {"svm"}
    assert not computes_on_device(
        [t for t in trials if t.generator.name == "none" and t.classifier.name == "svm"]
    )
