"""What samples change for a support vector machine, and how gains depend on their number and
weight: docs/images/statistics.svg.

    python -m benchmarks.make_scenes FOLDER        (for the small scenes; see there)
    python -m benchmarks.statistics_figure measure SCENE …
    hsiaug benchmark --suite benchmarks/statistics_arms.toml
    python -m benchmarks.statistics_figure sweeps STORE
    python -m benchmarks.statistics_figure draw

``measure`` makes samples of each generator on three selection splits, and writes changes.csv to
benchmarks/results/moments; ``sweeps`` writes the gains of the suite's runs over λ, M and weight to
sweeps.csv; ``draw`` draws the figure of both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.svm import SVC

import hsiaug
from benchmarks.common import HERE, check_usage, say
from benchmarks.docs_figures import BLUE, GREEN, GREY, RED, WIDTH, YELLOW, write_figures
from hsiaug.api import PatchSamples, SpectralView, patches_at
from hsiaug.core.fields import label_fields, seen_fields
from hsiaug.report.figures.files import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUT = HERE / "results" / "moments"
SEEDS = (300, 301, 302)
GENERATORS = ("smote", "gaussian", "pseudo", "statistics")
COLOURS = dict(zip(GENERATORS, (GREY, YELLOW, RED, BLUE), strict=True))
LEAST = 10
"""Pixels of a class in held-out fields, at least."""

Floats = NDArray[np.float32]
UNIT = SpectralView("unit")


class Spread(NamedTuple):
    """Of the patches of a class, in unit-norm spectra.

    Attributes
    ----------
    between : float
        Root mean square distance of means of patches from their mean.
    within : float
        Root mean square distance of pixels from the mean of their patch.
    """

    between: float
    within: float


def spread(patches: Floats) -> Spread:
    """Of patches (n, B, p, p) of one class."""
    unit = UNIT(patches, axis=1)
    means = unit.mean(axis=(2, 3))
    between = ((means - means.mean(axis=0)) ** 2).sum(axis=1).mean()
    within = ((unit - means[:, :, None, None]) ** 2).sum(axis=1).mean()
    return Spread(float(np.sqrt(between)), float(np.sqrt(within)))


def relative_spread(samples: PatchSamples, of_real: Mapping[int, Spread]) -> Spread:
    """Spread of samples over that of real patches, by class id; the median over these classes."""
    ratios = [np.divide(spread(samples.x[samples.y == c]), real) for c, real in of_real.items()]
    return Spread(*np.median(ratios, axis=0))


def predict(x: Floats, y: NDArray[np.int64], weight: Floats, test: Floats) -> NDArray[np.int64]:
    """Class ids of test spectra, by an RBF machine on standardised unit-norm spectra."""
    mean, std = x[weight == 1].mean(axis=0), x[weight == 1].std(axis=0) + 1e-9
    machine = SVC(C=10, gamma=0.3 / x.shape[1])
    machine.fit((x - mean) / std, y, sample_weight=weight)
    named: NDArray[np.int64] = machine.predict((test - mean) / std)
    return named


def measure(name: str) -> Iterator[dict[str, object]]:
    """Rows of a scene: a split and a generator each."""
    scene = hsiaug.load_scene(name)
    for seed in SEEDS:
        split = hsiaug.split(scene, "issd", seed=seed)
        held_out = split.test & ~seen_fields(label_fields(scene.labels), split.train)
        real_spread = {
            c: spread(patches_at(scene.cube, np.argwhere(held_out & (scene.labels == c)), 9))
            for c in np.unique(scene.labels[split.train]).tolist()
            if (held_out & (scene.labels == c)).sum() >= LEAST
        }
        test, truth = UNIT(scene.cube[split.test], axis=1), scene.labels[split.test]
        for generator in GENERATORS:
            real, made = hsiaug.augment_scene(
                scene, generator, lam=0.5, times=3, protocol="issd", seed=seed
            )
            assert isinstance(real, PatchSamples) and isinstance(made, PatchSamples)
            x, y = UNIT(real.x[:, :, 4, 4], axis=1), real.y
            before = predict(x, y, real.weight, test)
            after = predict(
                np.concatenate([x, UNIT(made.x[:, :, 4, 4], axis=1)]),
                np.concatenate([y, made.y]),
                np.concatenate([real.weight, made.weight]),
                test,
            )
            between, within = relative_spread(made, real_spread)
            trained_between, trained_within = relative_spread(real, real_spread)
            yield {
                "scene": Path(name).stem,
                "seed": seed,
                "generator": generator,
                "changed": (before != after).mean(),
                "to_right": ((before != truth) & (after == truth)).mean(),
                "to_wrong": ((before == truth) & (after != truth)).mean(),
                "spread_of_means": between,
                "spread_of_pixels": within,
                "training_spread_of_means": trained_between,
                "training_spread_of_pixels": trained_within,
                "classes": len(real_spread),
            }


def write_sweeps(store: str) -> None:
    """Gains of the SVM over no samples, by split, λ, M and weight."""
    trials = hsiaug.read_store(store).frame()
    trials = trials[(trials["classifier"] == "svm") & trials["seed"].isin(SEEDS)]
    trials["aa"] = trials["aa_min25_pixels"].fillna(trials["aa"])
    alone = trials[trials["generator"] == "none"].groupby(["scene", "seed"])["aa"].mean()
    swept = trials[trials["generator"] == "statistics"].join(
        alone.rename("none"), on=["scene", "seed"]
    )
    swept["gain"] = (100 * (swept["aa"] - swept["none"])).round(2)
    swept["weight"] = [json.loads(params)["weight"] for params in swept["generator_params"]]
    columns = ["scene", "seed", "lambda", "times", "weight", "gain"]
    swept[columns].sort_values(columns).to_csv(OUT / "sweeps.csv", index=False)


def changes(panel: Axes, rows: pd.DataFrame) -> None:
    """Bars: test pixels whose class changes to the right one, and to a wrong one."""
    for row, generator in enumerate(GENERATORS):
        of_one = 100 * rows[rows["generator"] == generator][["to_right", "to_wrong"]].mean()
        panel.barh(row, of_one["to_right"], color=COLOURS[generator])
        panel.barh(row, -of_one["to_wrong"], color=COLOURS[generator], alpha=0.4)
    panel.axvline(0, color="black", lw=0.8)
    panel.set_yticks(range(len(GENERATORS)), GENERATORS, fontsize=8)
    panel.invert_yaxis()
    panel.set_xlabel("% of test pixels: newly wrong | newly right", fontsize=8)


def spreads(panel: Axes, rows: pd.DataFrame) -> None:
    """Points: spread of samples over that of real patches of held-out fields."""
    for generator in GENERATORS:
        of_one = rows[rows["generator"] == generator]
        panel.plot(
            of_one["spread_of_means"].mean(),
            of_one["spread_of_pixels"].mean(),
            "o",
            color=COLOURS[generator],
            label=generator,
        )
    panel.plot(
        rows["training_spread_of_means"].mean(),
        rows["training_spread_of_pixels"].mean(),
        "s",
        color=GREEN,
        label="training patches",
    )
    panel.plot(1, 1, "*", color="black", markersize=9, label="held-out fields")
    panel.set_xlabel("spread of patch means", fontsize=8)
    panel.set_ylabel("spread of pixels", fontsize=8)
    panel.legend(fontsize=7, frameon=False)


def sweep(panel: Axes, rows: pd.DataFrame, column: str, label: str) -> None:
    """A line for each scene: gain over no samples."""
    for (scene, of_one), mark in zip(rows.groupby("scene"), "osD", strict=False):
        line = of_one.groupby(column)["gain"].mean()
        panel.plot(line.index, line, f"{mark}-", markersize=4, lw=1, label=scene)
    panel.set_xlabel(label, fontsize=8)
    panel.set_ylabel("gain in AA, points", fontsize=8)


def figure() -> Figure:
    """Changes and spreads of Indian Pines and Pavia, and the sweeps."""
    rows = pd.read_csv(OUT / "changes.csv")
    sweeps = pd.read_csv(OUT / "sweeps.csv")
    made = new_figure(WIDTH, 6.4)
    panels = made.subplots(3, 2)
    for (first, second), scene in zip(panels[:2], ("indian_pines", "pavia_crop"), strict=True):
        changes(first, rows[rows["scene"] == scene])
        spreads(second, rows[rows["scene"] == scene])
        first.set_title(scene, fontsize=9, loc="left")
    times, weights = panels[2]
    at_default = sweeps["weight"] == 0.05
    sweep(times, sweeps[at_default & (sweeps["lambda"] == 0.5)], "times", "M")
    sweep(weights, sweeps[(sweeps["times"] == 3) & (sweeps["lambda"] == 0.5)], "weight", "weight")
    weights.set_xscale("log")
    weights.legend(fontsize=7, frameon=False)
    for panel in panels.flat:
        panel.tick_params(labelsize=8)
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    return made


def main() -> None:
    """Measure scenes, or draw."""
    action, *scenes = sys.argv[1:]
    if action == "draw":
        sys.argv[1:] = []
        write_figures({"statistics": figure})
        return
    if action == "sweeps":
        write_sweeps(scenes[0])
        return
    rows = []
    for scene in scenes:
        for row in measure(scene):
            say(f"{row['scene']} {row['seed']} {row['generator']}")
            rows.append(row)
        pd.DataFrame(rows).round(4).to_csv(OUT / "changes.csv", index=False)


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
