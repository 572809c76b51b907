"""What the test pixels of single draws say of two arms, where predictions and scene lie here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hsiaug.errors import InputError
from hsiaug.metrics.bootstrap import BlockInterval, Pixels, block_bootstrap
from hsiaug.metrics.many import many_scores
from hsiaug.report.ground import NoGroundError, local_scene, predicted_map
from hsiaug.report.records import Trial
from hsiaug.scene import Scene
from hsiaug.seeds import derive_seed
from hsiaug.trial.store import Store

__all__ = ["Ground", "grounds"]

PATCHES = 2
"""Side of a block, in patches. On Indian Pines intervals of OA grow fast up to this side, and slowly beyond
(docs/statistics.md)."""


@dataclass(frozen=True)
class Ground:
    """What the test pixels of one draw say of B − A; or, where interval is None, why they say nothing."""

    interval: BlockInterval | None
    why: str = ""


def grounds(
    pairs: Sequence[tuple[Trial, Trial]], metric: str, store: Store | None, scenes: dict[str, Scene]
) -> tuple[Ground, ...]:
    """A ground for each pair (B, A) of trials of one condition; scenes: those read already, which theirs joins."""
    trials = [trial for pair in pairs for trial in pair]
    try:
        if trials[0].condition.task != "pixels":
            raise NoGroundError("the predictions of masks lie in several images")
        if store is None:
            raise NoGroundError("there are records alone, and it needs the predictions beside them")
        scene = local_scene(trials, scenes)
    except NoGroundError as error:
        return tuple(Ground(None, str(error)) for _ in pairs)
    return tuple(_ground(a, b, metric, store, scene) for b, a in pairs)


def _ground(a: Trial, b: Trial, metric: str, store: Store, scene: Scene) -> Ground:
    try:
        before, after = (predicted_map(store, trial, scene).label for trial in (a, b))
    except NoGroundError as error:
        return Ground(None, str(error))
    if not np.array_equal(before > 0, after > 0):
        return Ground(None, f"records {a.hash} and {b.hash} predict different pixels")
    row, column = np.nonzero(before)
    true = scene.labels[row, column]
    pixels = Pixels(row, column, true, before[row, column], after[row, column], len(scene.class_names))
    try:
        interval = block_bootstrap(
            pixels,
            many_scores(metric, _subsets(a)),
            side=PATCHES * a.condition.patch,
            seed=derive_seed("block bootstrap", a.seed),
        )
    except InputError as error:
        return Ground(None, f"{error.rule}; found {error.value}")
    return Ground(interval)


def _subsets(trial: Trial) -> Mapping[str, tuple[int, ...]]:
    subsets = trial.record["metrics"].get("subsets") or {}
    return {name: tuple(entry["classes"]) for name, entry in subsets.items()}
