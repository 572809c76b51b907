"""What each part of txt2hsi is worth: paired differences of the arms of txt2hsi_ablation.toml, over
scenes and draws.

    hsiaug report --store hsiaug-results-txt2hsi --out report.csv
    python -m benchmarks.txt2hsi_ablation trials report.csv > trials.csv
    python -m benchmarks.txt2hsi_ablation table trials.csv > table.md

A pair is a scene and a draw. AA is over the classes with at least 25 test pixels in every draw, as
in reports.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import check_usage, say
from hsiaug.metrics.significance import t_interval
from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.tasks.scores import AA_LARGE
from hsiaug_builtin.txt2hsi.params import SHIPPED_STEPS

CLASSIFIERS = "svm", "cnn2d"


def changed(name: str, params: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """The parameters of a generator that are not at their defaults."""
    default = asdict(build_params(registry().find("generator", name).load().card, "cpu", {}))
    return frozenset(
        (key, value) for key, value in params.items() if key in default and default[key] != value
    )


def arm_name(lam: float, times: float, omega: float, settings: Mapping[str, Any]) -> str:
    """As ``txt2hsi λ=1x3 ω=0 text=fine``."""
    told = ["txt2hsi", f"λ={Rate(lam, times)}", f"ω={omega:g}"]
    return " ".join([*told, *(f"{key}={value}" for key, value in sorted(settings.items()))])


def with_parts(**settings: Any) -> str:
    """The usual arm with other settings."""
    return arm_name(1, 3, GUIDANCE, settings)


GUIDANCE: float = registry().find("generator", "txt2hsi").load().card.guidance
"""ω of the arms of runs that name none."""
FULL = with_parts()
STEPS = {"scene_steps": SHIPPED_STEPS}
LEARNT = with_parts(**STEPS)
COMPARED: dict[str, list[tuple[str, str, str]]] = {
    "Parts": [
        ("LF-UE − without", FULL, with_parts(lfue=False)),
        ("pseudo-labels − without", FULL, with_parts(pseudo=False)),
        ("network learnt on another scene − on this one", FULL, LEARNT),
        ("RPSC − without", LEARNT, with_parts(**STEPS, rpsc=False)),
        ("sentences on layout − on the class alone", LEARNT, with_parts(**STEPS, layout=False)),
        (
            "all parts − none of these",
            LEARNT,
            with_parts(**STEPS, rpsc=False, lfue=False, layout=False, pseudo=False),
        ),
        ("defaults − `gaussian`, λ=1x3", FULL, "gaussian λ=1x3"),
        ("defaults − `pseudo`, λ=1x3", FULL, "pseudo λ=1x3"),
        ("defaults − without samples", FULL, "none"),
    ],
    "Texts": [
        ("coarse − class number", with_parts(text="coarse"), with_parts(text="number")),
        ("fine − class number", with_parts(text="fine"), with_parts(text="number")),
        ("both − class number", FULL, with_parts(text="number")),
        ("fine − coarse", with_parts(text="fine"), with_parts(text="coarse")),
    ],
    "Guidance": [
        (f"ω = {omega:g} − 0", arm_name(1, 3, omega, {}), arm_name(1, 3, 0, {})) for omega in (1, 3)
    ],
    "λ, without `--times`": [
        (f"λ = {lam:g} − 0.5", arm_name(lam, 0, GUIDANCE, {}), arm_name(0.5, 0, GUIDANCE, {}))
        for lam in (1, 2, 4, 8)
    ],
}


def main() -> None:
    what, path = sys.argv[1:]
    read = pd.read_csv(path)
    say(to_csv(read) if what == "trials" else table(read))


def to_csv(report: pd.DataFrame) -> str:
    """What went well of the trials of a report, as CSV."""
    kept = report[
        report["status"].eq("ok")
        & report["classifier"].isin(CLASSIFIERS)
        & report["generator"].ne("duplicate")
    ]
    # A report has no column of large classes where all are.
    scores = {"aa": kept[AA_LARGE].fillna(kept["aa"]), "new": kept["aa_new"], "oa": kept["oa"]}
    arms = [arm_of(row) for _, row in kept.iterrows()]
    frame = kept[["scene", "seed", "classifier"]].assign(
        arm=arms, **{name: 100 * one for name, one in scores.items()}
    )
    frame = frame.sort_values(["scene", "seed", "classifier", "arm"])
    return str(frame.to_csv(index=False, float_format="%.2f")).strip()


def arm_of(trial: Mapping[str, Any]) -> str:
    """The arm of a row of a report."""
    name, lam, times = (trial[key] for key in ("generator", "lambda", "times"))
    if name == "txt2hsi":
        return arm_name(
            lam, times, trial["omega"], dict(changed(name, json.loads(trial["generator_params"])))
        )
    return "none" if name == "none" else f"{name} λ={Rate(lam, times)}"


def table(trials: pd.DataFrame) -> str:
    """Markdown: a row for each comparison, mean differences in AA with 95 % t intervals, and in new
    fields.
    """
    lines = ["# What each part of txt2hsi is worth", ""]
    lines += [
        (
            "Differences in points of AA over the classes with at least 25 test pixels: means over"
            " scenes and draws,"
        ),
        "with 95 % t intervals; in new fields; by scene.",
    ]
    for title, compared in COMPARED.items():
        for classifier, own in trials.groupby("classifier"):
            wide = own.pivot_table(index=["scene", "seed"], columns="arm", values=["aa", "new"])
            scenes = sorted(own["scene"].unique())
            lines += [
                "",
                f"## {title}, {classifier}",
                "",
                f"| | pairs | ΔAA | new | {' | '.join(scenes)} |",
            ]
            lines += ["|---|--:|--:|--:" + "|--:" * len(scenes) + "|"]
            for said, a, b in compared:
                if not {a, b} <= set(wide["aa"].columns):
                    continue
                apart = (wide["aa"][a] - wide["aa"][b]).dropna()
                new = (wide["new"][a] - wide["new"][b]).mean()
                low, high = t_interval(list(apart)) or (np.nan, np.nan)
                values = [
                    apart.mean(),
                    low,
                    high,
                    new,
                    *apart.groupby("scene").mean().reindex(scenes),
                ]
                mean, low_said, high_said, *rest = (
                    f"{value:+.1f}".replace("-", "−") for value in values
                )
                lines.append(
                    f"| {said} | {len(apart)} | {mean} [{low_said}, {high_said}] |"
                    f" {' | '.join(rest)} |"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    check_usage(__doc__, 2, 2)
    main()
