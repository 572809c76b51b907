"""How busy 64, 200 and 10,000 workers are at a second a trial: a discrete-event simulation of a run
on Dask.

    python -m benchmarks.cluster_workers --out benchmarks/results/scale

Trials are put into tasks by ``bench/engines/chunks.py``; each worker has a task and, while more
than half a task is left for each, its next one, as in ``bench/engines/dask.py``. The command's
process, and the scheduler, do one thing after the other. A task starts a process, and then runs one
trial after the other. COSTS are measured on Indian Pines: benchmarks/results/scale/README.md.
Prints how busy workers are from the first task to the last trial, and how busy the command's
process and the scheduler: the first to reach 100 % bounds the number of workers. The plan is made
before, and is not counted.
"""

from __future__ import annotations

import argparse
import heapq
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.common import markdown, say, write_csv
from hsiaug.bench.engines.chunks import chunks_of, seconds_of
from hsiaug.bench.engines.dask import MAX_TASK_SECONDS, SHARE

SECONDS = 1.0
"""Of a trial."""
WORKERS = (64, 200, 1000, 2000, 5000, 10_000)
TRIALS = 600
"""Of a worker."""
GROUP = 20
"""Trials that share a fit, and stay together."""


@dataclass(frozen=True)
class Costs:
    """Processor seconds of the command's process (parent) and of the scheduler, by trial and by
    task; those of a worker: the start of a task's process, and what a trial takes beside its own
    seconds.
    """

    parent_trial: float
    parent_task: float
    scheduler_task: float
    start: float
    trial: float


COSTS = Costs(
    parent_trial=0.0007, parent_task=0.0043, scheduler_task=0.0035, start=0.97, trial=0.021
)


def simulate(workers: int, costs: Costs) -> dict[str, float]:
    """Shares of the time in which workers run trials, and in which the command's process and the
    scheduler are at work.
    """
    trials = [SimpleNamespace(hash=str(i)) for i in range(GROUP)]
    batch: Any = SimpleNamespace(expected={trial.hash: SECONDS for trial in trials})
    pieces: Any = [(batch, trials)] * math.ceil(workers * TRIALS / GROUP)
    chunks = chunks_of(
        pieces, len(pieces), min(MAX_TASK_SECONDS, seconds_of(pieces) / (SHARE * workers))
    )
    waiting = [sum(len(group) for _, group in chunk) for chunk in chunks][::-1]
    parent = scheduler = end = busy = 0.0
    spent = {"parent": 0.0, "scheduler": 0.0}
    ends: list[tuple[float, int, int]] = []
    free, under_way = [0.0] * workers, [0] * workers

    def submit(now: float, worker: int) -> None:
        nonlocal parent, scheduler, busy
        size = waiting.pop()
        parent = max(parent, now) + costs.parent_task
        scheduler = max(scheduler, parent) + costs.scheduler_task
        spent["parent"] += costs.parent_task
        spent["scheduler"] += costs.scheduler_task
        busy += size * SECONDS
        free[worker] = max(scheduler, free[worker]) + costs.start + size * (SECONDS + costs.trial)
        under_way[worker] += 1
        heapq.heappush(ends, (free[worker], worker, size))

    def fill(now: float, worker: int, most: int) -> None:
        while waiting and under_way[worker] < min(most, 1 + (2 * len(waiting) > workers)):
            submit(now, worker)

    for most in (1, 2):
        for worker in range(workers):
            fill(0.0, worker, most)
    while ends:
        end, worker, size = heapq.heappop(ends)
        under_way[worker] -= 1
        parent = max(parent, end) + size * costs.parent_trial
        spent["parent"] += size * costs.parent_trial
        fill(parent, worker, 2)
    return {
        "workers": workers,
        "trials": workers * TRIALS,
        "tasks": len(chunks),
        "busy": busy / (workers * end),
        "parent": spent["parent"] / end,
        "scheduler": spent["scheduler"] / end,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    say(str({key: round(1000 * value, 2) for key, value in asdict(COSTS).items()}) + " ms")
    rows = [
        {key: round(value, 4) for key, value in simulate(workers, COSTS).items()}
        for workers in WORKERS
    ]
    write_csv(asked.out / "cluster_workers.csv", rows)
    shares = ("busy", "parent", "scheduler")
    table = [
        (str(r["workers"]), str(r["tasks"]), *(f"{r[key]:.1%}" for key in shares)) for r in rows
    ]
    say("\n".join(markdown(("workers", "tasks", "busy", "command's process", "scheduler"), table)))


if __name__ == "__main__":
    main()
