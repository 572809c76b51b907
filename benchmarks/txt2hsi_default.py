"""What the samples of ``txt2hsi`` bring on four scenes, and what its network adds.

    hsiaug report --suite benchmarks/txt2hsi_default.toml --out default.json
    python -m benchmarks.txt2hsi_default default.json

Writes trials.csv and table.md to benchmarks/results/txt2hsi_default/. Gains over controls and their
intervals are those of the report; the one over ``gaussian``, which is an arm and no control, is
computed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks.common import HERE, check_usage, markdown, write_csv
from hsiaug.metrics.significance import t_interval
from hsiaug.tasks.scores import AA_LARGE

OUT = HERE / "results" / "txt2hsi_default"
SCENES = {
    "indian_pines": "Indian Pines",
    "houston_crop": "Houston crop",
    "pavia_crop": "Pavia crop",
    "jasper_ridge": "Jasper Ridge",
}
CLASSIFIERS = {"cnn2d": "CNN", "svm": "SVM"}
GENERATORS = ("none", "pseudo", "gaussian", "txt2hsi")
COLUMNS = (
    "hash",
    "scene",
    "seed",
    "generator",
    "generator_version",
    "lambda",
    "times",
    "omega",
    "classifier",
    "classifier_version",
    "oa",
    "aa",
    AA_LARGE,
    "kappa",
    "aa_new",
)
"""Columns of trials.csv; AA_LARGE is AA over the classes with at least 25 test pixels."""
HEADS = (
    "scene",
    "classifier",
    "samples",
    "OA",
    "AA",
    "AA, new fields",
    "AA over none",
    "over `gaussian`",
    "over `pseudo`",
)
Row = Mapping[str, Any]


def main() -> None:
    """Write both files."""
    report = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    trials = [row for row in report["trials"] if row["status"] == "ok"]
    trials = [row for row in trials if row["classifier"] in CLASSIFIERS]
    for row in trials:
        # Absent where every class has enough test pixels.
        row.setdefault(AA_LARGE, row["aa"])
    OUT.mkdir(exist_ok=True)
    write_csv(OUT / "trials.csv", [{name: row[name] for name in COLUMNS} for row in trials])
    rows = table_rows(trials, report["gains"])
    text = [
        "# What the samples of txt2hsi bring, and what its network adds",
        "",
        "Draws 140 to 149, `issd`, λ = 1, M = 3, ω = 0. AA is over the classes with at least 25"
        " test pixels in every draw; mean ± std over draws. Gains are in points and paired over"
        " draws, with 95 % intervals: over `none` and `pseudo` corrected for all arms of a scene,"
        " over `gaussian` a t interval of this one comparison.",
        "",
        *markdown(HEADS, rows),
    ]
    (OUT / "table.md").write_text("\n".join(text) + "\n", "utf-8")


def table_rows(trials: Sequence[Row], gains: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """A row for each scene, classifier and generator.

    Parameters
    ----------
    trials : sequence of mapping
        The trials of a report in JSON.
    gains : sequence of mapping
        Its gains, each of one arm over one control.

    Yields
    ------
    tuple of str
        The cells under `HEADS`.
    """
    for scene, title in SCENES.items():
        for classifier, short in CLASSIFIERS.items():
            for generator in GENERATORS:
                cell = {"scene": scene, "classifier": classifier, "generator": generator}
                rows = having(trials, cell)
                if not rows:
                    continue
                overs = {row["over"]: with_interval(row) for row in having(gains, cell)}
                if generator == "txt2hsi":
                    baseline = having(trials, cell | {"generator": "gaussian"})
                    overs["gaussian"] = paired_gain(rows, baseline)
                yield (
                    title,
                    short,
                    f"`{generator}`",
                    *(mean_std(rows, score) for score in ("oa", AA_LARGE, "aa_new")),
                    *(overs.get(control, "") for control in ("none", "gaussian", "pseudo")),
                )


def having(rows: Sequence[Row], cell: Row) -> list[Row]:
    """The rows that hold these values."""
    return [row for row in rows if all(row[name] == value for name, value in cell.items())]


def mean_std(rows: Sequence[Row], score: str) -> str:
    """Mean and standard deviation of a score over draws, in percent."""
    values = [100 * row[score] for row in rows if row[score] is not None]
    return f"{fmean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else ""


def paired_gain(rows: Sequence[Row], baseline: Sequence[Row]) -> str:
    """The gain of AA over a baseline of the same draws, with its t interval."""
    before = {row["seed"]: row[AA_LARGE] for row in baseline}
    gains = [100 * (row[AA_LARGE] - before[row["seed"]]) for row in rows if row["seed"] in before]
    interval = t_interval(gains)
    if interval is None:
        return ""
    return with_interval({"gain": fmean(gains), "low": interval[0], "high": interval[1]})


def with_interval(row: Row) -> str:
    """A gain in points with its interval."""
    return f"{row['gain']:+.1f} [{row['low']:.1f}, {row['high']:.1f}]".replace("-", "−")


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
