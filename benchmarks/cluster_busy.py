"""How busy a cluster is kept: trials that sleep, on Dask workers of this machine.

    python -m benchmarks.cluster_busy 8 --trials 20                     # Indian Pines
    python -m benchmarks.cluster_busy 64 --threads 16 --scene toy       # four workers of 16
    threads: 64 at a time

Prints the share of its time in which a worker, a thread of Dask, runs a trial, from the moment at
which every worker has ended two to the one at which the first may have nothing left; and the
processor milliseconds of a trial: of the command's process, of those that it started, of the
scheduler, and of the workers with the processes of their trials. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.common import descendants, say
from tests.third_party import DUMMY, environment, install

SLEEPER = '''
class Sleeper(Commonest):
    """Takes its time, and next to nothing of the processor's."""

    card = Card(
        name="sleeper",
        version="1",
        summary="the most frequent class, after a while",
        input="spectrum",
    )

    def predict(self, patches):
        import os, time
        time.sleep(float(os.environ["SLEEP"]))
        return super().predict(patches)


@hookimpl
def hsiaug_plugins():
    return [
        Entry("generator", "dummy", "sleeper_plugin:Generator"),
        Entry("classifier", "sleeper", "sleeper_plugin:Sleeper"),
    ]
'''
TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "workers", type=int, help="trials at the same time, each in a process of one thread"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="trials at the same time in each Dask process"
    )
    parser.add_argument("--trials", type=int, default=60, help="of a worker")
    parser.add_argument("--seconds", default="1", help="that a trial sleeps")
    parser.add_argument("--scene", default="indian_pines")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        site = install(root / "site", "sleeper_plugin", DUMMY + SLEEPER)
        env = environment(site, SLEEP=asked.seconds)
        with cluster(asked.workers, asked.threads, root, env) as (address, scheduler, workers_pid):
            lambdas = ",".join(str(1 + i / 100) for i in range(asked.trials))
            words = ["benchmark", asked.scene, "--generator", "dummy", "--classifier", "sleeper"]
            words += ["--lambda", lambdas]
            words += ["--seeds", str(asked.workers), "--patch", "1", "--device", "cpu", "--quiet"]
            words += ["--on", f"dask:{address}", "--store", str(root / "store")]
            run(words, env, root / "store", asked.workers, scheduler, workers_pid)


def run(
    words: list[str],
    env: dict[str, str],
    store: Path,
    workers: int,
    scheduler: int,
    workers_pid: int,
) -> None:
    """Run the command, and print what it and the cluster took."""
    samples: list[tuple[float, dict[str, float]]] = []
    command = [sys.executable, "-m", "hsiaug", *words]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            alone = seconds(process.pid)
            spent = {
                "the command's process": alone,
                "processes that it started": with_descendants(process.pid) - alone,
                "the scheduler": with_descendants(scheduler),
                "workers and the processes of their trials": with_descendants(workers_pid),
            }
            samples.append((time.time(), spent))
            time.sleep(0.2)
    if process.returncode:
        raise SystemExit(process.returncode)
    files = store.glob("records/??/*/record.json")
    ends = sorted(
        (file.stat().st_mtime, json.loads(file.read_bytes())["timings"]["total"]) for file in files
    )
    say(f"{workers} workers, {len(ends)} trials in {ends[-1][0] - ends[0][0]:.0f} s")
    window = ends[2 * workers : -2 * workers]
    inside = [(when, spent) for when, spent in samples if window[0][0] <= when <= window[-1][0]]
    (begin, before), (end, after) = inside[0], inside[-1]
    trials = [took for when, took in ends if begin < when <= end]
    say(f"busy: {sum(trials) / ((end - begin) * workers):.1%} of {end - begin:.0f} s")
    for who in after:
        say(f"{who}: {1000 * (after[who] - before[who]) / len(trials):.1f} ms a trial")


@contextmanager
def cluster(
    workers: int, threads: int, folder: Path, env: dict[str, str]
) -> Iterator[tuple[str, int, int]]:
    """A scheduler and workers: its address, and the process ids of it and of those that started the
    workers.
    """
    file = folder / "scheduler.json"
    dask = Path(sys.executable).with_name("dask")
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    alike = ["--no-dashboard", "--scheduler-file", file]
    scheduler = [dask, "scheduler", *alike, "--host", "127.0.0.1", "--port", "0"]
    worker = [dask, "worker", *alike, "--nthreads", str(threads), "--memory-limit", "0"]
    with (
        subprocess.Popen(scheduler, **quiet) as first,
        subprocess.Popen([*worker, "--nworkers", str(workers // threads)], **quiet) as rest,
    ):
        try:
            while not file.is_file():
                time.sleep(0.5)
            address = json.loads(file.read_text())["address"]
            wait_for(workers // threads, address)
            yield address, first.pid, rest.pid
        finally:
            rest.terminate()
            rest.wait()
            first.terminate()


def wait_for(number: int, address: str) -> None:
    """Wait until so many workers have come."""
    import distributed

    with distributed.Client(address) as client:
        client.wait_for_workers(number, timeout=600)


def with_descendants(pid: int) -> float:
    """Processor seconds of a process and of all that it started, those that have ended included."""
    return sum(seconds(one, children=True) for one in (pid, *descendants(pid)))


def seconds(pid: int, *, children: bool = False) -> float:
    """Processor seconds of a process, with those of its children that have ended; 0 where it is
    gone.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks: Iterable[str] = fields[11:15] if children else fields[11:13]
    return sum(map(int, ticks)) / TICK


if __name__ == "__main__":
    main()
