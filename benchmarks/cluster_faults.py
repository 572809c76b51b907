"""Runs on Dask and on SLURM in whose middle a process is killed or a job cancelled: is anything
lost, or changed?

    python -m benchmarks.cluster_faults dask --runs 30
    python -m benchmarks.cluster_faults slurm --runs 10     # where sbatch is, see
    benchmarks/slurm/setup.sh python -m benchmarks.cluster_faults two --runs 5        # two runs on
    Dask over one store, at the same time python -m benchmarks.cluster_faults full --runs 5       #
    a disk that is full in the middle of a run; as root python -m benchmarks.cluster_faults readonly
    --runs 5   # a disk that becomes read-only; as root python -m benchmarks.cluster_faults suspend
    --runs 3    # a Dask worker that is suspended for a minute python -m benchmarks.cluster_faults
    scheduler --runs 3  # a Dask scheduler that goes, and comes back python -m
    benchmarks.cluster_faults requeue --runs 3    # preempted and lost jobs of a SLURM that is
    simulated here python -m benchmarks.cluster_faults arrays --runs 3     # two arrays of the same
    trials at the same time, as above

Each run is compared with an undisturbed one on this machine: the same hashes, predictions and
table. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import descendants
from benchmarks.faults import fake_slurm

PLAN = (
    "benchmark",
    "toy",
    "--generator",
    "smote,mixup",
    "--classifier",
    "svm",
    "--seeds",
    "6",
    "--device",
    "cpu",
)
TRIALS = 30
"""Of the plan, the control of location included."""
SMALL_JOBS = """
import hsiaug.bench.engines.slurm
from hsiaug.cli.main import main

