"""What the pairs of SpecDM, of its single-stream baseline and of rivals are like, over draws of
specdm_paper.toml.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_quality STORE [DATA ...] [DRAW
    ...]

Takes the fits of the suite from the store's cache (and makes what is not there), samples 400 pairs
of each, measures them as ``hsiaug inspect`` does, and writes quality-NAME.csv and one contact sheet
per data set, and quality.md, to benchmarks/results/specdm/. Data sets may run side by side. Draws:
80 to 85, unless some are named.

In the table: means over draws of the measures over all tiles, beside the floor of held-out tiles
and beside training tiles drawn again, which is as near as can be; then the ratio single / two
streams that the paper's Tables 1 and 2 are about. ``classes`` is how many of the training classes
the pairs show. ``msad_shared`` is over the classes that both generators make, so that one that
makes few of them does not look better by it.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import HERE, read_csv, write_csv
from hsiaug.metrics.dense.fidelity import DenseFidelity, dense_fidelity
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.contact_sheets import contact_sheet, spread, tile_colours
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import MaskSynthesis, SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.report.figures.files import figure_bytes
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench

OUT = HERE / "results" / "specdm"
DATA = {
    "houston": ("segmentation", str(HERE / "scenes" / "houston_crop.toml"), None),
    "jasper": ("segmentation", str(HERE / "scenes" / "jasper_ridge.toml"), None),
    "floods": ("segmentation", str(HERE / "scenes" / "sen1floods11.toml"), None),
    "oscd": ("change", "oscd", "places:100"),
}
ARMS: dict[str, tuple[str, dict[str, str]]] = {
    "specdm": ("specdm", {}),
    "specdm, networks": ("specdm", {"denoiser": "network"}),
    "specdm, networks, sad=0": ("specdm", {"denoiser": "network", "sad": "0"}),
    "gaussian-pairs": ("gaussian-pairs", {}),
    "ldm_single": ("ldm_single", {}),
    "quilt": ("quilt", {}),
}
RIVAL = {"segmentation": "paste", "change": "duplicate"}
PAIRED = ("specdm", "ldm_single")
AGAIN = "training tiles again"
MADE = 400
DRAWS = range(80, 86)
SHOWN = (
    "fd_image_all",
    "fd_mask_all",
    "classes",
    "msad_shared",
    "shares_all",
    "segments",
    "adjacency",
    "power",
    "copying",
    "wrong",
)
RATIOS = tuple(key for key in SHOWN if key not in ("classes", "copying", "power", "wrong"))


def main() -> None:
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    names = [name for name in asked if not name.isdigit()] or list(DATA)
    draws = [int(draw) for draw in asked if draw.isdigit()] or list(DRAWS)
    OUT.mkdir(parents=True, exist_ok=True)
    rows = read()
    done = {(row["data"], row["arm"], row["draw"]) for row in rows}
    for draw in draws:
        for name in names:
            task, ref, protocol = DATA[name]
            kit = sample_kit(task)
            data = kit.task.load(ref)
            made: dict[str, MaskSynthesis] = {}
            for arm, (generator, settings) in {RIVAL[task]: (RIVAL[task], {}), **ARMS}.items():
                if (name, arm, str(draw)) in done:
                    continue
                rule = protocol and parse_protocol(protocol)
                request = SampleRequest(generator, rule, seed=draw, count=MADE, overrides=settings)
                bench = Workbench(data, get_task(task), store / "cache")
                made[arm] = synthesise(kit, data, request, registry(), bench=bench)
                rows.append({"data": name, "arm": arm, "draw": str(draw), **measured(made[arm])})
                write(rows, name)
                if (name, AGAIN, str(draw)) not in done:
                    done.add((name, AGAIN, str(draw)))
                    rows.append(
                        {
                            "data": name,
                            "arm": AGAIN,
                            "draw": str(draw),
                            **drawn_again(made[arm], draw),
                        }
                    )
                    write(rows, name)
            if draw == draws[0] and set(PAIRED) <= made.keys():
                groups = [("real", spread(made["specdm"].real))]
                groups += [
                    (arm, made[arm].synthetic) for arm in (RIVAL[task], "specdm", "ldm_single")
                ]
                colours = tile_colours(made["specdm"].real, data.wavelengths)
                sheet = contact_sheet(groups, data.class_names, colours)
                (OUT / f"{name}.png").write_bytes(figure_bytes(sheet, "png"))


def drawn_again(made: MaskSynthesis, draw: int) -> dict[str, Any]:
    """What the measures are of training tiles drawn again: what is left of a distance that is
    none.
    """
    real = made.real
    again = real.take(np.random.default_rng(draw).choice(len(real), MADE))
    held = real_samples(made.split, made.split.test)
    return fidelity_of(dense_fidelity(real, held, again, classes=len(made.data.class_names)))


def fidelity_of(fidelity: DenseFidelity) -> dict[str, Any]:
    """Every measure and its floor, how many classes are shown, and the angle of each class."""
    row: dict[str, Any] = {}
    for measure in fidelity.measures:
        row[measure.name], row[f"{measure.name}_floor"] = measure.value, measure.floor
    learnt = [share for share in fidelity.by_class.values() if share["train"]]
    row["classes"], row["classes_floor"] = sum(bool(share["made"]) for share in learnt), len(learnt)
    row["angles"] = json.dumps({str(c): share["angle"] for c, share in fidelity.by_class.items()})
    return row


def measured(made: MaskSynthesis) -> dict[str, Any]:
    """Fidelity and reliability."""
    report = sample_kit(made.spec.task).inspect(made)
    row = {
        "pairs": len(made.synthetic),
        "fit_seconds": round(made.seconds["fit_generator"], 1),
        **fidelity_of(report.fidelity),
    }
    pixels = report.reliability.get("pixels")
    row["wrong"] = None if pixels is None else pixels.wrong
    if pixels is not None:
        row |= {
            "pixels_value": pixels.value,
            "pixels_ceiling": pixels.ceiling,
            "pixels_floor": pixels.floor,
        }
    return row


def read() -> list[dict[str, Any]]:
    """The rows of all data sets that are there."""
    rows: list[dict[str, Any]] = []
    for name in DATA:
        path = OUT / f"quality-{name}.csv"
        if path.is_file():
            rows += [{key: value or None for key, value in row.items()} for row in read_csv(path)]
    return rows


def write(rows: list[dict[str, Any]], name: str) -> None:
    """Write the rows of one data set, and the table of all."""
    write_csv(OUT / f"quality-{name}.csv", [row for row in rows if row["data"] == name])
    # Others may have written since.
    (OUT / "quality.md").write_text("\n".join(table(read())) + "\n", encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of quality.md."""
    yield "# Quality of pairs: SpecDM and its single-stream baseline"
    yield ""
    yield "| data | arm | draws | " + " | ".join(SHOWN) + " |"
    yield "|---|---|--:|" + "--:|" * len(SHOWN)
    for name in dict.fromkeys(row["data"] for row in rows):
        here = [
            {**row, "msad_shared": shared_angle(row, rows)} for row in rows if row["data"] == name
        ]
        means: dict[str, dict[str, float]] = {}
        for arm in (*RIVAL.values(), *ARMS, AGAIN):
            mine = [row for row in here if row["arm"] == arm]
            if mine:
                means[arm] = {
                    key: mean for key in SHOWN if (mean := average(mine, key)) is not None
                }
                yield line(name, arm, len(mine), means[arm])
        floors = {
            key: floor for key in SHOWN if (floor := average(here, f"{key}_floor")) is not None
        }
        yield line(name, "floor: held-out tiles", len({row["draw"] for row in here}), floors)
        if set(PAIRED) <= means.keys():
            two, single = (means[arm] for arm in PAIRED)
            ratios = {
                key: single[key] / two[key]
                for key in RATIOS
                if two.get(key, 0) > 0 and key in single
            }
            yield line(name, "**single / two-stream**", 0, ratios)


def shared_angle(row: dict[str, Any], rows: list[dict[str, Any]]) -> float | None:
    """mSAD in degrees over the classes that both generators make for this draw."""
    draw = [
        r
        for r in rows
        if (r["data"], r["draw"]) == (row["data"], row["draw"]) and r["arm"] in PAIRED
    ]
    angles = [json.loads(r["angles"]) for r in draw if r.get("angles")]
    own = json.loads(row.get("angles") or "{}")
    shared = [
        c for c in own if own[c] is not None and all(other.get(c) is not None for other in angles)
    ]
    return statistics.mean(own[c] for c in shared) if shared else None


def line(name: str, arm: str, n: int, values: dict[str, float]) -> str:
    """A row of the table."""
    texts = [f"{values[key]:.3g}" if key in values else "–" for key in SHOWN]
    return f"| {name} | {arm} | {n or '–'} | " + " | ".join(texts) + " |"


def average(rows: list[dict[str, Any]], key: str) -> float | None:
    """Mean of a column over the rows that have it."""
    values = [float(row[key]) for row in rows if row.get(key) not in (None, "")]
    return statistics.mean(values) if values else None


if __name__ == "__main__":
    main()
