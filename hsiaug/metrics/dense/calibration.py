"""From scores of masks to "equivalent to q % wrong pixels": real held-out masks, damaged on purpose, give the curves.

The calibration is this project's own: we know of none in the literature (docs/quality.md, docs/dense-quality.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.calibration import LEVELS
from hsiaug.metrics.dense.damage import DAMAGES, damage
from hsiaug.metrics.dense.references import References
from hsiaug.metrics.dense.scores import SCORES, score_all, split_counts
from hsiaug.metrics.dense.tile_counts import ProbedTiles, tally
from hsiaug.tiles import IGNORE

__all__ = [
    "DamagedMasks",
    "RidgeEstimate",
    "damaged_steps",
    "fit_joint",
    "scores_of",
    "tile_weights",
    "with_joint",
]

Array = NDArray[np.float64]
Masks = NDArray[np.int64]

REPEATS = 3
"""Times that each kind and share of damage is drawn."""

USED = (
    "pixels", "likely", "firm", "segments", "interior", "border", "nearest_class", "agreement", "boundary", "peak",
)  # fmt: skip
"""What the joint estimate sees; AUC and peak tell a moved mask, whose pixels beside an edge look half right."""

PENALTY = 1.0


@dataclass(frozen=True, eq=False)
class DamagedMasks:
    """Damaged copies of the same held-out masks.

    kinds: of damage, "" for none. sums: per set the counts (n, K) of :func:`tally`. wrong: (sets, n) wrong pixels of
    each tile. labelled: (n,) labelled pixels.
    """

    kinds: tuple[str, ...]
    sums: tuple[Array, ...]
    wrong: Array
    labelled: Array

    def percent(self, weights: Array) -> Array:
        """(sets, rounds) the q of each set under weights (rounds, n) of its tiles."""
        q: Array = 100 * (self.wrong @ weights.T) / np.maximum(weights @ self.labelled, 1)
        return q


@dataclass(frozen=True, eq=False)
class RidgeEstimate:
    """A ridge regression of q on the scores in USED, made for one set of held-out tiles; see :func:`fit_joint`."""

    mean: Array
    scale: Array
    weights: Array
    offset: float

    def percent(self, scores: Mapping[str, Array]) -> Array:
        """(...) the estimate of q in %, not yet made monotone; a score that is not defined says nothing."""
        x = (_table(scores) - self.mean) / self.scale
        answer: Array = np.where(np.isnan(x), 0, x) @ self.weights + self.offset
        return answer


def tile_weights(n: int, rounds: int, rng: np.random.Generator) -> Array:
    """(1 + rounds, n) how often each tile counts: once first, then as often as each bootstrap round draws it."""
    return np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), size=rounds)])


def damaged_steps(
    view: ProbedTiles,
    masks: Masks,
    ids: Sequence[int],
    rng: np.random.Generator,
) -> DamagedMasks:
    """Damage masks (n, H, W) in every kind, at every level, three times; and once not at all."""
    names, sums, wrong = [""], [tally(view, masks)], [np.zeros(len(masks))]
    for kind in DAMAGES:
        for level in LEVELS[1:] * REPEATS:
            worse = damage(masks, kind, level, ids, rng)
            names.append(kind)
            sums.append(tally(view, worse))
            wrong.append((worse != masks).sum(axis=(1, 2)).astype(np.float64))
    return DamagedMasks(
        tuple(names), tuple(sums), np.stack(wrong), (masks != IGNORE).sum(axis=(1, 2)).astype(np.float64)
    )


def scores_of(
    sums: Sequence[Array], weights: Array, shapes: Mapping[str, tuple[int, ...]], references: References
) -> dict[str, Array]:
    """{score: (sets, rounds)} under weights (rounds, n)."""
    rows = [score_all(split_counts(weights @ part, shapes), references) for part in sums]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def fit_joint(scores: Mapping[str, Array], q: Array) -> RidgeEstimate:
    """From scores (sets, rounds) of bootstrap draws of the tiles, at q (sets, rounds).

    One score reads some kinds of damage too high and others too low; together they tell the kinds apart. The draws
    teach how scores of *right* masks vary from tile to tile.
    """
    x, y = _table(scores).reshape(-1, len(USED)), q.ravel()
    defined = ~np.isnan(x)
    count = np.maximum(defined.sum(axis=0), 1)
    mean = np.where(defined, x, 0).sum(axis=0) / count
    gap = np.where(defined, x - mean, 0)
    scale = np.sqrt((gap**2).sum(axis=0) / count)
    scale = np.where(scale > 1e-9, scale, 1.0)
    z = gap / scale
    weights = np.linalg.solve(z.T @ z + PENALTY * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return RidgeEstimate(mean, scale, weights, float(y.mean()))


def with_joint(joint: RidgeEstimate, scores: Mapping[str, Array]) -> dict[str, Array]:
    """The scores and the joint estimate, by name, all turned so that more is better."""
    turned = {name: SCORES[name][2] * values for name, values in scores.items()}
    return {**turned, "joint": -joint.percent(scores)}


def _table(scores: Mapping[str, Array]) -> Array:
    """(..., used)."""
    return np.stack([scores[name] for name in USED], axis=-1)