hsiaug.bench.engines.slurm.SHORTEST = 3.0
main()
"""
"""The command, with jobs of SLURM that take seconds: so few trials would be one job."""
SUSPENDED = 60.0
"""Seconds for which a worker is suspended."""


def hsiaug(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. env: of a simulated SLURM."""
    command = [sys.executable, *(["-c", SMALL_JOBS] if env else ["-m", "hsiaug"]), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def results(store: Path) -> dict[str, tuple[str, str]]:
    """Status and checksum of the predictions of every record."""
    read = (json.loads(path.read_bytes()) for path in store.glob("records/??/*/record.json"))
    return {record["hash"]: (record["status"], record["predictions_sha256"]) for record in read}


def table(store: Path) -> str:
    """The tables of a store."""
    return _anywhere(hsiaug("report", "--store", str(store)).stdout, store)


def _anywhere(text: str, store: Path) -> str:
    """A table without the path of its store, whose underscores Markdown has escaped."""
    return text.replace("\\_", "_").replace(str(store), "STORE")


def workers(pid: int) -> list[int]:
    """Descendants that are Dask workers, or processes that run trials."""
    return [
        one
        for one in descendants(pid)
        if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def dask_run(store: Path, dice: random.Random) -> str:
    """A run on two Dask workers, one process of which is killed at random; what is said of the
    kill.
    """
    command = [
        sys.executable,
        "-m",
        "hsiaug",
        *PLAN,
        "--store",
        str(store),
        "--on",
        "dask",
        "--jobs",
        "2",
    ]
    after = dice.randrange(TRIALS - 5)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        _wait(lambda: len(results(store)) >= after or run.poll() is not None)
        chosen = dice.choice(workers(run.pid) or [0])
        if chosen:
            os.kill(chosen, signal.SIGKILL)
        _, said = run.communicate(timeout=600)
    trouble = (
        ""
        if run.returncode == 0 and "Traceback" not in said
        else f"; exit {run.returncode}: {said[-300:]}"
    )
    return f"killed one process after {after} records{trouble}"


def slurm_run(store: Path, dice: random.Random) -> str:
    """Jobs of SLURM, one of which is cancelled, requeued or has its step killed, or beside which a
    second array of the same trials begins, as from a machine that knows nothing of the first; then
    that command until all is there.
    """
    words = [
        *PLAN,
        "--store",
        str(store),
        "--on",
        "slurm",
        "--cluster",
        "workers=2",
        "--cluster",
        "tasks=4",
    ]
    hsiaug(*words)
    after, how = (
        dice.randrange(TRIALS - 10),
        dice.choice(("scancel", "kill", "requeue", "second array")),
    )
    _wait(lambda: len(results(store)) >= after or not _jobs())
    if how == "scancel":
        for job in _jobs()[:1]:
            subprocess.run(["scancel", job], check=False)
    elif how == "requeue":
        for job in _jobs()[:1]:
            subprocess.run(["scontrol", "requeue", job], check=False)
    elif how == "second array":
        for file in (store / "runs").glob("*.json"):
            file.unlink()
        hsiaug(*words)
    else:
        found = subprocess.run(
            ["pgrep", "-f", "submitit.core._submit"], capture_output=True, text=True, check=False
        )
        for pid in found.stdout.split()[:1]:
            os.kill(int(pid), signal.SIGKILL)
    again = 0
    while True:
        _wait(lambda: not _jobs())
        if len(results(store)) >= TRIALS or again > 5:
            break
        again += 1
        hsiaug(*words)
    return f"{how} after {after} records, submitted {again} times more"


def two_runs(store: Path, dice: random.Random) -> str:
    """Two runs of the same plan over one store, each on two Dask workers; the second begins a
    moment later.
    """
    command = [
        sys.executable,
        "-m",
        "hsiaug",
        *PLAN,
        "--store",
        str(store),
        "--on",
        "dask",
        "--jobs",
        "2",
    ]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    after = dice.randrange(TRIALS - 5)
    with subprocess.Popen(command, **pipes) as first:
        _wait(lambda: len(results(store)) >= after or first.poll() is not None)
        with subprocess.Popen(command, **pipes) as second:
            said = [one.communicate(timeout=600) for one in (first, second)]
    codes = first.returncode, second.returncode
    same = len({table(store), *(_anywhere(out, store) for out, _ in said)}) == 1
    return (
        f"the second began after {after} records; exit codes {codes},"
        f" {'the same' if same else 'other'} tables printed"
    )


def suspended_run(store: Path, dice: random.Random) -> str:
    """A run on two Dask workers, one of which is suspended for a minute with all its processes."""
    command = [
        sys.executable,
        "-m",
        "hsiaug",
        *PLAN,
        "--store",
        str(store),
        "--on",
        "dask",
        "--jobs",
        "2",
    ]
    after = dice.randrange(1, TRIALS - 10)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        _wait(lambda: len(results(store)) >= after or run.poll() is not None)
        chosen = dice.choice(workers(run.pid) or [0])
        held = [chosen, *descendants(chosen)] if chosen else []
        for number, pause in ((signal.SIGSTOP, SUSPENDED), (signal.SIGCONT, 0.0)):
            for one in held:
                with suppress(ProcessLookupError):
                    os.kill(one, number)
            time.sleep(pause)
        _, said = run.communicate(timeout=600)
    trouble = (
        ""
        if run.returncode == 0 and "Traceback" not in said
        else f"; exit {run.returncode}: {said[-300:]}"
    )
    return f"suspended {len(held)} processes after {after} records{trouble}"


def scheduler_run(store: Path, dice: random.Random) -> str:
    """A run on a Dask scheduler that is killed and comes back with other workers; then the same
    command again.
    """
    port = dice.randrange(20000, 30000)
    words = [*PLAN, "--store", str(store), "--on", f"dask:tcp://127.0.0.1:{port}"]
    after = dice.randrange(1, TRIALS - 10)
    with dask_cluster(port) as scheduler:
        command = [sys.executable, "-m", "hsiaug", *words]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as run:
            _wait(lambda: len(results(store)) >= after or run.poll() is not None)
            scheduler.kill()
            scheduler.wait()
            with dask_cluster(port):
                _, said = run.communicate(timeout=600)
                kept = len(results(store))
                again = hsiaug(*words)
    errors = [line for line in said.splitlines() if line.startswith("error")]
    trouble = "; a traceback" if "Traceback" in said + again.stderr else ""
    return (
        f"exit code {run.returncode}, {len(errors)} error, with {kept} records; again:"
        f" {again.returncode}{trouble}"
    )


@contextmanager
def dask_cluster(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler at a port of this machine, which it gives, with a worker of two threads."""
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [
        *dask,
        "worker",
        f"tcp://127.0.0.1:{port}",
        "--nthreads",
        "2",
        "--no-nanny",
        "--no-dashboard",
    ]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with (
        subprocess.Popen(scheduler, **quiet) as serving,
        subprocess.Popen(worker, **quiet) as working,
    ):
        try:
            yield serving
        finally:
            working.kill()
            serving.kill()


def requeue_run(store: Path, dice: random.Random) -> str:
    """Jobs of a simulated SLURM, each of which is preempted or lost with its node once, and begins
    again.
    """
    cluster = Path(f"{store}-slurm")
    env = fake_slurm.make_commands(cluster)
    words = [*PLAN, "--store", str(store), "--on", "slurm", "--cluster", "tasks=4"]
    first = hsiaug(*words, env=env)
    done = []
    for job in fake_slurm.live(cluster):
        number = dice.choice((signal.SIGUSR2, signal.SIGKILL))
        after = len(results(store)) + dice.randrange(0, 4)
        _wait(
            lambda after=after, job=job: (
                len(results(store)) >= after or job not in fake_slurm.live(cluster)
            )
        )
        if fake_slurm.interrupt(cluster, job, number):
            done.append(f"{number.name} to {job}")
    _wait(lambda: not fake_slurm.live(cluster))
    again = 0
    # One that is preempted before it listens to signals ends for good.
    while len(results(store)) < TRIALS and again < 3:
        again += 1
        hsiaug(*words, env=env)
        _wait(lambda: not fake_slurm.live(cluster))
    trouble = "; a traceback" if "Traceback" in first.stderr else ""
    return f"exit code {first.returncode}; {', '.join(done)}; submitted {again} times more{trouble}"


def arrays_run(store: Path, dice: random.Random) -> str:
    """Two arrays of the same trials, the second submitted as from a machine that knows nothing of
    the first.
    """
    cluster = Path(f"{store}-slurm")
    env = fake_slurm.make_commands(cluster)
    words = [*PLAN, "--store", str(store), "--on", "slurm", "--cluster", "tasks=3"]
    codes = [hsiaug(*words, env=env).returncode]
    after = dice.randrange(0, TRIALS - 10)
    _wait(lambda: len(results(store)) >= after or not fake_slurm.live(cluster))
    for file in (store / "runs").glob("*.json"):
        file.unlink()
    codes.append(hsiaug(*words, env=env).returncode)
    both = len(fake_slurm.live(cluster))
    _wait(lambda: not fake_slurm.live(cluster))
    return f"the second began after {after} records, beside {both} jobs; exit codes {codes}"


@contextmanager
def disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of that size in a folder."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def disk_run(store: Path, dice: random.Random, *, full: bool) -> str:
    """A run whose disk is full, or becomes read-only, in its middle; then the same command with a
    good disk.
    """
    small = Path(f"{store}-disk")
    words = [*PLAN, "--store", str(small / "store"), "--jobs", "2"]
    after = dice.randrange(TRIALS - 10)
    with disk(small, f"{100 + 5 * after}k" if full else "100m"):
        command = [sys.executable, "-m", "hsiaug", *words]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as run:
            _wait(
                lambda: (
                    run.poll() is not None or (not full and len(results(small / "store")) >= after)
                )
            )
            if not full:
                _wait(lambda: _remount(small, "ro"))
            _, said = run.communicate(timeout=600)
        kept = len(results(small / "store"))
        _remount(small, "rw,size=100m")
        again = hsiaug(*words)
        shutil.copytree(small / "store", store)
    errors = [line for line in said.splitlines() if line.startswith("error")]
    trouble = "; a traceback" if "Traceback" in said + again.stderr else ""
    return (
        f"exit code {run.returncode}, {len(errors)} error, with {kept} records; again:"
        f" {again.returncode}{trouble}"
    )


def _remount(folder: Path, how: str) -> bool:
    """Change a file system. False where somebody is just writing."""
    answer = subprocess.run(
        ["mount", "-o", f"remount,{how}", str(folder)], capture_output=True, check=False
    )
    return answer.returncode == 0


def _jobs() -> list[str]:
    return subprocess.run(
        ["squeue", "-h", "-r", "-o", "%i"], capture_output=True, text=True, check=True
    ).stdout.split()


def _wait(done: Callable[[], bool]) -> None:
    while not done():
        time.sleep(0.2)


CAMPAIGNS: dict[str, Callable[[Path, random.Random], str]] = {
    "dask": dask_run,
    "slurm": slurm_run,
    "two": two_runs,
    "full": partial(disk_run, full=True),
    "readonly": partial(disk_run, full=False),
    "suspend": suspended_run,
    "scheduler": scheduler_run,
    "requeue": requeue_run,
    "arrays": arrays_run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=CAMPAIGNS)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    disturbed = CAMPAIGNS[asked.engine]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        calm = Path(folder) / "calm"
        hsiaug(*PLAN, "--store", str(calm), "--jobs", "2")
        expected, expected_table = results(calm), table(calm)
        for i in range(asked.runs):
            store = Path(folder) / str(i)
            said = disturbed(store, random.Random(asked.seed + i))
            found = results(store)
            row = {
                "run": i,
                "what": said,
                "lost": len(expected.keys() - found.keys()),
                "changed": sum(
                    found.get(hash, expected[hash]) != expected[hash] for hash in expected
                ),
                "same_table": table(store) == expected_table,
                "left": len(list(store.glob("records/.*"))),
            }
            rows.append(row)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    if asked.out is not None:
        asked.out.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
