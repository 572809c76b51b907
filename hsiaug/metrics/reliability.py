"""Do the labels of synthetic samples fit their spectra? R1 and R2 of docs/quality.md, without any training
on synthetic samples.

Every score stands beside its **ceiling** (real held-out samples in place of the synthetic ones, class by class),
its **floor** (the synthetic labels permuted), r = (score − floor) / (ceiling − floor), and the share of wrong
labels that would bring real held-out samples down to the same score (:mod:`hsiaug.metrics.calibration`).

Held-out samples are test pixels of the split, labels included. This is a diagnosis that the core makes after
everything was fitted; it is never a component of a generator or classifier, and must not be used to choose one for
the same split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.accuracy import cohen_kappa, confusion
from hsiaug.metrics.calibration import LEVELS, CalibrationCurve, LabelScore, ScoreKind, calibrate, label_score
from hsiaug.metrics.distances import spectral_angle
from hsiaug.metrics.probes import PROBES, fit_nearest_class
from hsiaug.metrics.spectra import Spectra, at_most, shared_classes

__all__ = ["SCORES", "Reliability", "kappa", "reliability"]

ROUNDS = 100
MOST = 500
"""Samples of one class that are used at most, of each set."""

SCORES: dict[str, ScoreKind] = {
    "agreement": ("R1 probe agreement", "%", 1),
    "kappa": ("R1 probe κ", "", 1),
    "oracle": ("R1 oracle agreement", "%", 1),
    "agreement_lda": ("R1 agreement, LDA alone", "%", 1),
    "agreement_svm": ("R1 agreement, SVM alone", "%", 1),
    "nearest_class": ("R2 nearest class is the label", "%", 1),
    "msad": ("R2 angle between class means", "°", -1),
}
"""By the name of a score; the table's order."""

ORACLE = ("oracle",)


