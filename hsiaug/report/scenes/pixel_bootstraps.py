"""What the test pixels of single draws say of two arms, where predictions and scene lie here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.accuracy import many_scores
from hsiaug.metrics.bootstrap import BlockInterval, Pixels, block_bootstrap
from hsiaug.report.records import Trial
from hsiaug.report.scenes.ground_truth import GroundTruth, NoGroundTruthError, local_ground_truth, predicted_maps
from hsiaug.report.scores import metric_set
from hsiaug.trial.store import Store

__all__ = ["DrawBootstrap", "draw_bootstraps"]

Label = NDArray[np.int16]


@dataclass(frozen=True)
class DrawBootstrap:
    """What the test pixels of one draw say of B − A; or, where interval is None, why they say nothing."""

    interval: BlockInterval | None
    why: str = ""


def draw_bootstraps(
    pairs: Sequence[tuple[Trial, Trial]], metric: str, store: Store | None, ground_truths: dict[str, GroundTruth]
) -> tuple[DrawBootstrap, ...]:
    """A bootstrap for each pair (B, A) of trials of one condition; ground_truths: those read already, and theirs."""
    trials = [trial for pair in pairs for trial in pair]
    try:
        if store is None:
            raise NoGroundTruthError("there are records alone, and it needs the predictions beside them")
        if any(metric == score.key for score in metric_set(trials[0].condition.task).fields):
            raise NoGroundTruthError("it resamples all test pixels, not those of seen or of new fields alone")
        truth = local_ground_truth(trials, ground_truths)
    except NoGroundTruthError as error:
        return tuple(DrawBootstrap(None, str(error)) for _ in pairs)
    return tuple(_bootstrap(a, b, metric, store, truth) for b, a in pairs)


def _bootstrap(a: Trial, b: Trial, metric: str, store: Store, truth: GroundTruth) -> DrawBootstrap:
    try:
        before, after = ([made.label for made in predicted_maps(store, trial, truth)] for trial in (a, b))
    except NoGroundTruthError as error:
        return DrawBootstrap(None, str(error))
    if not all(np.array_equal(x > 0, y > 0) for x, y in zip(before, after, strict=True)):
        return DrawBootstrap(None, f"records {a.hash} and {b.hash} predict different pixels")
    side = a.condition.patch * metric_set(a.condition.task).block
    pixels = _pixels(before, after, truth, side)
    try:
        interval = block_bootstrap(
            pixels,
            many_scores(metric, _subsets(a)),
            side=side,
            seed=derive_seed("block bootstrap", a.seed),
        )
    except InputError as error:
        return DrawBootstrap(None, f"{error.rule}; found {error.value}")
    return DrawBootstrap(interval)


def _pixels(before: Sequence[Label], after: Sequence[Label], truth: GroundTruth, side: int) -> Pixels:
    """The test pixels of all places, one below another, so that no block of ``side`` lies in two."""
    rows, columns, first = [], [], 0
    for label in before:
        row, column = np.nonzero(label)
        rows.append(row + first)
        columns.append(column)
        first += -(-len(label) // side) * side
    true, a, b = (
        np.concatenate([part[label > 0] for part, label in zip(maps, before, strict=True)])
        for maps in (truth.masks, before, after)
    )
    return Pixels(np.concatenate(rows), np.concatenate(columns), true, a, b, len(truth.class_names))


def _subsets(trial: Trial) -> Mapping[str, tuple[int, ...]]:
    subsets = trial.record["metrics"].get("subsets") or {}
    return {name: tuple(entry["classes"]) for name, entry in subsets.items()}
