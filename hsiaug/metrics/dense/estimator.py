"""The judge of masks: probes of real training tiles, and curves of real held-out tiles damaged on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError
from hsiaug.metrics.calibration import invert
from hsiaug.metrics.dense.calibration import (
    Joint,
    damaged_steps,
    falling_curve,
    fit_joint,
    scores_of,
    spearman_by_kind,
    tile_weights,
    with_joint,
)
from hsiaug.metrics.dense.damage import DAMAGES
from hsiaug.metrics.dense.probes import Probes, evidence, fit_probes
from hsiaug.metrics.dense.references import References, fit_references
from hsiaug.metrics.dense.scores import SCORES
from hsiaug.metrics.dense.tile_counts import View, columns, edge_cells, look, tally
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


@dataclass(frozen=True, eq=False)
class Reading:
    """What the judge says of some masks. All more-is-better, shares in 0..1; "joint" is minus the estimate in %.

    value: {score: float}. rounds: {score: (ROUNDS,)} of bootstrap
    draws of the tiles. wrong: {score: equivalent % of wrong pixels}. wrong_rounds: {score: (ROUNDS,)}.
    """

    value: Mapping[str, float]
    rounds: Mapping[str, Array]
    wrong: Mapping[str, float]
    wrong_rounds: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class QualityEstimator:
    """classes: C. ids: classes judged. probes, references: of training tiles.

    held: the view of the undamaged held-out images, and masks: theirs. kinds: (sets,) of damage to them, "" for none.
    scores: {score: (sets, 1 + ROUNDS)} of all held-out tiles, and of bootstrap draws of them; q: likewise, in %.
    curves: {score: (levels,)} and curve_rounds: {score: (ROUNDS, levels)}, falling. spearman: {score: with q, mean over
    kinds}.
    """

    classes: int
    ids: tuple[int, ...]
    probes: Probes
    references: References
    held: View
    masks: Masks
    shapes: Mapping[str, tuple[int, ...]]
    kinds: tuple[str, ...]
    scores: Mapping[str, Array]
    q: Array
    joint: Joint
    curves: Mapping[str, Array]
    curve_rounds: Mapping[str, Array]
    spearman: Mapping[str, float | None]
    seed: int

    def look(self, images: NDArray[np.float32]) -> View:
        """Put images to the probes, once for all masks of theirs."""
        return look(images, self.probes, self.references)

    def known(self, masks: Masks) -> Masks:
        """Masks without the classes that cannot be judged."""
        return np.where(np.isin(masks, self.ids), masks, IGNORE)

    def read(self, view: View, masks: Masks) -> Reading:
        """QualityEstimator masks (n, H, W) of the images in ``view``."""
        sums = tally(view, self.known(masks))
        n = len(sums)
        rng = np.random.default_rng(derive_seed("judge's tiles", self.seed))
        weights = np.concatenate([np.ones((1, n)), tile_weights(n, ROUNDS, rng)])
        found = with_joint(self.joint, scores_of([sums], weights, self.shapes, self.references))
        values = {name: float(v[0, 0]) for name, v in found.items()}
        rounds = {name: v[0, 1:] for name, v in found.items()}
        return Reading(
            values,
            rounds,
            {name: invert(self.curves[name], value) for name, value in values.items()},
            {name: _inverted(self.curve_rounds[name], scores) for name, scores in rounds.items()},
        )

    def estimate(self, reading: Reading, kinds: Sequence[str]) -> float:
        """The share of wrong pixels in %, had the judge been calibrated on these kinds of damage only."""
        kept = np.array([kind in ("", *kinds) for kind in self.kinds])
        scores = {name: values[kept] for name, values in self.scores.items()}
        joint = fit_joint(scores, self.q[kept])
        curve = falling_curve(self.q[kept, 0], -joint.percent(scores)[:, 0])
        plain = {name: np.asarray(SCORES[name][2] * reading.value[name]) for name in scores}
        return invert(curve, -float(joint.percent(plain)))


def fit_estimator(
    train: DenseSamples, held: DenseSamples, classes: int, seed: int = 0, kinds: Sequence[str] = tuple(DAMAGES)
) -> QualityEstimator:
    """A judge of masks from real tiles; the same ``seed`` gives the same judge. At most 200 tiles of a set are used.

    Raises InputError where fewer than two classes have 30 pixels in both sets.
    """
    from sklearn import config_context

    rng = np.random.default_rng(derive_seed("dense judge", seed))
    train, held = (some_tiles(part, rng) for part in (train, held))
    counts = [np.bincount(part.masks.ravel(), minlength=classes + 1)[1:] for part in (train, held)]
    ids = tuple(int(c) + 1 for c in np.flatnonzero((counts[0] >= FEWEST) & (counts[1] >= FEWEST)))
    if len(ids) < 2:
        raise InputError(
            f"two classes need {FEWEST} labelled pixels in training and in held-out tiles",
            value=f"classes {ids}",
            hint="Use more tiles.",
        )
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
    steps = damaged_steps(view, held.masks, ids, rng, kinds)
    n = len(held)
    weights = np.concatenate([np.ones((1, n)), tile_weights(n, ROUNDS, rng)])
    scores, q = scores_of(steps.sums, weights, shapes, references), steps.percent(weights)
    joint = fit_joint(scores, q)
    turned = with_joint(joint, scores)
    # One curve per score and round: what scikit-learn checks each time takes longer than the fit.
    with config_context(skip_parameter_validation=True, assume_finite=True):
        rounds = {
            name: np.stack([falling_curve(q[:, b], v[:, b]) for b in range(1, ROUNDS + 1)])
            for name, v in turned.items()
        }
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
        curves={name: falling_curve(q[:, 0], v[:, 0]) for name, v in turned.items()},
        curve_rounds=rounds,
        spearman={name: spearman_by_kind(steps.kinds, q[:, 0], v[:, 0]) for name, v in turned.items()},
        seed=seed,
    )


def some_tiles(samples: DenseSamples, rng: np.random.Generator) -> DenseSamples:
    """At most MOST of the tiles, in their order."""
    return samples.take(np.sort(rng.permutation(len(samples))[:MOST]))


def _inverted(curves: Array, scores: Array) -> Array:
    return np.array([invert(curve, score) for curve, score in zip(curves, scores, strict=True)])
