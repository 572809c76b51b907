"""From a score to "equivalent to q % wrong labels": known damage to real labels gives the curve to read it on.

The calibration is this project's own: we know of none in the literature (docs/quality.md, docs/dense-quality.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.spectra import Spectra

__all__ = [
    "LEVELS",
    "CalibrationCurve",
    "calibrate",
    "calibration_curve",
    "falling_curve",
    "invert",
    "spearman_by_kind",
    "stand_ins",
    "wrong_contents",
]

LEVELS = (0, 5, 10, 20, 40, 60, 80)
"""Percentages of wrong labels that are injected."""

LabelScorer = Callable[[NDArray[np.int64], NDArray[np.int64]], float]
"""(rows of the real held-out set (n,), label of each (n,)) → score; higher is better."""


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """A score, more is better, of real samples of which q % are wrong, at the q of LEVELS; made monotone.

    mean: (levels,) float64, of all samples. rounds: (rounds, levels), of bootstrap rounds. spearman: rank correlation of
    the scores as they were with q: −1 where each added wrong label lowers the score; None where it does not move at all.
    """

    mean: NDArray[np.float64]
    rounds: NDArray[np.float64]
    spearman: float | None

    def percent(self, score: float) -> float:
        """The q in % that a score amounts to."""
        return invert(self.mean, score)

    def percents(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(rounds,) the same of the scores (rounds,) of bootstrap rounds, each by the curve of its round."""
        return np.array([invert(curve, score) for curve, score in zip(self.rounds, scores, strict=True)])


def calibration_curve(
    kinds: Sequence[str], q: NDArray[np.float64], scores: NDArray[np.float64]
) -> CalibrationCurve:
    """The curve through the scores (sets, 1 + rounds) of sets of samples with q (sets, 1 + rounds) % of them wrong.

    kinds: (sets,) of damage, "" for none. The first column is of all samples, the others of bootstrap rounds.
    """
    from sklearn import config_context

    # One curve for each score and round: what scikit-learn checks each time takes longer than the fit.
    with config_context(skip_parameter_validation=True, assume_finite=True):
        mean, *rounds = (falling_curve(*column) for column in zip(q.T, scores.T, strict=True))
    return CalibrationCurve(mean, np.stack(rounds), spearman_by_kind(kinds, q[:, 0], scores[:, 0]))


def falling_curve(q: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(levels,) of values (sets,) at LEVELS, falling (isotonic regression); NaN where they are not defined."""
    from sklearn.isotonic import isotonic_regression

    some = np.flatnonzero(~np.isnan(values))
    if len(some) < 3:
        return np.full(len(LEVELS), np.nan)
    order = some[np.argsort(q[some], kind="stable")]
    fitted = isotonic_regression(values[order], increasing=False)
    curve: NDArray[np.float64] = np.interp(LEVELS, q[order], fitted)
    return curve


def spearman_by_kind(kinds: Sequence[str], q: NDArray[np.float64], values: NDArray[np.float64]) -> float | None:
    """Mean over kinds of the rank correlation with q, undamaged samples in each; None where none moves."""
    from scipy.stats import spearmanr

    found = []
    for kind in sorted(set(kinds) - {""}):
        rows = np.array([k in ("", kind) for k in kinds]) & ~np.isnan(values)
        if rows.sum() > 2 and np.ptp(values[rows]) > 0 and np.ptp(q[rows]) > 0:
            found.append(float(spearmanr(q[rows], values[rows]).statistic))
    return float(np.mean(found)) if found else None


def calibrate(
    scores: Mapping[str, LabelScorer],
    held: Spectra,
    labels: NDArray[np.int64],
    rounds: int,
    rng: np.random.Generator,
) -> dict[str, CalibrationCurve]:
    """The curve of each score: held-out samples stand in for the synthetic ones, q % of them of another class.

    labels: (n,) class ids of the synthetic samples, all of classes that ``held`` has; the stand-ins have the same.
    Each round draws the held-out samples anew, with replacement.
    """
    raw = {name: np.empty((rounds, len(LEVELS))) for name in scores}
    for b in range(rounds):
        rows = stand_ins(held, labels, rng)
        order, donors = wrong_contents(labels, rng)
        for j, level in enumerate(LEVELS):
            wrong = order[: round(len(labels) * level / 100)]
            damaged = rows.copy()
            damaged[wrong] = rows[donors[wrong]]
            for name, score in scores.items():
                raw[name][b, j] = score(damaged, labels)
    kinds, q = (
        ("wrong labels",) * len(LEVELS),
        np.repeat(np.array(LEVELS, dtype=float)[:, None], rounds + 1, axis=1),
    )
    return {
        name: calibration_curve(kinds, q, np.column_stack([values.mean(axis=0), values.T]))
        for name, values in raw.items()
    }


def stand_ins(held: Spectra, labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) rows of ``held`` with exactly the classes ``labels``: a bootstrap of each class, then draws from it.

    Drawn in two steps because a class may have fewer held-out samples than synthetic ones: what is uncertain is
    the held-out sample, not the draws from it.
    """
    rows = np.empty(len(labels), dtype=np.int64)
    for c in np.unique(labels):
        own = np.flatnonzero(held.y == c)
        places = np.flatnonzero(labels == c)
        rows[places] = rng.choice(rng.choice(own, size=len(own)), size=len(places))
    return rows


def wrong_contents(
    labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A random order (n,) in which samples go wrong, and for each the place (n,) of a sample of another class.

    A wrong sample keeps its label and takes another class's content, so the classes asked for stay as they are,
    as in what a generator makes. Needs two classes.
    """
    donors = rng.integers(len(labels), size=len(labels))
    while (same := labels[donors] == labels).any():
        donors[same] = rng.integers(len(labels), size=int(same.sum()))
    return rng.permutation(len(labels)), donors


def invert(curve: NDArray[np.float64], score: float) -> float:
    """The q in % at which a falling curve (levels,) reaches ``score``; 0 above the curve, 80 below it."""
    return float(np.interp(-score, -curve, LEVELS)) if curve[0] > curve[-1] else 0.0
