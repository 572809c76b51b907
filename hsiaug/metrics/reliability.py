"""Do the labels of synthetic samples fit their spectra? R1 of docs/quality.md, without any training on synthetic samples.

Every score stands beside its **ceiling** (real held-out samples in place of the synthetic ones, class by class),
its **floor** (the synthetic labels permuted), r = (score − floor) / (ceiling − floor), and the share of wrong
labels that would bring real held-out samples down to the same score (:mod:`hsiaug.metrics.calibration`).

Held-out samples are test pixels, labels included: a diagnosis after every fit, never a means to choose one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.calibration import LabelScore, Reliability, ScoreKind, calibrate, label_score
from hsiaug.metrics.probes import PROBES
from hsiaug.metrics.spectra import Spectra, at_most, shared_classes

Ints = NDArray[np.int64]

ROUNDS = 100
MOST = 500
"""Samples of one class that are used at most, of each set."""

SCORES: dict[str, ScoreKind] = {
    "agreement": ("R1 probe agreement", "%", 1),
    "oracle": ("R1 oracle agreement", "%", 1),
}
"""Kinds of scores by name, in the table's order."""


def reliability(train: Spectra, held: Spectra, synthetic: Spectra, *, seed: int = 0) -> Reliability:
    """Judge the labels of synthetic centre spectra; all spectra in scene units.

    R1, train on real and test on synthetic: GAN-test (Shmelkov et al. 2018, arXiv:1807.09499) with a shrinkage LDA
    and an RBF-SVM on centre spectra; the mean over the two. The same ``seed`` gives the same report.

    ``oracle`` is R1 with probes that learn from half of the held-out samples too, calibrated on the other half.
    Where held-out pixels lie far from the training clumps, probes of training pixels know them badly: nearly
    every generator is then above the ceiling of ``agreement``, while the oracle still sees wrong labels.
    """
    rng = np.random.default_rng(derive_seed("reliability", seed))
    classes = shared_classes([train, held, synthetic])
    dropped = sorted(set(synthetic.counts) - set(classes))
    notes = (f"not judged, for want of real samples: class {', '.join(map(str, dropped))}",) if dropped else ()
    if len(classes) < 2:
        return Reliability((), 0, 0, (*notes, "two classes with real and synthetic samples are needed"))
    held, synthetic = (
        part.only(classes).take(at_most(part.only(classes).y, MOST, rng)) for part in (held, synthetic)
    )
    made, real = _confirmed(train, (synthetic, held))
    agreement = _score("agreement", synthetic, held, made, real, rng)
    seen, rest = _halves(held, rng)
    known = Spectra(np.concatenate([train.x, seen.x]), np.concatenate([train.y, seen.y]))
    oracle = _score("oracle", synthetic, rest, *_confirmed(known, (synthetic, rest)), rng)
    return Reliability((agreement, oracle), len(synthetic), len(held), notes)


def _confirmed(known: Spectra, sets: tuple[Spectra, Spectra]) -> tuple[Ints, Ints]:
    """(probes, n) class ids of two sets by probes that learnt from ``known``."""
    probes = [fit(known) for fit in PROBES]
    a, b = (np.stack([probe(part.x) for probe in probes]) for part in sets)
    return a, b


def _halves(held: Spectra, rng: np.random.Generator) -> tuple[Spectra, Spectra]:
    """Two random halves of each class; of an odd number, the second has one more."""
    second = np.zeros(len(held), dtype=bool)
    for c, n in held.counts.items():
        second[rng.choice(np.flatnonzero(held.y == c), size=(n + 1) // 2, replace=False)] = True
    return held.take(~second), held.take(second)


def _score(
    name: str, synthetic: Spectra, held: Spectra, made: Ints, real: Ints, rng: np.random.Generator
) -> LabelScore:
    """The agreement of the guesses ``made`` (probes, n) with the synthetic labels, calibrated on those of ``held``."""
    curve = calibrate(lambda rows, y: float((real[:, rows] == y).mean()), held, synthetic.y, ROUNDS, rng)
    scores, floors = np.empty(ROUNDS), np.empty(ROUNDS)
    for b in range(ROUNDS):
        rows = rng.integers(len(synthetic), size=len(synthetic))
        y = synthetic.y[rows]
        shuffled = rng.permutation(y)
        scores[b], floors[b] = (made[:, rows] == y).mean(), (made[:, rows] == shuffled).mean()
    value = float((made == synthetic.y).mean())
    scores += value - scores.mean()
    return label_score(
        name,
        SCORES[name],
        np.concatenate([[value], scores]),
        ceiling=float(curve.mean[0]),
        floor=float(floors.mean()),
        curve=curve,
        n=len(synthetic),
    )
