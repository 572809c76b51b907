"""Tables of what each arm of benchmarks/ladder.toml, or of another suite, gains over the controls.

    hsiaug report --suite benchmarks/ladder.toml --out all.csv
    python -m benchmarks.ladder collect all.csv benchmarks/results/ladder/trials.csv
    python -m benchmarks.ladder table benchmarks/results/ladder/trials.csv >
    benchmarks/results/ladder/table.md

One table per scene, protocol and classifier: means of OA and AA (over the classes with at least 25
test pixels in every draw, and over all), of AA in seen and in new fields, and the mean difference
of AA to ``none`` and, for what reads unlabelled pixels, to ``pseudo`` and to the map of its
teacher, with 95 % t intervals over the draws both share. Trials of before AA was counted so have
the AA over all classes in both columns.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean

from benchmarks.common import check_usage, main_score, markdown, read_csv, say, write_csv
from hsiaug.metrics.significance import t_interval
from hsiaug.tasks.scores import AA_LARGE

SCORES = {"oa": "OA", "main": "AA", "aa": "AA all", "aa_seen": "AA seen", "aa_new": "AA new"}
DIFFERENCES = {"main": "ΔAA", "aa_new": "ΔAA new"}
TEACHER = "teacher"
"""A classifier without samples, which stands among the arms of every other."""
Draws = Mapping[str, Mapping[str, float]]
"""Scores by draw."""
KEPT = (
    "hash",
    "status",
    "error_message",
    "scene",
    "protocol",
    "protocol_argument",
    "seed",
    "classifier",
    "view",
    "view_shown",
    "lambda",
    "oa",
    "aa",
    AA_LARGE,
    "aa_seen",
    "aa_new",
    "seconds",
)


def main() -> None:
    if sys.argv[1] == "collect":
        trials = {
            row["hash"]: row for row in read_csv(Path(sys.argv[2])) if row["classifier"] != "coords"
        }
        write_csv(
            Path(sys.argv[3]),
            [{**{key: row[key] for key in KEPT}, "arm": arm_of(row)} for row in trials.values()],
        )
        return
    arms: dict[tuple[str, ...], dict[tuple[str, str], dict[str, dict[str, float]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in read_csv(Path(sys.argv[2])):
        if row["status"] == "ok":
            scores = {key: 100 * float(row[key]) for key in SCORES if row.get(key)} | {
                "main": 100 * main_score(row)
            }
            name = TEACHER if row["classifier"] == TEACHER else row["arm"]
            lam = "–" if row["arm"] == "none" else f"{float(row['lambda']):g}"
            arms[row["scene"], protocol_of(row), classifier_of(row)][lam, name][row["seed"]] = (
                scores
            )
    maps = {part[:2]: arms.pop(part) for part in list(arms) if part[2].startswith(TEACHER)}
    say("# What each arm gains over the controls")
    say(
        "\nAA is over the classes with at least 25 test pixels in every draw, AA all over every"
        " class."
    )
    for part, own in sorted(arms.items()):
        found = {**own, **maps.get(part[:2], {})}
        say(f"\n## {', '.join(part)}\n")
        say("\n".join(table(found)))


def protocol_of(row: Mapping[str, str]) -> str:
    """As typed, but for its usual argument."""
    name, argument = row["protocol"], row["protocol_argument"]
    return name if not argument or (name, argument) == ("issd", "0.05") else f"{name}:{argument}"


def classifier_of(row: Mapping[str, str]) -> str:
    """With the view, where that is not the usual one."""
    from hsiaug.core.view_names import RAW, with_view

    return with_view(row["classifier"], RAW) if row.get("view") == RAW else row["classifier"]


def arm_of(row: Mapping[str, str]) -> str:
    """The generator, with those of its parameters that are not as by default."""
    from hsiaug.registry.lookup import registry

    name, params = row["generator"], json.loads(row["generator_params"])
    usual = registry().find("generator", name).load().card.params()
    other = {key: value for key, value in params.items() if value != getattr(usual, key)}
    settings = ", ".join(
        key if isinstance(value, str) else f"{key}={value:g}"
        for key, value in sorted(other.items())
    )
    return f"{name}, {settings}" if settings else name


def table(arms: Mapping[tuple[str, str], Draws]) -> Iterator[str]:
    """The lines of one scene and classifier."""
    none, teacher = arms["–", "none"], arms.get(("–", TEACHER), {})
    controls = ("none", "pseudo", TEACHER) if teacher else ("none", "pseudo")
    differences = [f"{name} to {control}" for control in controls for name in DIFFERENCES.values()]

    def rows() -> Iterator[tuple[str, ...]]:
        for (lam, name), draws in sorted(arms.items()):
            reads = "txt2hsi" in name
            over = (none if name != "none" else {}, arms.get((lam, "pseudo"), {}) if reads else {})
            over += (teacher if reads or name == "pseudo" else {},) if teacher else ()
            gaps = [gap(draws, control, key) for control in over for key in DIFFERENCES]
            yield name, lam, str(len(draws)), *(mean(draws, key) for key in SCORES), *gaps

    yield from markdown(("arm", "λ", "draws", *SCORES.values(), *differences), rows())


def mean(draws: Draws, key: str) -> str:
    values = [scores[key] for scores in draws.values() if key in scores]
    return f"{fmean(values):.1f}" if values else "–"


def gap(draws: Draws, control: Draws, key: str) -> str:
    """Mean difference over the draws that both have, and its interval."""
    pairs = [
        draws[s][key] - control[s][key]
        for s in draws
        if s in control and key in draws[s] and key in control[s]
    ]
    if len(pairs) < 2:
        return "–"
    interval = t_interval(pairs)
    assert interval is not None
    low, high = interval
    return f"{fmean(pairs):+.1f} [{low:+.1f}, {high:+.1f}]"


if __name__ == "__main__":
    check_usage(__doc__, 2, 3)
    main()
