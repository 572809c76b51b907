"""Noise against weight: the table of benchmarks/txt2hsi_grid.toml.

    hsiaug report --suite benchmarks/txt2hsi_grid.toml --out all.csv
    python -m benchmarks.ladder collect all.csv benchmarks/results/txt2hsi_grid/trials.csv
    python -m benchmarks.txt2hsi_grid benchmarks/results/txt2hsi_grid/trials.csv

For each scene, gains of the SVM in AA over ``none``, and what more noise gives than the least at
the same weight, paired over draws, with 95 % t intervals. The table goes beside the trials.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean

from benchmarks.common import check_usage, main_score, markdown, read_csv
from hsiaug.metrics.significance import t_interval

USUAL = {"strength": 1.0, "weight": 0.05}
"""Defaults, which an arm does not name."""
STRENGTHS, WEIGHTS = (0.1, 0.3, 0.6, 1.0), (0.05, 0.3, 1.0)
Draws = Mapping[str, float]
"""AA in percent by draw."""


def main() -> None:
    source = Path(sys.argv[1])
    found: dict[str, dict[object, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in read_csv(source):
        if row["status"] == "ok":
            name = row["classifier"] if row["classifier"] == "teacher" else setting(row["arm"])
            found[row["scene"]][name][row["seed"]] = 100 * main_score(row)
    lines = ["# Txt2HSI: noise that sampling starts from, and weight of a sample", ""]
    lines += ["SVM, `issd`, λ = 1, AA over the classes with at least 25 test pixels in every draw."]
    for scene, arms in found.items():
        none, draws = arms["none"], len(arms["none"])
        lines += ["", f"## {scene}", ""]
        lines += [
            f"{draws} selection draws; `none` {fmean(none.values()):.1f}. " + others(arms),
            "",
        ]
        lines += markdown(
            ("strength", *heads("over none"), *heads("over strength 0.1")), rows(arms)
        )
    source.with_name("table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setting(arm: str) -> object:
    """(strength, weight) of txt2hsi; the name of any other arm."""
    if not arm.startswith("txt2hsi"):
        return arm
    own = USUAL | {
        key: float(value) for key, value in re.findall(r"(strength|weight)=([0-9.]+)", arm)
    }
    return own["strength"], own["weight"]


def others(arms: Mapping[object, Draws]) -> str:
    """The controls, in a sentence."""
    shown = (
        f"`{name}` {gap(arms[name], arms['none'])}" for name in ("duplicate", "pseudo", "teacher")
    )
    return f"Over it: {', '.join(shown)}."


def heads(over: str) -> tuple[str, ...]:
    return tuple(f"weight {weight:g} {over}" for weight in WEIGHTS)


def rows(arms: Mapping[object, Draws]) -> Iterator[tuple[str, ...]]:
    """A row per strength."""
    for strength in STRENGTHS:
        own = [arms[strength, weight] for weight in WEIGHTS]
        least = [arms[STRENGTHS[0], weight] for weight in WEIGHTS]
        more = ["–"] * len(own) if strength == STRENGTHS[0] else list(map(gap, own, least))
        yield f"{strength:g}", *(gap(draws, arms["none"]) for draws in own), *more


def gap(draws: Draws, control: Draws) -> str:
    """Mean difference over the draws that both have, and its interval."""
    pairs = [draws[seed] - control[seed] for seed in draws if seed in control]
    interval = t_interval(pairs)
    return f"{fmean(pairs):+.1f}" + (
        f" [{interval[0]:+.1f}, {interval[1]:+.1f}]" if interval else ""
    )


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
