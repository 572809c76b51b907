"""How a plan scales with workers: the dispatcher of a run on a simulated cluster, with trials of
recorded durations.

    python -m benchmarks.cluster_scaling --out benchmarks/results/cluster
    mv benchmarks/results/cluster/cluster_scaling.png docs/images/

Takes recorded trials with the seconds of their records (that which made a fit holds it), and gives
them to ``bench/dispatch.py`` on a pool whose clock is simulated: each answer takes its recorded
time, and ``HANDLING`` seconds of the one process that scores and writes. Efficiency is the seconds
of all trials over workers × wall time; ``possible`` is what it would be if the run took no longer
than its longest trial, or than all of them divided evenly. The other curves are the same plan on
five and ten times as many draws.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.common import HERE, read_csv, say, write_csv
from hsiaug.bench.dispatch import Dispatch
from hsiaug.bench.engine import Event, Message, TrialEnded
from hsiaug.trial.outcome import TrialOutcome

RECORDS = HERE / "results" / "cluster" / "suite.csv"
"""The 50 trials of the first line of docs/txt2hsi.md, of 5 draws: 109 s of one core."""
WORKERS = (1, 2, 4, 8, 16, 32, 50, 100, 200)
COPIES = (20, 100)
DRAWS = 5
"""Of the recorded trials."""
HANDLING = 0.005
"""Seconds that an answer takes to be scored, written and followed by the next trial."""
SAME_FIT = ("scene", "protocol", "protocol_argument", "seed", "generator", "generator_params")


@dataclass(eq=False)
class SimulatedWorker:
    """A worker of the simulated cluster."""

    cluster: Cluster
    stage: str = "predict"
    left: list[Any] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""
        return bool(self.left)

    def send(self, trials: Any, blind: object) -> None:
        """Be busy for as long as the records say."""
        self.left = list(trials)
        self.cluster.begin(self, self.left[0].seconds)

    def answer(self) -> None:
        """A trial has ended, and the next begins."""
        self.left.pop(0)
        if self.left:
            self.cluster.begin(self, self.left[0].seconds)

    def end(self) -> None:
        """End what it runs."""
        self.left.clear()


@dataclass
class Cluster:
    """A pool with a clock of its own. now: seconds; ends: of the busy workers."""

    now: float = 0.0
    ends: list[tuple[float, int, SimulatedWorker]] = field(default_factory=list)
    all: list[SimulatedWorker] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def workers(self) -> list[SimulatedWorker]:
        """All of them."""
        return self.all

    def begin(self, worker: SimulatedWorker, seconds: float) -> None:
        """Note when a worker will answer."""
        heapq.heappush(self.ends, (self.now + seconds, next(self.numbers), worker))

    def wait(self) -> list[tuple[SimulatedWorker, Message]]:
        """The next answer; the one process that reads it is busy for a moment."""
        end, _, worker = heapq.heappop(self.ends)
        self.now = max(self.now, end) + HANDLING
        worker.answer()
        result = {"status": "ok", "error": None, "timings": {"fit_generator": 0.0}}
        return [(worker, TrialEnded(TrialOutcome(result, None)))]

    def close(self) -> None:
        """Nothing to end."""


class NoRecords:
    """Writes nothing."""

    def blind_split(self, trial: Any) -> object:
        """Nothing that a simulated worker reads."""
        return None

    def write(self, trial: Any, outcome: TrialOutcome, command: str) -> Event:
        """Nothing to keep."""
        return Event("ok", trial.hash)


def recorded_groups(copies: int) -> list[list[Any]]:
    """Trials that share a fit, the longest group first; each group so often."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for copy in range(copies):
        for row in sorted(read_csv(RECORDS), key=lambda row: row["created"]):
            fit = " ".join((str(copy), *(row[name] for name in SAME_FIT)))
            trial = SimpleNamespace(
                hash=f"{copy}-{row['hash']}",
                fit_hash=fit,
                draw_hash=f"{copy} {row['seed']}",
                generator=SimpleNamespace(name=row["generator"], hash=row["generator"]),
                third_party_parts=frozenset(),
                seconds=float(row["seconds"]),
            )
            groups[fit].append(trial)
    return sorted(groups.values(), key=lambda group: -sum(trial.seconds for trial in group))


def wall_time(groups: list[list[Any]], workers: int) -> float:
    """Seconds until the last trial has ended."""
    cluster = Cluster()
    cluster.all = [SimulatedWorker(cluster) for _ in range(workers)]
    expected = {trial.hash: trial.seconds for group in groups for trial in group}
    batch: Any = SimpleNamespace(groups=groups, commands={}, expected=expected, deadline=None)
    Dispatch(batch, cluster, NoRecords(), lambda event: None).run()  # type: ignore[arg-type]
    return cluster.now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for copies in COPIES:
        groups = recorded_groups(copies)
        total = sum(trial.seconds for group in groups for trial in group)
        longest = max(trial.seconds for group in groups for trial in group)
        plan = f"{copies} × the plan: {sum(map(len, groups))} trials in {len(groups)} groups"
        say(f"{plan}, {total:.0f} s, the longest trial {longest:.0f} s")
        for workers in WORKERS:
            wall = wall_time(groups, workers)
            share = total / workers / wall
            possible = min(1.0, total / workers / longest)
            row = {
                "copies": copies,
                "workers": workers,
                "wall": round(wall),
                "efficiency": round(share, 3),
            }
            rows.append(row | {"possible": round(possible, 3)})
            say(
                f"  {workers} workers: {wall:.0f} s, efficiency {share:.1%}, possible"
                f" {possible:.1%}"
            )
    write_csv(out / "scaling.csv", rows)
    draw(rows, out / "cluster_scaling.png")


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Efficiency against workers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for copies in sorted({row["copies"] for row in rows}):
        mine = [row for row in rows if row["copies"] == copies]
        axes.plot(
            [row["workers"] for row in mine],
            [100 * float(row["efficiency"]) for row in mine],
            marker="o",
            label=f"{copies * DRAWS} draws",
        )
    mine = [row for row in rows if row["copies"] == COPIES[0]]
    possible = [100 * float(row["possible"]) for row in mine]
    axes.plot(
        [row["workers"] for row in mine],
        possible,
        ":",
        color="#999999",
        label="no longer than its longest trial",
    )
    axes.axhline(90, color="#999999", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", xlabel="workers (simulated)", ylabel="efficiency in %", ylim=(0, 105))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
