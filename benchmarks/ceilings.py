"""What is missing, by scene: gains of ceilings over ``none``, as a table and as the picture of
docs/evidence/label-worth.md.

The trials are of a version that could make such samples.

    python -m benchmarks.ceilings collect STORE benchmarks/results/ceilings/trials.csv
    python -m benchmarks.ceilings draw benchmarks/results/ceilings/trials.csv

Scores are AA over the classes with at least 25 test pixels in every draw of the scene; differences
to ``none`` are paired over the draws, with 95 % t intervals. The table goes beside the trials, as
``table.md``.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from benchmarks.common import HERE, check_usage, markdown, read_csv, say, write_csv
from hsiaug.metrics.significance import t_interval

FEWEST = 25
"""Test pixels of a class, in every draw, without which its recall does not count."""

ARMS = {
    "pseudo": "pseudo (no test label)",
    "pooled-covariance": "training mean, pooled covariance",
    "true-covariance": "training mean, own covariance",
    "true-mean": "true mean, training covariance",
    "true-moments": "true mean, own covariance",
    "true-names": "pixels that the teacher names rightly",
    "true-labels": "real pixels, true labels",
}
TITLES = {
    "indian_pines": "Indian Pines",
    "houston_crop": "Houston",
    "pavia_crop": "Pavia",
    "jasper_ridge": "Jasper Ridge",
}


def main() -> None:
    if sys.argv[1] == "collect":
        write_csv(Path(sys.argv[3]), list(collect(Path(sys.argv[2]))))
    else:
        draw(read_csv(Path(sys.argv[2])))


def collect(store: Path) -> list[dict[str, object]]:
    """A row per trial of the SVM."""
    records = [
        json.loads(path.read_text("utf-8")) for path in sorted((store / "records").rglob("*.json"))
    ]
    records = [r for r in records if r["spec"]["classifier"]["name"] == "svm"]
    fewest: dict[str, list[int]] = {}
    for r in records:
        own, known = r["metrics"]["n_test"], fewest.get(r["spec"]["scene"]["name"])
        fewest[r["spec"]["scene"]["name"]] = (
            own if known is None else [min(a, b) for a, b in zip(own, known, strict=True)]
        )
    rows = []
    for r in records:
        spec, kept = r["spec"], [n >= FEWEST for n in fewest[r["spec"]["scene"]["name"]]]
        recall = [value for value, use in zip(r["metrics"]["recall"], kept, strict=True) if use]
        scores = {"oa": r["metrics"]["oa"], "aa_all": r["metrics"]["aa"], "aa": fmean(recall)}
        rows.append(
            {
                "hash": r["hash"],
                "scene": spec["scene"]["name"],
                "seed": spec["seed"],
                "generator": spec["generator"]["name"],
                **{name: round(value, 4) for name, value in scores.items()},
                "classes": len(recall),
                "cpu_seconds": round(r["cpu_seconds"]["total"], 2),
            }
        )
    return sorted(
        rows, key=lambda row: (str(row["scene"]), str(row["generator"]), int(str(row["seed"])))
    )


def draw(rows: list[dict[str, str]]) -> None:
    """The table and the picture."""
    import matplotlib
    from matplotlib.figure import Figure

    scores: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    classes = {}
    for row in rows:
        scores[row["scene"]][row["generator"]][row["seed"]] = 100 * float(row["aa"])
        classes[row["scene"]] = row["classes"]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = figure.subplots(1, len(TITLES), sharex=True, sharey=True)
    table: dict[str, list[str]] = {arm: [text] for arm, text in ARMS.items()}
    for panel, (scene, title) in zip(panels, TITLES.items(), strict=True):
        own = scores[scene]
        for place, arm in enumerate(reversed(ARMS)):
            gains = [own[arm][seed] - own["none"][seed] for seed in sorted(own["none"])]
            low, high = t_interval(gains) or (0.0, 0.0)
            colour = "#0072b2" if arm == "pseudo" else "#555555"
            panel.plot([low, high], [place, place], color=colour, linewidth=2)
            panel.plot(fmean(gains), place, "o", color=colour)
            table[arm].append(f"{fmean(gains):+.1f} [{low:.1f}, {high:.1f}]".replace("-", "−"))
        panel.axvline(0, color="#999999", linewidth=0.8)
        panel.set_title(f"{title}: none {fmean(own['none'].values()):.1f}", fontsize=9)
        panel.set_yticks(range(len(ARMS)), list(reversed(ARMS.values())), fontsize=8)
        panel.set_xlabel("gain in AA, points", fontsize=8)
        panel.grid(axis="x", color="#eeeeee")
        panel.set_axisbelow(True)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hsiaug"}):
        figure.savefig(HERE.parent / "docs" / "images" / "ceilings.svg", metadata={"Date": None})
    header = (
        "samples",
        *(f"{title} ({classes[scene]} classes)" for scene, title in TITLES.items()),
    )
    none = ["none, AA", *(f"{fmean(scores[scene]['none'].values()):.1f}" for scene in TITLES)]
    for line in markdown(header, [none, *table.values()]):
        say(line)


if __name__ == "__main__":
    check_usage(__doc__, 2, 3)
    main()
