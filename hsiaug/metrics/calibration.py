"""Scores of synthetic labels, each beside its ceiling and its floor, and "equivalent to q % wrong
labels".

Known damage to real labels gives the curve that a score is read on.

The calibration is this project's own: we know of none in the literature (docs/quality.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.label_equivalents import isotonic
from hsiaug.metrics.spectra import Spectra

LEVELS = (0, 5, 10, 20, 40, 60, 80)
"""Percentages of wrong labels that are injected."""

LabelScorer = Callable[[NDArray[np.int64], NDArray[np.int64]], float]
"""(rows of the real held-out set (n,), label of each (n,)) → share of labels that are confirmed,
0..1.
"""
CLOSEST = 5.0
"""Points between floor and ceiling without which nothing is read, however sure they are."""
FLAT = "the score of real samples does not fall surely with wrong labels"
USABLE = -0.9
"""A curve is read only where the score falls with q at least this surely (Spearman)."""


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """A score, more is better, of real samples of which q % are wrong, at the q of LEVELS; made
    monotone.

    Attributes
    ----------
    mean : (levels,) float64
        Over bootstrap rounds; it begins at the ceiling.
    rounds : (rounds, levels) float64
    spearman : float or None
        Rank correlation of the mean with q: −1 where each added wrong label lowers the score;
        None where it does not move at all.
    """

    mean: NDArray[np.float64]
    rounds: NDArray[np.float64]
    spearman: float | None


def calibrate(
    score: LabelScorer,
    held_out: Spectra,
    labels: NDArray[np.int64],
    rounds: int,
    rng: np.random.Generator,
) -> CalibrationCurve:
    """The curve of a score: held-out samples stand in for the synthetic ones, q % of them of
    another class.

    Parameters
    ----------
    labels : (n,) int64
        Class ids of the synthetic samples, all of classes that ``held_out`` has; the stand-ins have
        the same. Each round draws the held-out samples anew, with replacement.
    """
    from scipy.stats import spearmanr

    values = np.empty((rounds, len(LEVELS)))
    for b in range(rounds):
        rows = stand_ins(held_out, labels, rng)
        order, donors = wrong_contents(labels, rng)
        for j, level in enumerate(LEVELS):
            wrong = order[: round(len(labels) * level / 100)]
            damaged = rows.copy()
            damaged[wrong] = rows[donors[wrong]]
            values[b, j] = score(damaged, labels)
    mean = values.mean(axis=0)
    moves = np.ptp(mean) > 0
    return CalibrationCurve(
        -isotonic(-mean),
        -isotonic(-values),
        float(spearmanr(LEVELS, mean).statistic) if moves else None,
    )


def stand_ins(
    held_out: Spectra, labels: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """(n,) rows of ``held_out`` with exactly the classes ``labels``: a bootstrap of each class,
    then draws from it.

    Drawn in two steps because a class may have fewer held-out samples than synthetic ones: what is
    uncertain is the held-out sample, not the draws from it.
    """
    rows = np.empty(len(labels), dtype=np.int64)
    for c in np.unique(labels):
        members = np.flatnonzero(held_out.y == c)
        places = np.flatnonzero(labels == c)
        rows[places] = rng.choice(rng.choice(members, size=len(members)), size=len(places))
    return rows


def wrong_contents(
    labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A random order (n,) in which samples go wrong, and for each the place (n,) of a sample of
    another class.

    A wrong sample keeps its label and takes another class's content, so the classes asked for stay
    as they are, as in what a generator makes. Needs two classes.
    """
    donors = rng.integers(len(labels), size=len(labels))
    while (same := labels[donors] == labels).any():
        donors[same] = rng.integers(len(labels), size=int(same.sum()))
    return rng.permutation(len(labels)), donors


def why_silent(
    value: float,
    ceiling: float,
    floor: float,
    values: NDArray[np.float64],
    ceilings: NDArray[np.float64],
) -> str:
    """Why no share of wrong labels can be read from a score; "" where it can.

    Parameters
    ----------
    value, ceiling, floor : float
        The score of synthetic samples, of real held-out ones, and of shuffled labels; in one unit
        of 0..100.
    values, ceilings : (rounds,) float64
        Value and ceiling of bootstrap rounds. What chance moves them by is allowed for.

    Returns
    -------
    str
        A clause that says what the score does.
    """
    chance = 1.96 * float(np.sqrt(np.var(values) + np.var(ceilings)))
    if ceiling - floor < max(CLOSEST, chance):
        return "real held-out samples score hardly better than shuffled labels"
    if value > ceiling + chance:
        return "they score above real held-out samples"
    if value < floor - chance:
        return "they score below shuffled labels"
    return ""


def read_curve(curve: NDArray[np.float64], score: float) -> float:
    """The q in % at which a falling curve (levels,) reaches ``score``; 0 above the curve, 80 below
    it.
    """
    return float(np.interp(-score, -curve, LEVELS)) if curve[0] > curve[-1] else 0.0


@dataclass(frozen=True)
class Reliability:
    """Every score of the synthetic labels, with what it was judged on.

    Attributes
    ----------
    scores : tuple of LabelScore
        By the table's order, those that are defined.
    n : int
        Synthetic samples or tiles judged.
    n_held : int
        Held-out ones.
    notes : tuple of str
        Sentences on what was left out.
    """

    scores: "tuple[LabelScore, ...]"
    n: int
    n_held: int
    notes: tuple[str, ...]

    def get(self, name: str) -> "LabelScore | None":
        """The score of that name, None where it is not defined."""
        return next((score for score in self.scores if score.name == name), None)

    def __getitem__(self, name: str) -> "LabelScore":
        return next(score for score in self.scores if score.name == name)

    def as_json(self) -> dict[str, object]:
        """The entry in quality.json."""
        return {
            "scores": [vars(score) for score in self.scores],
            "levels_percent": list(LEVELS),
            "n": self.n,
            "n_held": self.n_held,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class LabelScore:
    """One score of the synthetic labels, over n samples or pixels. None where it cannot be had.

    Attributes
    ----------
    value, ceiling, floor, curve : float or tuple of float
        In %.
    r : float or None
        (value − floor) / (ceiling − floor); above 1 the samples are *more* typical of their
        classes than held-out real ones are, which is not "better".
    wrong : float or None
        The equivalent share of wrong labels in %, with the 95 % interval of a bootstrap of
        samples, or of whole tiles; pixels of a scene are correlated, so take that of samples as
        the narrowest that it could be. 0 at the ceiling, 80 at most. None where it cannot be
        told, and ``why`` says why: the score does not fall surely with q, as its calibration
        curve's ``spearman`` says (−1 at best, −.9 at worst), or :func:`why_silent` forbids it.
    """

    name: str
    label: str
    value: float
    ceiling: float
    floor: float
    r: float | None
    wrong: float | None
    wrong_interval: tuple[float, float] | None
    spearman: float | None
    curve: tuple[float, ...]
    n: int
    unit: str = "%"
    why: str = ""
