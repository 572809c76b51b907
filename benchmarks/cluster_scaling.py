"""How a plan scales with workers: the dispatcher of a run on a simulated cluster, with trials of recorded durations.

    python -m benchmarks.cluster_scaling --out benchmarks/results/cluster

Takes the trials of benchmarks/txt2hsi_claims.toml with the seconds of their records (that which made a fit holds
it), and gives them to ``bench/execute.py`` on a pool whose clock is simulated: each answer takes its recorded
time, and ``HANDLING`` seconds of the one process that scores and writes. Efficiency is the seconds of all trials
over workers × wall time. The second curve is the same plan on ten times as many draws.
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
from hsiaug.bench.engine import Message, TrialEnded
from hsiaug.bench.execute import Dispatch, Event, Work
from hsiaug.trial.run import Outcome

RECORDS = HERE / "results" / "txt2hsi_claims" / "trials.csv"
WORKERS = (1, 2, 4, 8, 16, 32, 50, 100, 200)
HANDLING = 0.02
"""Seconds that an answer takes to be scored, written and followed by the next trial."""
SAME_FIT = ("scene", "protocol", "protocol_argument", "seed", "generator", "generator_params")


@dataclass(eq=False)
class Slot:
    """A worker of the simulated cluster."""

    cluster: Cluster
    busy: bool = False
    gpu: bool = True

    def send(self, trial: Any, blind: object) -> None:
        """Be busy for as long as the record says."""
        self.busy = True
        self.cluster.begin(self, trial.seconds)

    def end(self) -> None:
        """Nothing runs that could be stopped."""


@dataclass
class Cluster:
    """A pool with a clock of its own. now: seconds; ends: of the busy slots."""

    now: float = 0.0
    ends: list[tuple[float, int, Slot]] = field(default_factory=list)
    all: list[Slot] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def slots(self) -> list[Slot]:
        """All of them."""
        return self.all

    def begin(self, slot: Slot, seconds: float) -> None:
        """Note when a slot will answer."""
        heapq.heappush(self.ends, (self.now + seconds, next(self.numbers), slot))

    def wait(self) -> list[tuple[Slot, Message]]:
        """The next answer; the one process that reads it is busy for a moment."""
        end, _, slot = heapq.heappop(self.ends)
        self.now = max(self.now, end) + HANDLING
        slot.busy = False
        return [(slot, TrialEnded(Outcome({"status": "ok", "error": None}, None)))]

    def close(self) -> None:
        """Nothing to end."""


class Ledger:
    """Writes nothing."""

    def blind(self, trial: Any) -> object:
        """No split is needed."""
        return None

    def write(self, trial: Any, outcome: Outcome, command: str) -> Event:
        """The event of a trial that went well."""
        return Event("ok", trial.hash)


def recorded_groups(copies: int) -> list[list[Any]]:
    """Trials that share a fit, the longest group first; each group so often."""
    groups: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for copy in range(copies):
        for row in read_csv(RECORDS):
            key = (str(copy), *(row[name] for name in SAME_FIT))
            groups[key].append(SimpleNamespace(hash=f"{copy}-{row['hash']}", seconds=float(row["seconds"])))
    return sorted(groups.values(), key=lambda group: -sum(trial.seconds for trial in group))


def wall_time(groups: list[list[Any]], workers: int) -> float:
    """Seconds until the last trial has ended."""
    cluster = Cluster()
    cluster.all = [Slot(cluster) for _ in range(workers)]
    work = (Work(tuple(group), {}) for group in groups)
    Dispatch(work, cluster, Ledger(), False, lambda event: None).run()  # type: ignore[arg-type]
    return cluster.now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for copies in (1, 10):
        groups = recorded_groups(copies)
        total = sum(trial.seconds for group in groups for trial in group)
        longest = max(sum(trial.seconds for trial in group) for group in groups)
        plan = f"{copies} × the plan: {sum(map(len, groups))} trials in {len(groups)} groups"
        say(f"{plan}, {total:.0f} s, the longest group {longest:.0f} s")
        for workers in WORKERS:
            wall = wall_time(groups, workers)
            share = total / workers / wall
            rows.append({"copies": copies, "workers": workers, "wall": round(wall), "efficiency": round(share, 3)})
            say(f"  {workers} workers: {wall:.0f} s, efficiency {share:.1%}")
    write_csv(out / "scaling.csv", rows)
    draw(rows, HERE.parent / "docs" / "images" / "cluster_scaling.png")


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
            label=f"{copies} × benchmarks/txt2hsi_claims.toml" if copies > 1 else "benchmarks/txt2hsi_claims.toml",
        )
    axes.axhline(90, color="#999999", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", xlabel="workers (simulated)", ylabel="efficiency in %", ylim=(0, 105))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
