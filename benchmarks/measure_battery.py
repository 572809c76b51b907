"""Does every measure of ``hsiaug inspect`` see the damage that it is there for, in order of its
strength?

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.measure_battery SCENE TASK

One half of the held-out samples of a split stands in for synthetic ones, and is damaged in each way
and strength; the other half is what they are read against. Strength 0 is undamaged. Writes
benchmarks/results/measure_battery/TASK.csv after each, and goes on where it was stopped; then
prints which measures move in the order of the strength of which damage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import damages
from benchmarks.common import HERE, check_usage, markdown, read_csv, say, write_csv
from hsiaug.core.samples import PatchSamples
from hsiaug.protocol.tiling import real_samples
from hsiaug.protocol.view import patches_at
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import AnySynthesis, SampleRequest
from hsiaug.registry.lookup import registry

OUT = HERE / "results" / "measure_battery"
SEED = 100
Damage = Callable[[Any, float, np.random.Generator], Any]

STRENGTHS: Mapping[str, tuple[float, ...]] = {
    "pixels shuffled": (0.1, 0.3, 1.0),
    "blurred": (0.4, 0.7, 1.2),
    "noise": (0.05, 0.2, 0.5),
    "copies": (0.25, 0.5, 1.0),
    "wrong labels": (0.1, 0.3, 1.0),
    "masks moved": (1, 2, 4),
    "masks speckled": (0.05, 0.1, 0.3),
}
"""Shares of pixels or samples; pixels of blur and of moves; deviations of noise."""
OF_IMAGES: Mapping[str, Damage] = {
    "pixels shuffled": damages.shuffle_pixels,
    "blurred": damages.blur,
    "noise": damages.add_noise,
}
OF_MASKS: Mapping[str, Damage] = {
    "wrong labels": damages.wrong_labels,
    "masks moved": damages.move_masks,
    "masks speckled": damages.speckle,
}


def halves(made: AnySynthesis) -> AnySynthesis:
    """One random half of the held-out samples in place of the synthetic ones, the other in place of
    all held-out ones.
    """
    rng = np.random.default_rng(SEED)
    split = made.split
    if isinstance(made.real, PatchSamples):
        places = rng.permutation(np.argwhere(split.test))
        standing, left = np.array_split(places, 2)
        test = np.zeros_like(split.test)
        test[tuple(left.T)] = True
        x = patches_at(made.data.cube, standing, split.patch)
        labels = made.data.labels[tuple(standing.T)].astype(np.int64)
        return replace(
            made, split=replace(split, test=test), synthetic=PatchSamples.made(x, labels)
        )
    order = rng.permutation(len(split.test))
    standing, left = np.array_split(order, 2)
    tiles = real_samples(split, split.test)
    test = [split.test[i] for i in np.sort(left)]
    return replace(
        made, split=replace(split, test=type(split.test)(test)), synthetic=tiles.take(standing)
    )


def damaged(made: AnySynthesis, damage: str, strength: float) -> AnySynthesis | None:
    """The stand-ins under a damage; None where their kind cannot have it."""
    rng = np.random.default_rng(SEED)
    samples = made.synthetic
    patches = isinstance(samples, PatchSamples)
    images = "x" if patches else "images"
    labels = "y" if patches else "masks"
    if damage == "copies":
        # With their labels: a copy under another label would be two damages.
        changed = {
            name: damages.replace_some(
                getattr(samples, name),
                getattr(made.real, name),
                strength,
                np.random.default_rng(SEED),
            )
            for name in (images, labels)
        }
    elif damage in OF_IMAGES:
        changed = {images: OF_IMAGES[damage](getattr(samples, images), strength, rng)}
    elif patches and damage != "wrong labels":
        return None
    else:
        changed = {labels: OF_MASKS[damage](getattr(samples, labels), strength, rng)}
    return replace(made, synthetic=replace(samples, **changed))


def rows(made: AnySynthesis, done: set[tuple[str, float]]) -> Iterator[dict[str, Any]]:
    """All measures of each damage and strength, of the stand-ins as they are first."""
    inspect = sample_kit(made.spec.task).inspect
    for damage, strengths in {"none": (0.0,), **STRENGTHS}.items():
        for strength in strengths:
            if (damage, float(strength)) in done:
                continue
            changed = made if damage == "none" else damaged(made, damage, strength)
            if changed is not None:
                values = {one.name: one.value for one in inspect(changed).measures}
                yield {"damage": damage, "strength": float(strength), **values}


def ordered(frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Each damage, and the measures that rise or fall with every step of its strength."""
    undamaged = frame[frame["damage"].eq("none")]
    for damage, own in frame.groupby("damage", sort=False):
        steps = pd.concat([undamaged, own]).drop(columns=["damage", "strength"])
        if damage != "none":
            moves = steps.diff().iloc[1:]
            rise = moves.gt(0).all()
            fall = moves.lt(0).all()
            words = [f"{name} +" for name in steps.columns[rise]]
            yield str(damage), ", ".join(words + [f"{name} −" for name in steps.columns[fall]])


def main() -> None:
    scene, task = sys.argv[1:]
    path = OUT / f"{task}.csv"
    OUT.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = [*read_csv(path)] if path.is_file() else []
    kit = sample_kit(task)
    request = SampleRequest("duplicate", seed=SEED)
    made = halves(synthesise(kit, kit.task.data.load(scene), request, registry()))
    done = {(row["damage"], float(row["strength"])) for row in found}
    for row in rows(made, done):
        found.append(row)
        write_csv(path, found)
        say(f"{row['damage']} {row['strength']:g}")
    for line in markdown(("damage", "measures in order"), ordered(pd.read_csv(path))):
        say(line)


if __name__ == "__main__":
    check_usage(__doc__, 2, 2)
    main()
