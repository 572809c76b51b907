"""How a plan scales with workers: a simulated cluster, with trials of recorded durations.

    python -m benchmarks.cluster_scaling --out benchmarks/results/cluster

Takes recorded trials with the seconds of their records (that which made a fit holds it), and gives
their groups to workers as the executor of an engine does, in order, on a simulated clock: each
trial takes its recorded time, and ``HANDLING`` seconds of the one process that scores and writes.
Efficiency is the seconds of all trials over workers × wall time; ``possible`` is what it would be
if the run took no longer than its longest trial, or than all of them divided evenly. The other
curves are the same plan on five and ten times as many draws.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.common import HERE, read_csv, say, write_csv

RECORDS = HERE / "results" / "cluster" / "suite.csv"
"""The 50 trials of the first line of docs/txt2hsi.md, of 5 draws: 109 s of one core."""
WORKERS = (1, 2, 4, 8, 16, 32, 50, 100, 200)
COPIES = (20, 100)
DRAWS = 5
"""Of the recorded trials."""
HANDLING = 0.005
"""Seconds that an answer takes to be scored, written and followed by the next trial."""
SAME_FIT = ("scene", "protocol", "protocol_argument", "seed", "generator", "generator_params")


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
    """Seconds until the last trial has ended, where a worker that is free begins the next group."""
    waiting = iter(groups)
    # When a trial of each worker ends, and those of its group that follow.
    running: list[tuple[float, int, list[Any]]] = []
    for number, group in enumerate(islice(waiting, workers)):
        heappush(running, (group[0].seconds, number, group[1:]))
    now = 0.0
    while running:
        end, number, rest = heappop(running)
        # The one process that scores and writes takes one answer after the other.
        now = max(now, end) + HANDLING
        if following := rest or next(waiting, None):
            heappush(running, (now + following[0].seconds, number, following[1:]))
    return now


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