@dataclass(frozen=True)
class Reliability:
    """scores: by the table's order. recall: {class id: {"synthetic", "held_out": probes' recall, "n", "n_held"}}.

    n: synthetic samples judged. n_held: held-out samples. notes: sentences on what was left out.
    """

    scores: tuple[LabelScore, ...]
    recall: Mapping[int, Mapping[str, float]]
    n: int
    n_held: int
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> LabelScore:
        return next(score for score in self.scores if score.name == name)

    def as_json(self) -> dict[str, Any]:
        """The entry in quality.json."""
        return {
            "scores": [vars(score) for score in self.scores],
            "levels_percent": list(LEVELS),
            "recall": {str(c): dict(row) for c, row in self.recall.items()},
            "n": self.n,
            "n_held": self.n_held,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class _Judged:
    """A set of spectra, and what the probes say of them: guesses (probes, n), nearest (n,)."""

    spectra: Spectra
    guesses: NDArray[np.int64]
    nearest: NDArray[np.int64]


def reliability(train: Spectra, held: Spectra, synthetic: Spectra, *, seed: int = 0) -> Reliability:
    """Judge the labels of synthetic centre spectra; all spectra in scene units.

    R1, train on real and test on synthetic: GAN-test (Shmelkov et al. 2018, arXiv:1807.09499) with a shrinkage LDA
    and an RBF-SVM on centre spectra; ``agreement`` and κ are means over the two. R2: mSAD as in SpecDM (arXiv:
    2502.17056, Table 1), and the class of least Mahalanobis distance. The same ``seed`` gives the same report.

    ``oracle`` is R1 with probes that learn from half of the held-out samples too, calibrated on the other half.
    Where held-out pixels lie far from the training clumps, probes of training pixels know them badly: nearly
    every generator is then above the ceiling of ``agreement``, while the oracle still sees wrong labels.
    """
    rng = np.random.default_rng(derive_seed("reliability", seed))
    classes = shared_classes([train, held, synthetic])
    dropped = sorted(set(synthetic.counts) - set(classes))
    notes = (f"not judged, for want of real samples: class {', '.join(map(str, dropped))}",) if dropped else ()
    if len(classes) < 2:
        return Reliability((), {}, 0, 0, (*notes, "two classes with real and synthetic samples are needed"))
    held, synthetic = (
        part.only(classes).take(at_most(part.only(classes).y, MOST, rng)) for part in (held, synthetic)
    )
    means = {c: train.x[train.y == c].mean(axis=0) for c in classes}
    made, real = _judge(train, (synthetic, held))
    scores = _scores([name for name in SCORES if name not in ORACLE], made, real, means, rng)
    seen, rest = _halves(held, rng)
    known = Spectra(np.concatenate([train.x, seen.x]), np.concatenate([train.y, seen.y]))
    scores |= _scores(ORACLE, *_judge(known, (synthetic, rest)), means, rng)
    ordered = tuple(scores[name] for name in SCORES)
    return Reliability(ordered, _recall(made, real), len(synthetic), len(held), notes)


def _judge(known: Spectra, sets: tuple[Spectra, Spectra]) -> tuple[_Judged, _Judged]:
    """Two sets, judged by probes that learnt from ``known``."""
    probes, nearest = [fit(known) for fit in PROBES.values()], fit_nearest_class(known)
    a, b = (_Judged(part, np.stack([probe(part.x) for probe in probes]), nearest(part.x)) for part in sets)
    return a, b


def _halves(held: Spectra, rng: np.random.Generator) -> tuple[Spectra, Spectra]:
    """Two random halves of each class; of an odd number, the second has one more."""
    second = np.zeros(len(held), dtype=bool)
    for c, n in held.counts.items():
        second[rng.choice(np.flatnonzero(held.y == c), size=(n + 1) // 2, replace=False)] = True
    return held.take(~second), held.take(second)


def _scores(
    names: Sequence[str], made: _Judged, real: _Judged, means: Mapping[int, Any], rng: np.random.Generator
) -> dict[str, LabelScore]:
    """The scores of that name, calibrated on ``real``."""
    judge = {name: partial(_score, name, real, means) for name in names}
    curves = calibrate(judge, real.spectra, made.spectra.y, ROUNDS, rng)
    samples = _bootstrap(names, made, means, rng)
    return {name: _summary(name, made, means, curves[name], *samples[name]) for name in names}


def _score(
    name: str, judged: _Judged, means: Mapping[int, Any], rows: NDArray[np.int64], y: NDArray[np.int64]
) -> float:
    """One score of the samples ``rows`` under the labels ``y``; higher is better."""
    if name == "msad":
        return -_msad(judged.spectra.x[rows], y, means)
    if name == "nearest_class":
        return float((judged.nearest[rows] == y).mean())
    guesses = judged.guesses[:, rows]
    if name == "kappa":
        return float(np.mean([kappa(guess, y) for guess in guesses]))
    right = (guesses == y).mean(axis=1)
    return float(right.mean() if name in ("agreement", *ORACLE) else right[list(PROBES).index(name.split("_")[1])])


def _msad(x: NDArray[np.float64], y: NDArray[np.int64], means: Mapping[int, Any]) -> float:
    ids, rows = np.unique(y, return_inverse=True)
    member = (rows[None] == np.arange(len(ids))[:, None]).astype(np.float64)
    own = (member @ x) / member.sum(axis=1, keepdims=True)
    return float(spectral_angle(own, np.stack([means[int(c)] for c in ids])).mean())


def kappa(guess: NDArray[np.int64], y: NDArray[np.int64]) -> float:
    """Cohen's κ between guesses (n,) and labels (n,); 0 where chance agreement is 1."""
    value = cohen_kappa(confusion(y, guess, int(max(guess.max(), y.max()))))
    return float(np.nan_to_num(value))


def _bootstrap(
    names: Sequence[str], made: _Judged, means: Mapping[int, Any], rng: np.random.Generator
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """{score: (of bootstrap samples (rounds,), of the same with their labels permuted (rounds,))}."""
    samples = {name: (np.empty(ROUNDS), np.empty(ROUNDS)) for name in names}
    for b in range(ROUNDS):
        rows = rng.integers(len(made.spectra), size=len(made.spectra))
        y = made.spectra.y[rows]
        shuffled = rng.permutation(y)
        for name, (scores, floors) in samples.items():
            scores[b] = _score(name, made, means, rows, y)
            floors[b] = _score(name, made, means, rows, shuffled)
    return samples


def _summary(
    name: str,
    made: _Judged,
    means: Mapping[int, Any],
    curve: CalibrationCurve,
    scores: NDArray[np.float64],
    floors: NDArray[np.float64],
) -> LabelScore:
    value = _score(name, made, means, np.arange(len(made.spectra)), made.spectra.y)
    # Samples drawn with replacement have other class means, so the bootstrap of mSAD lies off its value.
    scores = scores - scores.mean() + value
    return label_score(
        name,
        SCORES[name],
        np.concatenate([[value], scores]),
        ceiling=float(curve.mean[0]),
        floor=float(floors.mean()),
        r_rounds=(scores - floors) / np.maximum(curve.rounds[:, 0] - floors, 1e-9),
        curve=curve,
        n=len(made.spectra),
    )


def _recall(made: _Judged, real: _Judged) -> dict[int, dict[str, float]]:
    """Mean probe recall of each class, synthetic beside held-out."""
    table = {}
    for c in made.spectra.counts:
        of_made, of_real = made.spectra.y == c, real.spectra.y == c
        table[c] = {
            "synthetic": float((made.guesses[:, of_made] == c).mean()),
            "held_out": float((real.guesses[:, of_real] == c).mean()),
            "n": int(of_made.sum()),
            "n_held": int(of_real.sum()),
        }
    return table
