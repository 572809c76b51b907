"""What the pairs of SpecDM and of its single-stream baseline are like, over the draws of specdm.toml.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_quality STORE [RUN ...]

Takes the fits of the suite from the store's cache (and makes what is not there), samples as many pairs as there are
real ones, measures them as ``hsiaug inspect`` does, and writes quality.csv, quality.md and one contact sheet per data set
to benchmarks/results/specdm/. In the table: mean over draws, beside the floor between real tiles, and the ratio
single-stream / two-stream that the paper's Tables 1 and 2 are about. ``classes`` is how many of the training classes the
pairs show: mSAD is over classes that both sets have, so a generator that makes few of them looks better by it.
"""

from __future__ import annotations

import csv
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsiaug.plugins.registry import registry
from hsiaug.quality.pair_inspection import inspect_pairs_of
from hsiaug.quality.pairs import MadePairs, PairRequest, make_pairs
from hsiaug.quality.sheets import contact_sheet
from hsiaug.trial.task import get_task

HERE = Path(__file__).parent
OUT = HERE / "results" / "specdm"
DATA = {
    "houston": ("segmentation", str(HERE / "scenes" / "houston_crop.toml"), None),
    "jasper": ("segmentation", str(HERE / "scenes" / "jasper_ridge.toml"), None),
    "samson": ("segmentation", str(HERE / "scenes" / "samson.toml"), None),
    "oscd": ("change", "oscd", "places:100"),
}
ARMS: dict[str, tuple[str, dict[str, str]]] = {
    "specdm": ("specdm", {}),
    "ldm_single": ("ldm_single", {}),
    "specdm sad=0": ("specdm", {"sad": "0.0"}),
}
WITHOUT_SAD = ("houston", "jasper")
DRAWS = range(3)
RECONSTRUCTION = ("reconstruction_rmse", "reconstruction_sad", "reconstruction_ce", "reconstruction_miou")
SHOWN = (
    "fd_image",
    "fd_mask",
    "classes",
    "msad",
    "shares",
    "segments",
    "adjacency",
    "copying",
    "wrong",
    "reconstruction_sad",
)


def main() -> None:
    store, names = Path(sys.argv[1]), sys.argv[2:] or list(DATA)
    OUT.mkdir(parents=True, exist_ok=True)
    rows = read()
    done = {(row["data"], row["arm"], row["draw"]) for row in rows}
    for draw in DRAWS:
        for name in names:
            task, ref, protocol = DATA[name]
            data = get_task(task).load(ref)
            made: dict[str, MadePairs] = {}
            for arm, (generator, settings) in ARMS.items():
                if (name, arm, str(draw)) in done or (arm == "specdm sad=0" and name not in WITHOUT_SAD):
                    continue
                request = PairRequest(task, generator, protocol=protocol, seed=draw, overrides=settings)
                made[arm] = make_pairs(data, request, registry(), folder=store / "cache")
                rows.append({"data": name, "arm": arm, "draw": str(draw), **measured(made[arm])})
                write(rows)
            if draw == 0 and made:
                first = next(iter(made.values()))
                groups = [("real", first.view.real.take(spread(len(first.view.real))))]
                groups += [(arm, pairs.samples) for arm, pairs in made.items()]
                contact_sheet(OUT / f"{name}.png", groups, data.class_names, data.wavelengths)
    write(rows)


def spread(n: int) -> Any:
    import numpy as np

    return np.linspace(0, n - 1, min(8, n)).round().astype(int)


def measured(made: MadePairs) -> dict[str, Any]:
    """Every measure and its floor, reliability, and what the generator says of its reconstruction."""
    report = inspect_pairs_of(made)
    row: dict[str, Any] = {"pairs": len(made.samples), "fit_seconds": round(made.fit_seconds, 1)}
    for measure in (*report.fidelity.measures, *report.reliability.measures):
        row[measure.name], row[f"{measure.name}_floor"] = measure.value, measure.floor
    row["wrong"] = report.reliability.wrong
    learnt = [share for share in report.fidelity.by_class.values() if share["train"]]
    row["classes"], row["classes_floor"] = sum(bool(share["made"]) for share in learnt), len(learnt)
    scores = {score.name: score for score in report.reliability.scores}
    for name in ("joint", "coupling"):
        if name in scores:
            row |= {f"{name}_value": scores[name].value, f"{name}_ceiling": scores[name].ceiling}
            row[f"{name}_floor"] = scores[name].floor
    row |= {key: made.samples.provenance.get(key) for key in RECONSTRUCTION}
    return row


def read() -> list[dict[str, Any]]:
    path = OUT / "quality.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]


def write(rows: list[dict[str, Any]]) -> None:
    fields = list(dict.fromkeys(key for row in rows for key in row))
    with (OUT / "quality.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (OUT / "quality.md").write_text("\n".join(table(rows)) + "\n", encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| data | arm | draws | " + " | ".join(SHOWN) + " |"
    yield "|---|---|--:|" + "--:|" * len(SHOWN)
    for name in dict.fromkeys(row["data"] for row in rows):
        means: dict[str, dict[str, float]] = {}
        for arm in dict.fromkeys(row["arm"] for row in rows if row["data"] == name):
            mine = [row for row in rows if row["data"] == name and row["arm"] == arm]
            means[arm] = {key: mean for key in SHOWN if (mean := average(mine, key)) is not None}
            yield line(name, arm, len(mine), means[arm])
        here = [row for row in rows if row["data"] == name]
        floors = {key: floor for key in SHOWN if (floor := average(here, f"{key}_floor")) is not None}
        yield line(name, "floor: real tiles", len({row["draw"] for row in here}), floors)
        if {"specdm", "ldm_single"} <= means.keys():
            two, single = means["specdm"], means["ldm_single"]
            ratios = {key: single[key] / two[key] for key in two.keys() & single.keys() if two[key] > 0}
            for other in ("copying", "classes"):
                ratios.pop(other, None)
            yield line(name, "**single / two-stream**", 0, ratios)


def line(name: str, arm: str, n: int, values: dict[str, float]) -> str:
    texts = [f"{values[key]:.3g}" if key in values else "–" for key in SHOWN]
    return f"| {name} | {arm} | {n or '–'} | " + " | ".join(texts) + " |"


def average(rows: list[dict[str, Any]], key: str) -> float | None:
    values = [float(row[key]) for row in rows if row.get(key) not in (None, "")]
    return statistics.mean(values) if values else None


if __name__ == "__main__":
    main()
