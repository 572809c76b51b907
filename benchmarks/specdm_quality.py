"""What the pairs of SpecDM, of its single-stream baseline and of rivals are like, over draws of
specdm_paper.toml.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_quality STORE [DATA ...] [ARM ...]
    [DRAW ...]

Takes the fits of the suite from the store's cache (and makes what is not there), samples 40 pairs
of each, measures them as ``hsiaug inspect`` does, writes quality-NAME.csv, one per data set, to
benchmarks/results/specdm/, and prints the table. Rows that are there are not made again. Without
names: all sets, draws 80 to 82, and the three arms of :data:`USUAL`, whose networks take some
minutes of a core each.

In the table: means over draws, beside the same of held-out tiles; the arm ``duplicate-balanced``
is training tiles again, which is as near as can be. Then the ratio single / two streams that the
paper's Tables 1 and 2 are about, of the default of ``specdm`` and of its U-Net. The columns are
those of :data:`SHOWN`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, check_usage, read_csv, say, write_csv
from benchmarks.permuted_masks import PermutedMasks
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.fidelity import DenseFidelity, dense_fidelity
from hsiaug.metrics.dense.reliability import dense_reliability
from hsiaug.metrics.dense.structure import dense_structure
from hsiaug.metrics.reconstruction import reconstruction_losses
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import MaskSynthesis, SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.registry.session_plugins import name_and_overrides
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext

OUT = HERE / "results" / "specdm"
DATA = {
    "houston": ("segmentation", str(HERE / "scenes" / "houston_crop.toml"), None),
    "jasper": ("segmentation", str(HERE / "scenes" / "jasper_ridge.toml"), None),
    "floods": ("segmentation", str(HERE / "scenes" / "sen1floods11.toml"), None),
    "oscd": ("change", "oscd", "places:100"),
    "samson": ("segmentation", str(HERE / "scenes" / "samson.toml"), None),
}
FAST = {"level_steps": "600", "decoder_steps": "100"}
"""As the presets of that name."""
ARMS: dict[str, tuple[str, dict[str, str]]] = {
    "specdm": ("specdm", {}),
    "gaussian-pairs": ("gaussian-pairs", {}),
    "duplicate-balanced": ("duplicate-balanced", {}),
    "ldm_single": ("ldm_single", {}),
    "specdm-paper": ("specdm-paper", {}),
    "specdm, fast": ("specdm", FAST),
    "ldm_single, fast": ("ldm_single", FAST),
    "specdm, twice": ("specdm", {"level_steps": "4800"}),
    "specdm, no angle": ("specdm", {"sad": "0"}),
    "specdm, fast, no angle": ("specdm", {**FAST, "sad": "0"}),
    "permuted masks, fast": ("specdm-permuted", FAST),
    "mosaic": ("mosaic", {}),
    "quilt": ("quilt", {}),
}
USUAL = ("specdm", "ldm_single", "gaussian-pairs")
SINGLE = "ldm_single"
PAIRED = ("specdm", "specdm-paper")
"""Two streams, each beside the single one."""
MADE = 40
DRAWS = range(80, 83)
SHOWN = {
    "fd_image": "images",
    "fd_mask": "masks",
    "msad_shared": "mSAD, °",
    "classes": "classes",
    "shares": "class shares",
    "boundaries": "edges of masks, %",
    "components": "regions a tile",
    "tiny": "tiny regions, %",
    "within_1": "correlation of neighbours",
    "change": "change inside / outside",
    "mask_edges": "gradient at mask edges, %",
    "copies": "copies, %",
}
"""Titles of the columns, by the name of a measure: Fréchet distances of specfd-2, of image and
mask, in sets as large as the smallest; mSAD over the classes that all of :data:`COMPARED` make, so
that one that makes few of them does not look better by it; how many of the training classes the
pairs show.
"""
COMPARED = (*PAIRED, SINGLE)
RATIOS = ("fd_image", "fd_mask", "msad_shared", "shares")


def main() -> None:
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    names = [name for name in asked if name in DATA] or list(DATA)
    arms = [name for name in asked if name in ARMS] or list(USUAL)
    draws = [int(draw) for draw in asked if draw.isdigit()] or list(DRAWS)
    OUT.mkdir(parents=True, exist_ok=True)
    name_and_overrides("generator", PermutedMasks)
    rows = read()
    done = {(row["data"], row["arm"], row["draw"]) for row in rows}
    for draw in draws:
        for name in names:
            task, ref, protocol = DATA[name]
            kit = sample_kit(task)
            data = kit.task.data.load(ref)
            for arm in arms:
                generator, settings = ARMS[arm]
                if (name, arm, str(draw)) in done:
                    continue
                rule = protocol and parse_protocol(protocol)
                request = SampleRequest(generator, rule, seed=draw, count=MADE, overrides=settings)
                context = SceneContext(data, get_task(task), store / "cache")
                started = time.process_time()
                made = synthesise(kit, data, request, registry(), context=context)
                drawn = time.process_time()
                rows.append({"data": name, "arm": arm, "draw": str(draw), **measured(made)})
                write(rows, name)
                seconds = f"{drawn - started:.0f} s + {time.process_time() - drawn:.0f} s"
                say(f"{name}, {arm}, draw {draw}: {seconds} of processor time to make and measure")


def layout_of(made: MaskSynthesis, pairs: DenseSamples) -> dict[str, Any]:
    """Spatial structure and reliability of some pairs, and what they are of held-out tiles."""
    sets = (made.real, real_samples(made.split, made.split.test), pairs)
    labels = dense_reliability(*sets, classes=len(made.data.class_names))
    row: dict[str, Any] = {}
    for measure in (*dense_structure(*sets).measures, *labels.measures):
        row[measure.name], row[f"{measure.name}_floor"] = measure.value, measure.held_out
    return row


def fidelity_of(fidelity: DenseFidelity) -> dict[str, Any]:
    """Every measure and its floor, how many classes are shown, and the angle of each class."""
    row: dict[str, Any] = {}
    for measure in fidelity.measures:
        row[measure.name], row[f"{measure.name}_floor"] = measure.value, measure.held_out
    row["compared"] = next(one.n for one in fidelity.measures if one.name == "fd_image")
    learnt = [share for share in fidelity.by_class.values() if share["train"]]
    row["classes"], row["classes_floor"] = sum(bool(share["made"]) for share in learnt), len(learnt)
    row["angles"] = json.dumps({str(c): share["angle"] for c, share in fidelity.by_class.items()})
    return row


def measured(made: MaskSynthesis) -> dict[str, Any]:
    """Fidelity and layout."""
    held = real_samples(made.split, made.split.test)
    classes = len(made.data.class_names)
    return {
        "version": made.card.version,
        "pairs": len(made.synthetic),
        "fit_seconds": round(made.seconds["fit_generator"], 1),
        **fidelity_of(dense_fidelity(made.real, held, made.synthetic, classes=classes)),
        **layout_of(made, made.synthetic),
        **codec_of(made, held),
    }


def codec_of(made: MaskSynthesis, held: DenseSamples) -> dict[str, float | None]:
    """What encoder and decoder lose of held-out tiles, where there are both."""
    reconstruct = getattr(made.fitted, "reconstruct", None)
    if reconstruct is None:
        return {}
    decoded = reconstruct(held)
    return reconstruction_losses(held.images, decoded.images, decoded.probability, held.masks)


def read() -> list[dict[str, Any]]:
    """The rows of all data sets that are there."""
    rows: list[dict[str, Any]] = []
    for name in DATA:
        path = OUT / f"quality-{name}.csv"
        if path.is_file():
            rows += [{key: value or None for key, value in row.items()} for row in read_csv(path)]
    return rows


def write(rows: list[dict[str, Any]], name: str) -> None:
    """Write the rows of one data set."""
    write_csv(OUT / f"quality-{name}.csv", [row for row in rows if row["data"] == name])


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of the table."""
    yield "| data | arm | draws | " + " | ".join(SHOWN.values()) + " |"
    yield "|---|---|--:|" + "--:|" * len(SHOWN)
    for name in dict.fromkeys(row["data"] for row in rows):
        here = [
            {**row, "msad_shared": shared_angle(row, rows)} for row in rows if row["data"] == name
        ]
        means: dict[str, dict[str, float]] = {}
        for arm in ARMS:
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
        for two in PAIRED:
            ratios, shared = ratios_of(here, two)
            if shared:
                yield line(name, f"**{SINGLE} / {two}**", shared, ratios)


def ratios_of(rows: list[dict[str, Any]], two: str) -> tuple[dict[str, float], int]:
    """Means of the single stream over those of an arm, in the draws of a data set that have both;
    and how many these are.
    """
    draws = {arm: {row["draw"] for row in rows if row["arm"] == arm} for arm in (SINGLE, two)}
    shared = draws[SINGLE] & draws[two]
    both = {
        arm: [row for row in rows if row["arm"] == arm and row["draw"] in shared] for arm in draws
    }
    means = {key: (average(both[SINGLE], key), average(both[two], key)) for key in RATIOS}
    ratios = {
        key: single / other
        for key, (single, other) in means.items()
        if single is not None and other
    }
    return ratios, len(shared)


def shared_angle(row: dict[str, Any], rows: list[dict[str, Any]]) -> float | None:
    """mSAD in degrees over the classes that all compared generators make for this draw."""
    draw = [
        r
        for r in rows
        if (r["data"], r["draw"]) == (row["data"], row["draw"]) and r["arm"] in COMPARED
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
    check_usage(__doc__, 1)
    main()
