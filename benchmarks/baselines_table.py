"""The short tables of docs/baselines.md, from the trials of baselines.toml.

    python -m benchmarks.baselines_table benchmarks/results/baselines/trials.csv

One per run: for each classifier OA and AA (%, mean ± std, ddof 1) on the real samples alone, in seen and in new fields
where the trials tell them apart, AA with duplicated and with interpolated samples, and what a trial costs: seconds by the
clock, processor seconds, and the peak memory of its process.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.common import read_csv, say

ARMS = ("none", "duplicate", "smote")
Row = dict[str, str]


def main() -> None:
    rows = [row for row in read_csv(Path(sys.argv[1])) if row["status"] == "ok"]
    for row in rows:  # trials from before fields were told apart have none
        row.update({key: row.get(key) or "" for key in ("aa_seen", "aa_new")})
    for run in dict.fromkeys(row["run"] for row in rows):
        say("\n".join(table(run, [row for row in rows if row["run"] == run])) + "\n")


def table(run: str, rows: Sequence[Row]) -> Iterator[str]:
    """The lines of one run."""
    draws = len({row["seed"] for row in rows})
    yield f"### {run}: {rows[0]['scene']}, {rows[0]['protocol']}:{rows[0]['protocol_argument']}, {draws} draws\n"
    arms = [arm for arm in ARMS if arm in {row["generator"] for row in rows}]
    arms += sorted({row["generator"] for row in rows} - set(arms))
    fields = {"aa_seen": "AA seen, none", "aa_new": "AA new, none"} if any(row["aa_new"] for row in rows) else {}
    heads = ["OA, none", *fields.values(), *(f"AA, {arm}" for arm in arms)]
    yield f"| classifier | {' | '.join(heads)} | trial s | CPU s | memory MB |"
    yield "|---|" + "--:|" * (len(heads) + 3)
    for classifier in sorted({row["classifier"] for row in rows}):
        mine = [row for row in rows if row["classifier"] == classifier]
        by_arm = {arm: [row for row in mine if row["generator"] == arm] for arm in ("none", *arms)}
        scores = [spread(by_arm["none"], key) for key in ("oa", *fields)]
        scores += [spread(by_arm[arm], "aa") for arm in arms]
        costs = [f"{mean(mine, 'seconds'):.1f}", f"{mean(mine, 'cpu_seconds'):.1f}"]
        yield f"| `{classifier}` | {' | '.join(scores + costs)} | {mean(mine, 'peak_memory_mb'):,.0f} |"


def spread(rows: Sequence[Row], key: str) -> str:
    """Mean ± standard deviation of a metric in %."""
    values = [100 * float(row[key]) for row in rows if row[key]]
    if len(values) < 2:
        return f"{values[0]:.1f}" if values else "–"
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


def mean(rows: Sequence[Row], key: str) -> float:
    """Mean of a column."""
    return statistics.mean(float(row[key]) for row in rows)


if __name__ == "__main__":
    main()
