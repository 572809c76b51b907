"""From a score to "equivalent to q % wrong labels": known damage to real labels gives the curve to read it on.

The calibration is this project's own: we know of none in the literature (docs/quality.md, docs/dense-quality.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.spectra import Spectra

__all__ = ["LEVELS", "Curves", "calibrate", "invert", "stand_ins", "wrong_contents"]

LEVELS = (0, 5, 10, 20, 40, 60, 80)
"""Percentages of wrong labels that are injected."""

Score = Callable[[NDArray[np.int64], NDArray[np.int64]], float]
"""(rows of the real held-out set (n,), label of each (n,)) → score; higher is better."""


@dataclass(frozen=True, eq=False)
class Curves:
    """scores: (rounds, levels) float64, each row the scores of one bootstrap round at LEVELS, made monotone.

    mean: (levels,) their mean, made monotone. spearman: rank correlation of the plain mean scores with q: −1 where
    each added wrong label lowers the score; None where the score does not move at all.
    """

    scores: NDArray[np.float64]
    mean: NDArray[np.float64]
    spearman: float | None


def calibrate(
    scores: Mapping[str, Score], held: Spectra, labels: NDArray[np.int64], rounds: int, rng: np.random.Generator
) -> dict[str, Curves]:
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
    return {name: _curves(values) for name, values in raw.items()}


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


def _curves(raw: NDArray[np.float64]) -> Curves:
    mean = raw.mean(axis=0)
    moves = np.ptp(mean) > 0
    return Curves(np.stack([_falling(row) for row in raw]), _falling(mean), _spearman(mean) if moves else None)


def _falling(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from sklearn.isotonic import isotonic_regression

    fitted: NDArray[np.float64] = isotonic_regression(values, increasing=False)
    return fitted


def _spearman(values: NDArray[np.float64]) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(LEVELS, values).statistic)
