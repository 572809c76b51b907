"""From scores of masks to "equivalent to q % wrong pixels": real held-out masks, damaged on purpose, give the curves.

SpecDM specification, section 4: the calibration is this project's own; nobody in the literature we know ships it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.calibration import LEVELS
from hsiaug.metrics.dense.damage import DAMAGES, damage
from hsiaug.metrics.dense.references import References
from hsiaug.metrics.dense.scores import SCORES, Counts, score_all
from hsiaug.metrics.dense.tally import View, tally
from hsiaug.tiles import IGNORE

__all__ = ["Calibration", "Steps", "calibrate", "damaged_steps", "tile_weights"]

Array = NDArray[np.float64]
Masks = NDArray[np.int64]

REPEATS = 3
"""Times that each kind and share of damage is drawn."""

USED = ("pixels", "likely", "firm", "segments", "interior", "border", "nearest_class", "agreement", "boundary", "peak")
"""What the joint estimate sees; AUC and peak tell a moved mask, whose pixels beside an edge look half right."""

DRAWS = 4
"""Bootstrap draws of the tiles that the joint estimate learns from, for each damaged set."""

PENALTY = 1.0


@dataclass(frozen=True, eq=False)
class Steps:
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
class Calibration:
    """curves: {score: (levels,)} the score at LEVELS, made monotone. spearman: {score: mean over the kinds of damage}.

    mean, scale, weights, offset: of the joint estimate, a ridge regression of q on the scores in USED.
    """

    curves: Mapping[str, Array]
    spearman: Mapping[str, float]
    mean: Array
    scale: Array
    weights: Array
    offset: float

    def joint(self, scores: Mapping[str, Array]) -> Array:
        """(...) the estimate of q in %, not yet made monotone."""
        x = (_table(scores) - self.mean) / self.scale
        answer: Array = np.where(np.isnan(x), 0, x) @ self.weights + self.offset
        return answer


def tile_weights(n: int, rounds: int, rng: np.random.Generator) -> Array:
    """(rounds, n) how often each tile is drawn in each bootstrap round."""
    return rng.multinomial(n, np.full(n, 1 / n), size=rounds).astype(np.float64)


def damaged_steps(
    view: View, masks: Masks, classes: int, rng: np.random.Generator, kinds: Sequence[str] = tuple(DAMAGES)
) -> Steps:
    """Damage masks (n, H, W) in every kind, at every level, three times; and once not at all."""
    names, sums, wrong = [""], [tally(view, masks)], [np.zeros(len(masks))]
    for kind in kinds:
        for level in LEVELS[1:] * REPEATS:
            worse = damage(masks, kind, level, classes, rng)
            names.append(kind)
            sums.append(tally(view, worse))
            wrong.append((worse != masks).sum(axis=(1, 2)).astype(np.float64))
    return Steps(tuple(names), tuple(sums), np.stack(wrong), (masks != IGNORE).sum(axis=(1, 2)).astype(np.float64))


def scores_of(
    sums: Sequence[Array], weights: Array, shapes: Mapping[str, tuple[int, ...]], references: References
) -> dict[str, Array]:
    """{score: (sets, rounds)} under weights (rounds, n)."""
    rows = [score_all(Counts.of(weights @ part, shapes), references) for part in sums]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def calibrate(steps: Steps, scores: Mapping[str, Array], q: Array, draws: Mapping[str, Array], q_draws: Array) -> Calibration:
    """Curves from scores (sets,) at q (sets,); the joint estimate from those of bootstrap draws (sets, draws) too.

    The draws teach it how scores of *right* labels vary from tile to tile: where the probes are unsure, say.
    """
    x = np.concatenate([_table(scores), _table(draws).reshape(-1, len(USED))])
    y = np.concatenate([q, q_draws.ravel()])
    known = ~np.isnan(x)
    mean = np.where(known.any(axis=0), np.nanmean(np.where(known.any(axis=0), x, 0), axis=0), 0)
    scale = np.sqrt(np.nanmean(np.where(known.any(axis=0), (x - mean) ** 2, 1), axis=0))
    scale = np.where(scale > 1e-9, scale, 1.0)
    z = np.where(known, (x - mean) / scale, 0)
    # Half of all rows are within 20 %: there an error of five points matters most.
    weights = np.linalg.solve(z.T @ z + PENALTY * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    fitted = Calibration({}, {}, mean, scale, weights, float(y.mean()))
    rising = {**scores, "joint": -fitted.joint(scores)}
    signs = {name: sign for name, (_, _, sign) in SCORES.items()} | {"joint": 1.0}
    return Calibration(
        {name: _curve(q, signs[name] * values) for name, values in rising.items()},
        {name: _spearman(steps.kinds, q, signs[name] * values) for name, values in rising.items()},
        mean,
        scale,
        weights,
        fitted.offset,
    )


def _table(scores: Mapping[str, Array]) -> Array:
    """(..., used)."""
    return np.stack([scores[name] for name in USED], axis=-1)


def _curve(q: Array, values: Array) -> Array:
    """(levels,) falling; NaN where the score is not defined on the real masks."""
    from sklearn.isotonic import IsotonicRegression

    some = ~np.isnan(values)
    if some.sum() < 3:
        return np.full(len(LEVELS), np.nan)
    fit = IsotonicRegression(increasing=False, out_of_bounds="clip").fit(q[some], values[some])
    curve: Array = fit.predict(np.array(LEVELS, dtype=np.float64))
    return curve


def _spearman(kinds: Sequence[str], q: Array, values: Array) -> float:
    """Mean over kinds of the rank correlation with q, undamaged masks included in each."""
    from scipy.stats import spearmanr

    found = []
    for kind in sorted(set(kinds) - {""}):
        rows = np.array([k in ("", kind) for k in kinds]) & ~np.isnan(values)
        if rows.sum() > 2 and np.ptp(values[rows]) > 0 and np.ptp(q[rows]) > 0:
            found.append(float(spearmanr(q[rows], values[rows]).statistic))
    return float(np.mean(found)) if found else 0.0
