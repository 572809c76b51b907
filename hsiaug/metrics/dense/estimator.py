"""The judge of masks: probes of real training tiles, and curves of real held-out tiles damaged on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError
from hsiaug.metrics.calibration import CalibrationCurve, calibration_curve, falling_curve, invert
from hsiaug.metrics.dense.calibration import (
    RidgeEstimate,
    damaged_steps,
    fit_joint,
    scores_of,
    tile_weights,
    with_joint,
)
from hsiaug.metrics.dense.probes import Probes, evidence, fit_probes
from hsiaug.metrics.dense.references import References, fit_references
from hsiaug.metrics.dense.scores import SCORES
from hsiaug.metrics.dense.tile_counts import ProbedTiles, columns, edge_cells, look, tally
from hsiaug.seeds import derive_seed
from hsiaug.tiles import IGNORE, DenseSamples

__all__ = ["QualityEstimator", "Reading", "fit_estimator"]

Array = NDArray[np.float64]
Masks = NDArray[np.int64]

ROUNDS = 100
FEWEST = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""

MOST = 200
"""Tiles of a set that are used at most."""


Reading = dict[str, Array]
"""What the judge says of some masks: each score (1 + ROUNDS,), of all tiles and of bootstrap draws of them.

All more-is-better, shares in 0..1; "joint" is minus the estimate in %.
"""


@dataclass(frozen=True, eq=False)
class QualityEstimator:
    """classes: C. ids: classes judged. probes, references: of training tiles.

    held: the view of the undamaged held-out images, and masks: theirs. kinds: (sets,) of damage to them, "" for none.
    scores: {score: (sets, 1 + ROUNDS)} of all held-out tiles, and of bootstrap draws of them; q: likewise, in %.
    curves: {score: its calibration curve; spearman is the mean over kinds}.
    """

    classes: int
    ids: tuple[int, ...]
    probes: Probes
    references: References
    held: ProbedTiles
    masks: Masks
    shapes: Mapping[str, tuple[int, ...]]
    kinds: tuple[str, ...]
    scores: Mapping[str, Array]
    q: Array
    joint: RidgeEstimate
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
        sums = tally(view, self.known(masks))
        weights = tile_weights(len(sums), ROUNDS, np.random.default_rng(derive_seed("judge's tiles", self.seed)))
        scores = with_joint(self.joint, scores_of([sums], weights, self.shapes, self.references))
        return {name: values[0] for name, values in scores.items()}

    def percent(self, reading: Reading, name: str = "joint") -> float:
        """The share of wrong pixels in % that one score of all tiles amounts to."""
        return self.curves[name].percent(reading[name][0])

    def estimate(self, reading: Reading, kinds: Sequence[str]) -> float:
        """The share of wrong pixels in %, had the judge been calibrated on these kinds of damage only."""
        kept = np.array([kind in ("", *kinds) for kind in self.kinds])
        scores = {name: values[kept] for name, values in self.scores.items()}
        joint = fit_joint(scores, self.q[kept])
        curve = falling_curve(self.q[kept, 0], -joint.percent(scores)[:, 0])
        plain = {name: np.asarray(SCORES[name][2] * reading[name][0]) for name in scores}
        return invert(curve, -float(joint.percent(plain)))


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
    shapes = columns(classes, len(probes.models), references.means.shape[1], train.dates)
    # Damage makes wrong classes of those judged only.
    steps = damaged_steps(view, held.masks, ids, rng)
    weights = tile_weights(len(held), ROUNDS, rng)
    scores, q = scores_of(steps.sums, weights, shapes, references), steps.percent(weights)
    joint = fit_joint(scores, q)
    return QualityEstimator(
        classes=classes,
        ids=ids,
        probes=probes,
        references=references,
        held=view,
        masks=held.masks,
        shapes=shapes,
        kinds=steps.kinds,
        scores=scores,
        q=q,
        joint=joint,
        curves={name: calibration_curve(steps.kinds, q, v) for name, v in with_joint(joint, scores).items()},
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
