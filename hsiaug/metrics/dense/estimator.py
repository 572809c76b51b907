"""The judge of masks: probes of real training tiles, and curves of real held-out tiles damaged on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.calibration import LEVELS, CalibrationCurve, calibration_curve
from hsiaug.metrics.dense.damage import DAMAGES, damage
from hsiaug.metrics.dense.probes import Probes, evidence, fit_probes
from hsiaug.metrics.dense.references import References, fit_references
from hsiaug.metrics.dense.scores import SCORES, score_all
from hsiaug.metrics.dense.tile_counts import ProbedTiles, edge_cells, look, tally

__all__ = ["MAIN", "QualityEstimator", "Reading", "fit_estimator"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Masks = NDArray[np.int64]

ROUNDS = 100
FEWEST = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""

MOST = 200
"""Tiles of a set that are used at most."""

MAIN = "pixels"
"""The score that the share of wrong pixels is read from."""

REPEATS = 3
"""Times that each kind and share of damage is drawn."""

Reading = dict[str, Array]
"""Each score (1 + ROUNDS,) of some masks, of all tiles and of bootstrap draws of them.

All more-is-better, shares in 0..1.
"""


@dataclass(frozen=True, eq=False)
class QualityEstimator:
    """ids: classes judged. probes, references: of training tiles.

    held: the view of the undamaged held-out images, and masks: theirs. curves: {score: its calibration curve; spearman
    is the mean over kinds of damage}.
    """

    ids: tuple[int, ...]
    probes: Probes
    references: References
    held: ProbedTiles
    masks: Masks
    curves: Mapping[str, CalibrationCurve]
    seed: int

    def look(self, images: NDArray[np.float32]) -> ProbedTiles:
        """Put images to the probes, once for all masks of theirs."""
        return look(images, self.probes, self.references)

    def known(self, masks: Masks) -> Masks:
        """Masks without the classes that cannot be judged."""
        return np.where(np.isin(masks, self.ids), masks, IGNORE)

    def read(self, view: ProbedTiles, masks: Masks) -> Reading:
        """Judge masks (n, H, W) of the images in ``view``."""
        weights = _tile_weights(len(masks), np.random.default_rng(derive_seed("judge's tiles", self.seed)))
        counts = tally(view, self.known(masks))
        scores = _scores([counts], weights, self.references)
        return {name: values[0] for name, values in scores.items()}

    def percent(self, reading: Reading, name: str = MAIN) -> float:
        """The share of wrong pixels in % that one score of all tiles amounts to."""
        return self.curves[name].percent(reading[name][0])


def fit_estimator(train: DenseSamples, held: DenseSamples, classes: int, seed: int = 0) -> QualityEstimator:
    """A judge of masks from real tiles; the same ``seed`` gives the same judge. At most 200 tiles of a set are used.

    Raises InputError where fewer than two classes have 30 pixels in both sets.
    """
    rng = np.random.default_rng(derive_seed("dense judge", seed))
    train, held = (some_tiles(part, rng) for part in (train, held))
    ids = _judged_classes(train, held, classes)
    train, held = (
        replace(part, masks=np.where(np.isin(part.masks, ids), part.masks, IGNORE)) for part in (train, held)
    )
    probes = fit_probes(train, classes, seed)
    edges = np.concatenate([g.ravel() for g in edge_cells(train.images)])
    signs = None if train.dates == 1 else np.moveaxis(evidence(train.images), 1, 0).reshape(2, -1)
    references = fit_references(train, classes, edges, signs, rng)
    view = look(held.images, probes, references)
    kinds, counts, wrong = _damaged(view, held.masks, ids, rng)
    weights = _tile_weights(len(held), rng)
    labelled = weights @ (held.masks != IGNORE).sum(axis=(1, 2)).astype(np.float64)
    scores, q = _scores(counts, weights, references), 100 * (wrong @ weights.T) / np.maximum(labelled, 1)
    return QualityEstimator(
        ids=ids,
        probes=probes,
        references=references,
        held=view,
        masks=held.masks,
        curves={name: calibration_curve(kinds, q, values) for name, values in scores.items()},
        seed=seed,
    )


def _judged_classes(train: DenseSamples, held: DenseSamples, classes: int) -> tuple[int, ...]:
    """The ids of the classes with pixels enough in both sets."""
    counts = [np.bincount(part.masks.ravel(), minlength=classes + 1)[1:] for part in (train, held)]
    ids = tuple((np.flatnonzero(np.minimum(*counts) >= FEWEST) + 1).tolist())
    if len(ids) < 2:
        raise InputError(
            f"two classes need {FEWEST} labelled pixels in training and in held-out tiles",
            value=f"classes {ids}",
            hint="Use more tiles.",
        )
    return ids


def some_tiles(samples: DenseSamples, rng: np.random.Generator) -> DenseSamples:
    """At most MOST of the tiles, in their order."""
    return samples.take(np.sort(rng.permutation(len(samples))[:MOST]))


def _tile_weights(n: int, rng: np.random.Generator) -> Array:
    """(1 + ROUNDS, n) how often each tile counts: once first, then as often as each bootstrap round draws it."""
    return np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), size=ROUNDS)])


def _damaged(
    view: ProbedTiles, masks: Masks, ids: Sequence[int], rng: np.random.Generator
) -> tuple[tuple[str, ...], list[dict[str, Float32]], Array]:
    """Sets of masks (n, H, W), not damaged, and in every kind, at every level, three times, among the classes ``ids``.

    The kind of each set, "" for none, its counts, and the wrong pixels of each tile (sets, n).
    """
    kinds = ["", *(kind for kind in DAMAGES for _ in LEVELS[1:] * REPEATS)]
    counts, wrong = [tally(view, masks)], [np.zeros(len(masks))]
    for kind in DAMAGES:
        for level in LEVELS[1:] * REPEATS:
            worse = damage(masks, kind, level, ids, rng)
            counts.append(tally(view, worse))
            wrong.append((worse != masks).sum(axis=(1, 2)).astype(np.float64))
    return tuple(kinds), counts, np.stack(wrong)


def _scores(sets: Iterable[Mapping[str, Float32]], weights: Array, references: References) -> dict[str, Array]:
    """{score: (sets, rounds)} under weights (rounds, n) of the tiles, all turned so that more is better."""
    rows = [
        score_all({name: np.tensordot(weights, part, 1) for name, part in counts.items()}, references)
        for counts in sets
    ]
    return {name: SCORES[name][2] * np.stack([row[name] for row in rows]) for name in rows[0]}
