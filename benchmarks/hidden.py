"""What is left of a gain where no plugin looked: gains over ``none`` inside and outside hidden
blocks.

    hsiaug report --store hsiaug-results-hidden --out all.csv
    python -m benchmarks.hidden collect all.csv benchmarks/results/hidden/trials.csv
    python -m benchmarks.hidden table benchmarks/results/hidden/trials.csv

AA over the classes with test pixels there; differences are paired over draws, with 95 % t
intervals.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from benchmarks.common import check_usage, markdown, read_csv, say, scored_rows, write_csv
from hsiaug.metrics.significance import t_interval

KEPT = (
    "hash",
    "scene",
    "seed",
    "generator",
    "classifier",
    "oa",
    "aa",
    "aa_shown",
    "aa_hidden",
    "cpu_seconds",
)
ARMS = (("pseudo", "svm"), ("txt2hsi", "svm"), ("none", "teacher"))
PARTS = ("aa_shown", "aa_hidden")


def main() -> None:
    rows = read_csv(Path(sys.argv[2]))
    if sys.argv[1] == "collect":
        write_csv(Path(sys.argv[3]), scored_rows(rows, KEPT))
        return
    say(
        "# Gains over none of the SVM, in ground that plugins saw (shown) and in hidden blocks,"
        " draws 100 to 105"
    )
    say("")
    for line in markdown(("scene", "none: visible", "hidden", *heads()), table(rows)):
        say(line)


def heads() -> Iterator[str]:
    """Two columns for each arm."""
    for generator, classifier in ARMS:
        yield f"{classifier if generator == 'none' else generator}: visible"
        yield "hidden"


def table(rows: list[dict[str, str]]) -> Iterator[tuple[str, ...]]:
    """A row per scene."""
    scores: dict[str, dict[tuple[str, str], dict[str, dict[str, str]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in rows:
        scores[row["scene"]][row["generator"], row["classifier"]][row["seed"]] = row
    for scene, own in scores.items():
        none = own["none", "svm"]
        line = [
            scene,
            *(f"{100 * fmean(float(r[part]) for r in none.values()):.1f}" for part in PARTS),
        ]
        for arm in ARMS:
            for part in PARTS:
                gains = [
                    100 * (float(r[part]) - float(none[seed][part])) for seed, r in own[arm].items()
                ]
                low, high = t_interval(gains) or (0.0, 0.0)
                line.append(f"{fmean(gains):+.1f} [{low:.1f}, {high:.1f}]".replace("-", "−"))
        yield tuple(line)


if __name__ == "__main__":
    check_usage(__doc__, 2, 3)
    main()
