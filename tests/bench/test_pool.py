"""A worker process by itself."""

import os
import signal
from pathlib import Path

import pytest

from hsiaug.bench.engine import TrialEnded
from hsiaug.bench.engines.local import Worker
from hsiaug.bench.worker import WorkerStart
from tests.bench.test_progress import plan


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_ctrl_c_while_a_worker_loads_its_libraries_ends_it_without_a_word(toy, tmp_path, capfd):
    worker = Worker(WorkerStart("pixels", "toy", toy.sha256, tmp_path, "cpu", None))
    trial = next(iter(plan().values()))
    worker.send(trial, None)
    assert worker.process is not None and worker.process.pid is not None
    for _ in range(10):
        os.kill(worker.process.pid, signal.SIGINT)
        # The process that workers are forked from ignores the signal, and so does a worker in its first milliseconds.
        worker.process.join(20)
        if worker.process.exitcode is not None:
            break

    assert worker.process.exitcode == 130
    assert capfd.readouterr().err == ""
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    worker.end()


def test_a_worker_refuses_a_scene_whose_files_changed_after_the_plan(tmp_path: Path) -> None:
    """Else the record would state the checksum of values and labels that the trial never read."""
    worker = Worker(
        WorkerStart("pixels", "toy", "the checksum of the scene as it was planned", tmp_path, "cpu", None)
    )
    worker.send(next(iter(plan().values())), None)

    said = worker.receive()
    assert isinstance(said, TrialEnded) and said.outcome.failed
    assert (
        "toy has other values or labels than when the run was planned" in said.outcome.result["error"]["message"]
    )
