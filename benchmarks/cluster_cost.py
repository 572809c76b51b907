"""How cost grows: what ``--dry-run`` says that a plan takes against what it took, and what a
million trials cost.

    python -m benchmarks.cluster_cost --measure     # on an idle machine of two cores; about ten
    minutes python -m benchmarks.cluster_cost               # the million alone, from committed
    records; seconds

Measured are smote with svm and cnn2d on 4 draws of Indian Pines, over a store that holds another
draw: the durations that the dry run multiplies. Prints a table in Markdown each.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.cluster_scaling import RECORDS
from benchmarks.common import hsiaug, markdown, read_csv, say

PLAN = (
    "benchmark",
    "indian_pines",
    "--generator",
    "smote",
    "--classifier",
    "svm,cnn2d",
    "--device",
    "cpu",
)
PLACES = {
    "`--jobs 1`": ("--jobs", "1"),
    "`--jobs 2`": ("--jobs", "2"),
    "`--on dask --jobs 2`": ("--on", "dask", "--jobs", "2"),
}
MILLION = 1_000_000
OVERHEAD = {"local": 0.005, "Dask": 0.004}
"""Seconds of the command's process per trial: benchmarks/results/cluster/README.md."""
RECORD = 28 * 1024
"""Bytes on a disk of blocks of 4 kB: two files and a folder, of Indian Pines."""


def measured() -> None:
    """Predicted and measured seconds of the same plan in several places."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        calibrated = Path(folder) / "calibrated"
        hsiaug((*PLAN, "--seeds", "9-9", "--jobs", "1", "--store", str(calibrated)))
        for name, where in PLACES.items():
            store = Path(folder) / "store"
            shutil.copytree(calibrated, store)
            words = (*PLAN, "--seeds", "4", *where, "--store", str(store))
            plan = json.loads(hsiaug((*words, "--dry-run", "--json")))
            start = time.perf_counter()
            hsiaug(words)
            took = time.perf_counter() - start
            seconds = plan["seconds"]
            ratio = f"{took / seconds:.2f}"
            rows.append(
                (name, str(len(plan["to_run"])), f"{seconds:.0f} s", f"{took:.0f} s", ratio)
            )
            shutil.rmtree(store)
    say("\n".join(markdown(("", "trials", "predicted", "measured", "measured ÷ predicted"), rows)))


def million() -> None:
    """Hours of one core by the mean of the recorded seconds, and what the framework adds."""
    rows = read_csv(RECORDS)
    plain = [row for row in rows if row["generator"] == "none"]
    plans = {
        "svm alone": [row for row in plain if row["classifier"] == "svm"],
        "cnn2d alone": [row for row in plain if row["classifier"] == "cnn2d"],
        "the first line of docs/txt2hsi.md": rows,
    }
    table = []
    for name, members in plans.items():
        mean = statistics.fmean(float(row["seconds"]) for row in members)
        hours = MILLION * mean / 3600
        table.append((name, f"{mean:.1f} s", f"{hours:,.0f}", f"{hours / 200:.1f} h"))
    say(
        "\n".join(
            markdown(
                ("a million trials of", "a trial", "hours of one core", "on 200 workers"), table
            )
        )
    )
    for name, seconds in OVERHEAD.items():
        hours, rate = MILLION * seconds / 3600, 1 / seconds
        say(
            f"{name}: the command's process works {hours:.1f} hours, and serves {rate:.0f} trials a"
            " second at most"
        )
    say(f"records: {MILLION * RECORD / 1e9:.0f} GB, {3 * MILLION:,} inodes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    if parser.parse_args().measure:
        measured()
    million()


if __name__ == "__main__":
    main()
