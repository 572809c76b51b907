"""What asked labels give, with and without samples: from the records of ``asked.toml`` or
``asked_bar.toml``.

    hsiaug report --store hsiaug-results-asked --out all.csv
    python -m benchmarks.asked collect all.csv benchmarks/results/asked/trials.csv
    python -m benchmarks.asked table benchmarks/results/asked/trials.csv

AA is over the classes with at least 25 test pixels in every draw; differences are paired over
draws, with 95 % t intervals. All columns of a scene are scored on the same test pixels.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from benchmarks.common import (
    check_usage,
    main_score,
    markdown,
    read_csv,
    say,
    scored_rows,
    write_csv,
)
from hsiaug.metrics.significance import t_interval
from hsiaug.protocol.based import read_asked
from hsiaug.tasks.scores import AA_LARGE

KEPT = (
    "hash",
    "scene",
    "protocol_argument",
    "seed",
    "generator",
    "generator_version",
    "lambda",
    "classifier",
    "classifier_version",
    "oa",
    AA_LARGE,
    "aa",
    "aa_new",
    "cpu_seconds",
)
SAMPLES = ("fill", "pseudo")
"""Generators whose gain on asked labels is told, as far as they were run."""
Cell = tuple[str, str, str]
"""Classifier, generator with its λ, and what was asked: ``16 suggest``, ``0``."""
Scores = dict[Cell, dict[str, float]]


def main() -> None:
    rows = read_csv(Path(sys.argv[2]))
    if sys.argv[1] == "collect":
        write_csv(Path(sys.argv[3]), scored_rows(rows, KEPT))
        return
    scenes: dict[str, Scores] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        scenes[row["scene"]][cell_of(row)][row["seed"]] = 100 * main_score(row)
    asked = {cell[2] for own in scenes.values() for cell in own}
    ways = sorted(asked, key=lambda way: (int(way.split()[0]), "suggest" not in way))
    seeds = sorted({int(row["seed"]) for row in rows})
    say(f"# Asked labels: AA, and gains over none with none asked, draws {seeds[0]} to {seeds[-1]}")
    say("")
    for line in markdown(
        ("scene", "classifier", "generator", "draws", *ways), levels(scenes, ways)
    ):
        say(line)
    say("")
    say(
        "Of the suite, arms that are missing or – were not run. What 16 asked labels and samples"
        " give beside each other:"
    )
    say("")
    for line in markdown(
        ("scene", "classifier", "difference", "draws", "AA", "draws above 0"), differences(scenes)
    ):
        say(line)


def cell_of(row: dict[str, str]) -> Cell:
    """The cell that a trial is of."""
    said = read_asked(row["protocol_argument"])
    assert said is not None
    generator = row["generator"] + (f" λ={float(row['lambda']):g}" if float(row["lambda"]) else "")
    return row["classifier"], generator, f"{said.number} {said.strategy}" if said.number else "0"


def levels(scenes: dict[str, Scores], ways: list[str]) -> Iterator[tuple[str, ...]]:
    """A row per scene, classifier and generator, a column per number and strategy."""
    for scene, own in scenes.items():
        for classifier, generator in sorted(
            {cell[:2] for cell in own}, key=lambda arm: (arm[0], arm[1] != "none", arm[1])
        ):
            base = own.get((classifier, "none", "0"), {})
            shown = [own.get((classifier, generator, way), {}) for way in ways]
            most = max(map(len, shown))
            line = [level(v, base) + (f", n={len(v)}" if 0 < len(v) < most else "") for v in shown]
            yield scene, classifier, generator, str(most), *line


def level(own: dict[str, float], base: dict[str, float]) -> str:
    """``71.2 (+8.4 [6.1, 10.7])``; – for a cell that was not run."""
    return f"{fmean(own.values()):.1f} ({paired(own, base)})" if own else "–"


def differences(scenes: dict[str, Scores]) -> Iterator[tuple[str, ...]]:
    """Rows of what the strategy gives, and of what samples give on labels that were asked for."""
    for scene, own in scenes.items():
        arms = {cell[:2] for cell in own if not cell[1].startswith("duplicate")}
        for classifier, generator in sorted(arms):
            some, other = "16 suggest", "16 random"
            pairs = [(generator, some, generator, other)]
            if generator.split()[0] in SAMPLES:
                pairs += [(generator, some, "none", some), (generator, some, "none", "0")]
            for *this, name, way in pairs:
                left = own.get((classifier, *this), {})
                right = own.get((classifier, name, way), {})
                both = [left[seed] - right[seed] for seed in left if seed in right]
                if both:
                    above = f"{sum(v > 0 for v in both)} of {len(both)}"
                    told = f"{generator}, {some} − {name}, {way}"
                    yield scene, classifier, told, str(len(both)), paired(left, right), above


def paired(left: dict[str, float], right: dict[str, float]) -> str:
    """``+2.1 [1.0, 3.2]``: mean difference over the draws that both have, with its interval."""
    both = [left[seed] - right[seed] for seed in left if seed in right]
    if not both:
        return "–"
    interval = t_interval(both)
    span = f" [{interval[0]:.1f}, {interval[1]:.1f}]" if interval else ""
    return f"{fmean(both):+.1f}{span}".replace("-", "−")


if __name__ == "__main__":
    check_usage(__doc__, 2, 3)
    main()
