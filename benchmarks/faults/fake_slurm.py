"""The commands of SLURM that hsiaug and submitit call, for jobs that run on this machine: no queue,
no limits.

Jobs of an array run ``PARALLEL`` at a time. One that is requeued, by itself or because a signal
killed it as the loss of a node does, begins again under its number. ``benchmarks/slurm/setup.sh``
sets up a real SLURM.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PARALLEL = 2
MOST = 5
"""Starts of a job at most."""
NAMES = ("sbatch", "squeue", "srun", "scontrol", "scancel", "sinfo")


def make_commands(folder: Path) -> dict[str, str]:
    """Put the commands into a folder; the environment of a machine that has them."""
    for name in ("bin", "jobs", "requeued"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    words = shlex.join([sys.executable, "-S", str(Path(__file__).resolve())])
    for name in NAMES:
        path = folder / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {words} {name} {shlex.quote(str(folder))} "$@"\n')
        path.chmod(0o755)
    return {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def live(folder: Path) -> list[str]:
    """Numbers of the jobs that have not ended."""
    return sorted(path.name for path in (folder / "jobs").iterdir())


def interrupt(folder: Path, job: str, number: signal.Signals) -> bool:
    """Send a signal to the process of a job that runs; whether there was one."""
    with suppress(OSError, ValueError):
        for pid in map(int, (folder / "jobs" / job).read_text().split()):
            for one in _processes_below(pid):
                words = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
                if b"submitit.core._submit" in words:
                    os.kill(one, number)
                    return True
    return False


def _processes_below(pid: int) -> Iterable[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from _processes_below(int(child))
    yield pid


def sbatch(folder: Path, script: str) -> None:
    """Begin the jobs of an array in a process of its own."""
    number = 1
    while True:
        try:
            (folder / f"array {number}").mkdir()
            break
        except FileExistsError:
            number += 1
    lines = Path(script).read_text(encoding="utf-8").splitlines()
    array = next((line.partition("--array=")[2] for line in lines if "--array=" in line), "")
    last = int(array.split("%")[0].split("-")[-1] or 0)
    jobs = [f"{number}_{i}" for i in range(last + 1)] if array else [str(number)]
    copy = folder / f"array {number}" / "script"
    copy.write_text("\n".join(lines))
    for job in jobs:
        (folder / "jobs" / job).touch()
    words = [sys.executable, "-S", __file__, "serve", str(folder), str(copy), *jobs]
    quiet = subprocess.DEVNULL
    subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    sys.stdout.write(f"Submitted batch job {number}\n")


def serve(folder: Path, script: str, *jobs: str) -> None:
    """Run the jobs of an array."""
    waiting, running, begun = (
        list(jobs),
        dict[str, subprocess.Popen[bytes]](),
        dict.fromkeys(jobs, 0),
    )
    while waiting or running:
        while waiting and len(running) < PARALLEL:
            job = waiting.pop(0)
            begun[job] += 1
            running[job] = _start(job, script, begun[job])
            (folder / "jobs" / job).write_text(str(running[job].pid))
        time.sleep(0.05)
        for job, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[job]
            asked = folder / "requeued" / job
            # The code of a shell whose child a signal has killed.
            killed = process.returncode in (128 + signal.SIGKILL, -signal.SIGKILL)
            if (asked.exists() or killed) and begun[job] < MOST:
                asked.unlink(missing_ok=True)
                waiting.append(job)
            else:
                (folder / "jobs" / job).unlink()


def _start(job: str, script: str, count: int) -> subprocess.Popen[bytes]:
    array, _, task = job.partition("_")
    own = {"SLURM_JOB_ID": job.replace("_", "00")}
    if task:
        own |= {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": task}
    more = {
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_NTASKS": "1",
        "SLURM_PROCID": "0",
        "SLURM_NODEID": "0",
    }
    nodes = {
        "SLURM_LOCALID": "0",
        "SLURM_JOB_NODELIST": "here",
        "SLURM_RESTART_COUNT": str(count - 1),
    }
    return subprocess.Popen(["/bin/bash", script], env={**os.environ, **own, **more, **nodes})


def srun(folder: Path, *words: str) -> None:
    """Run a step in place of this process."""
    place = 0
    while words[place].startswith("-"):
        place += 2 if words[place] in ("--output", "--error") else 1
    log = os.open(
        folder / f"log {os.environ['SLURM_JOB_ID']}", os.O_WRONLY | os.O_CREAT | os.O_APPEND
    )
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.execvp(words[place], words[place:])


def scontrol(folder: Path, command: str, job: str) -> None:
    """Requeue a job, whose number may be that of its array and its place in it."""
    assert command == "requeue"
    (folder / "requeued" / job).touch()


def squeue(folder: Path, *words: str) -> None:
    """All jobs that have not ended."""
    sys.stdout.write("".join(f"{job}|RUNNING\n" for job in live(folder)))


if __name__ == "__main__":
    _, name, where, *rest = sys.argv
    globals().get(name, lambda *_: None)(Path(where), *rest)
