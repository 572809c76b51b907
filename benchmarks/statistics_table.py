"""The table of `statistics` beside its controls: benchmarks/results/moments.

    python -m benchmarks.make_scenes FOLDER        (for the small scenes; see there)
    hsiaug benchmark SCENE --generator none,smote,gaussian,pseudo,statistics \\
        --classifier svm,filtered:svm --lambda 0.5 --times 3 --seeds 500-509 --store STORE
    python -m benchmarks.statistics_table STORE > benchmarks/results/moments/splits.md

SCENE is indian_pines, and each of the cards of benchmarks/scenes. Writes the trials and the gains,
with corrected intervals, beside the table, which it prints: means over the splits of the AA over
classes with at least 25 test pixels, and paired differences to it. Of the suite
benchmarks/statistics_arms.toml it is called with ``arms`` behind the store.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import hsiaug
from benchmarks.common import HERE, check_usage, markdown, say

OUT = HERE / "results" / "moments"
TRIAL = ["hash", "scene", "seed", "generator", "generator_version", "generator_params", "lambda"]
TRIAL += ["times", "classifier", "view_shown", "oa", "aa", "aa_min25_pixels", "aa_seen", "aa_new"]
GAIN = ["scene", "generator", "classifier", "over", "gain", "low", "high", "draws", "verdict"]


def main() -> None:
    """Write the CSV files and print the table."""
    store = hsiaug.read_store(Path(sys.argv[1]))
    name = (sys.argv[2:] or ["splits"])[0]
    OUT.mkdir(exist_ok=True)
    trials = store.frame()[[*TRIAL, "fit_seconds"]].round(5)
    # Where every class has as many test pixels, there is one AA.
    trials["aa_min25_pixels"] = trials["aa_min25_pixels"].fillna(trials["aa"])
    trials.sort_values(["scene", "classifier", "generator", "seed"]).to_csv(
        OUT / f"{name}.csv", index=False
    )
    gains = store.gain()[GAIN].round(2)
    gains.to_csv(OUT / f"{name}_gains.csv", index=False)
    alone = trials[trials["generator"] == "none"].groupby(["scene", "classifier"])
    none = (100 * alone["aa_min25_pixels"].mean()).round(1)
    say("\n".join(table(gains, none)))


def table(gains: pd.DataFrame, none: pd.Series) -> list[str]:
    """Rows of scenes and classifiers: AA without samples, gains over none, gains over pseudo."""
    over_none = gains[gains["over"] == "none"]
    generators = list(dict.fromkeys(over_none["generator"]))
    rows = []
    for (scene, classifier), group in gains.groupby(["scene", "classifier"], sort=False):
        if not (group["over"] == "none").any():
            continue
        found = {(row.generator, row.over): row for row in group.itertuples()}
        rows.append(
            (
                scene,
                classifier,
                f"{none[scene, classifier]:.1f}",
                *(words(found.get((generator, "none"))) for generator in generators),
                words(found.get(("statistics", "pseudo"))),
            )
        )
    header = ("scene", "classifier", "none", *generators, "statistics minus pseudo")
    return list(markdown(header, rows))


def words(row: object) -> str:
    """A gain with its interval and verdict."""
    if row is None:
        return "–"
    interval = "" if pd.isna(row.low) else f" [{row.low:.1f}, {row.high:.1f}]"
    return f"{row.gain:+.1f}{interval}"


if __name__ == "__main__":
    check_usage(__doc__, 1, 2)
    main()
