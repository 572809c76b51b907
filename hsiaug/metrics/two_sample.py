"""How well a classifier that sees space tells made samples from held-out real ones.

The classifier two-sample test of Lopez-Paz and Oquab 2017, arXiv:1610.06545, by the area under the
ROC curve (AUC): ½ = the two sets cannot be told apart. What makes it honest:

- no pixel of a test sample is learnt from: folds are spatial blocks of the real samples;
- a made sample is in the fold of the held-out sample of its class that is nearest to it, so that
  neither what is made twice nor what repeats a held-out sample is recognised;
- each fold has the same number of both sides of each class;
- value, floor and ceiling share the real side and the design, and so the number of samples.

An AUC below ½ is kept as it is: it is chance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.neighbours import nearest_of_class
from hsiaug.metrics.spatial_folds import FOLDS, HALVES, Side

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Judge = Callable[[NDArray[np.floating], Ints, NDArray[np.floating], int], Array]
"""(training x (n, …), side (n,) 0 = real and 1 = made, test x (m, …), seed) → (m,) scores, higher =
made.
"""

TREES = 120
ROUNDS = 200
"""Rounds of the bootstrap of blocks."""
MIN_SAMPLES_PER_SIDE = 8
"""Samples of each side without which a fold is left out."""


@dataclass(frozen=True)
class TwoSample:
    """The outcome of a two-sample test.

    Attributes
    ----------
    auc : float
        Mean over folds, 0..1, not folded at ½.
    interval : (float, float)
        95 %, of blocks drawn anew.
    n : int
        Of each side.
    """

    auc: float
    interval: tuple[float, float]
    n: int


def match_folds(sides: Sequence[Side], rng: np.random.Generator, most: int) -> list[Side]:
    """Random subsets of all sides with the same number of each class in each fold, at most ``most``
    samples in all.
    """
    chosen: list[list[Ints]] = [[] for _ in sides]
    cells = [
        (k, c) for k in range(FOLDS) for c in np.unique(np.concatenate([side.y for side in sides]))
    ]
    rows = [[np.flatnonzero((side.fold == k) & (side.y == c)) for side in sides] for k, c in cells]
    sizes = np.array([min(map(len, candidates_of_sides)) for candidates_of_sides in rows])
    cap = _cap(sizes, most)
    for candidates_of_sides, size in zip(rows, np.minimum(sizes, cap).tolist(), strict=True):
        for parts, candidates in zip(chosen, candidates_of_sides, strict=True):
            parts.append(rng.choice(candidates, size=size, replace=False))
    return [
        side.take(np.concatenate(parts).astype(np.int64))
        for side, parts in zip(sides, chosen, strict=True)
    ]


def match_made(
    real: Side,
    reduced: NDArray[np.float32],
    made_y: Ints,
    made_reduced: NDArray[np.float32],
    rng: np.random.Generator,
    most: int,
) -> tuple[Side, Side, Side] | None:
    """The two halves of held-out samples, and made ones in their like, matched to one another.

    Parameters
    ----------
    real : Side
        The held-out samples.
    reduced, made_reduced : (n, k, g, g) and (m, k, g, g) float32
        Held-out and made samples as they are compared: a made one stands in the fold and the block
        of the held-out one of its class that is nearest to it.
    made_y : (m,) int64
        Classes of made samples.
    most : int
        Samples of each side.

    Returns
    -------
    tuple of Side or None
        First half, second half, made. None where nothing can be matched.
    """
    near = nearest_of_class(made_reduced, made_y, reduced, real.y)
    rows = np.flatnonzero(near >= 0)
    near = near[rows]
    made = replace(real.take(near), rows=rows, y=made_y[rows])
    halves = [real.take(real.half == h) for h in range(HALVES)]
    first, second, made = match_folds([*halves, made], rng, most)
    return (first, second, made) if len(made) else None


def _cap(sizes: Ints, most: int) -> int:
    """The largest cap of the sizes whose sum is at most ``most``; 1 at least."""
    caps = np.arange(1, max(2, int(sizes.max(initial=0)) + 1))
    fits = [int(cap) for cap in caps if np.minimum(sizes, cap).sum() <= most]
    return max(fits, default=1)


def two_sample_auc(
    sides: tuple[Side, Side],
    x: tuple[NDArray[np.floating], NDArray[np.floating]],
    judge: Judge,
    *,
    seed: int = 0,
) -> TwoSample | None:
    """Tell made samples from real ones by cross-validation.

    Parameters
    ----------
    sides : (Side, Side)
        Real and made samples, n and m of them.
    x : ((n, …), (m, …)) floats
        What the judge reads of each.
    judge : Judge
        Learns and scores.
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    TwoSample or None
        None where fewer than two folds have samples enough of both.
    """
    aucs = []
    rounds = []
    n = 0
    rng = np.random.default_rng(derive_seed("two-sample bootstrap", seed))
    for k in range(FOLDS):
        tested = [side.fold == k for side in sides]
        sizes = [int(in_fold.sum()) for in_fold in tested]
        if (
            min(*sizes, *(len(in_fold) - size for in_fold, size in zip(tested, sizes, strict=True)))
            < MIN_SAMPLES_PER_SIDE
        ):
            continue
        learnt = [values[~in_fold] for values, in_fold in zip(x, tested, strict=True)]
        label = np.repeat([0, 1], [len(in_fold) for in_fold in learnt]).astype(np.int64)
        test = np.concatenate([values[in_fold] for values, in_fold in zip(x, tested, strict=True)])
        score = judge(np.concatenate(learnt), label, test, derive_seed("two-sample", seed, k))
        real_scores = score[: sizes[0]]
        made_scores = score[sizes[0] :]
        weights = [
            _drawn_weights(side.block[in_fold], rng)
            for side, in_fold in zip(sides, tested, strict=True)
        ]
        aucs.append(
            float(
                _weighted_auc(
                    real_scores,
                    made_scores,
                    np.ones((1, len(real_scores))),
                    np.ones((1, len(made_scores))),
                )[0]
            )
        )
        rounds.append(_weighted_auc(real_scores, made_scores, *weights))
        n += len(real_scores)
    if len(aucs) < 2:
        return None
    low, high = np.nanpercentile(np.nanmean(rounds, axis=0), [2.5, 97.5])
    return TwoSample(float(np.mean(aucs)), (float(low), float(high)), n)


def _drawn_weights(block: Ints, rng: np.random.Generator) -> Array:
    """(rounds, n) how often each sample is drawn, where whole blocks (n,) are drawn with
    replacement.
    """
    ids, row = np.unique(block, return_inverse=True)
    drawn = rng.multinomial(len(ids), np.full(len(ids), 1 / len(ids)), size=ROUNDS)
    weights: Array = drawn[:, row].astype(np.float64)
    return weights


def _weighted_auc(
    real: Array, synthetic: Array, real_weight: Array, synthetic_weight: Array
) -> Array:
    """(rounds,) P(made > real) + ½ P(equal), of scores (n,) and (m,) with weights (rounds, n) and
    (rounds, m).
    """
    order = np.argsort(real, kind="stable")
    ranked = real[order]
    summed = np.concatenate(
        [np.zeros((len(real_weight), 1)), np.cumsum(real_weight[:, order], axis=1)], axis=1
    )
    below = summed[:, np.searchsorted(ranked, synthetic, side="left")]
    not_above = summed[:, np.searchsorted(ranked, synthetic, side="right")]
    whole = summed[:, -1] * synthetic_weight.sum(axis=1)
    auc: Array = ((below + not_above) / 2 * synthetic_weight).sum(axis=1) / np.where(
        whole > 0, whole, np.nan
    )
    return auc


def forest_judge(
    x: NDArray[np.floating], side: Ints, test: NDArray[np.floating], seed: int
) -> Array:
    """Extremely randomised trees (Geurts et al. 2006, Machine Learning 63) on features (n, F)."""
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed % 2**32)
    score: Array = forest.fit(x, side).predict_proba(test)[:, 1]
    return score
