"""How many more labels per class a configuration is worth: where a learning curve over added
labels reaches the configuration's score.

The curve is the least-squares non-decreasing fit to its means over splits (isotonic regression: R.
E. Barlow et al., Statistical Inference under Order Restrictions, Wiley 1972), linear between its
points. The interval comes from drawing whole splits with replacement, curve and configuration
together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hsiaug.base.arrays import Float64
from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.significance import MIN_PAIRS

RESAMPLES = 2000
SAME = 12
"""Decimals after which two scores are the same number."""


@dataclass(frozen=True)
class LabelEquivalent:
    """The worth of a configuration in labels.

    Attributes
    ----------
    value : float
        k*, added labels per class; -inf below the curve's start, inf above its end.
    low, high : float or None
        95 % interval, None below MIN_PAIRS splits; they may be infinite too.
    draws : int
        How many were paired.
    """

    value: float
    low: float | None
    high: float | None
    draws: int


def isotonic(values: Float64) -> Float64:
    """(..., K) the non-decreasing sequence that is nearest to ``values`` (..., K) in squares, all
    weighted alike.
    """
    from scipy.optimize import isotonic_regression

    return np.apply_along_axis(lambda row: isotonic_regression(row).x, -1, values)


def crossing(labels: Float64, curve: Float64, score: Float64) -> Float64:
    """(...) the fewest labels at which a non-decreasing curve (..., K) over ``labels`` (K,) reaches
    ``score`` (...).

    Linear between two points. -inf where the score lies below the curve's start, inf where above
    its end.
    """
    curve = np.round(curve, SAME)
    score = np.round(score, SAME)
    above = np.minimum((curve < score[..., None]).sum(axis=-1), curve.shape[-1] - 1)
    below = np.maximum(above - 1, 0)
    low, high = (np.take_along_axis(curve, i[..., None], axis=-1)[..., 0] for i in (below, above))
    share = np.where(high > low, (score - low) / np.where(high > low, high - low, 1), 0)
    between = labels[below] + np.where(above > below, share * (labels[above] - labels[below]), 0)
    return np.where(
        score < curve[..., 0], -np.inf, np.where(score > curve[..., -1], np.inf, between)
    )


def label_equivalent(labels: Sequence[float], curve: Float64, arm: Float64) -> LabelEquivalent:
    """k* of a configuration, with its 95 % interval.

    Equal draws give equal intervals, and all configurations of D splits share their resamples, so
    that a better configuration is never worth less.

    Parameters
    ----------
    labels : sequence of float
        (K,) added labels per class, ascending from 0.
    curve : (D, K) array
        Scores of the curve in each of D splits.
    arm : (D,) array
        Scores of the configuration in the same splits.

    Raises
    ------
    InputError
        For shapes that do not fit, or numbers that are not finite.
    """
    at, curve, arm = (np.asarray(values, dtype=np.float64) for values in (labels, curve, arm))
    fits = (
        at.ndim == 1
        and at.size > 1
        and curve.shape == (arm.size, at.size)
        and arm.ndim == 1
        and arm.size > 0
    )
    if (
        not fits
        or not (np.diff(at) > 0).all()
        or not np.isfinite(curve).all()
        or not np.isfinite(arm).all()
    ):
        rule = (
            "a label equivalent needs finite scores of curve and configuration in each split, at"
            " two numbers of labels or more"
        )
        raise InputError(
            rule,
            value=f"shapes {at.shape}, {curve.shape}, {arm.shape}",
            hint="Pass the splits that have them all, with ascending numbers of labels.",
        )
    value = crossing(at, isotonic(curve.mean(axis=0)), arm.mean(axis=0))
    draws = len(arm)
    if draws < MIN_PAIRS:
        return LabelEquivalent(float(value), None, None, draws)
    rng = np.random.default_rng(derive_seed("label equivalents", draws))
    drawn = rng.integers(draws, size=(RESAMPLES, draws))
    resampled = np.sort(crossing(at, isotonic(curve[drawn].mean(axis=1)), arm[drawn].mean(axis=1)))
    # By rank: there is no mean of a number and infinity.
    tail = int(0.025 * RESAMPLES)
    return LabelEquivalent(float(value), float(resampled[tail]), float(resampled[-1 - tail]), draws)
