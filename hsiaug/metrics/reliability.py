"""Do the labels of synthetic samples fit their spectra? R1 of docs/quality.md, with no
training on them.

Every score stands beside its **ceiling** (real held-out samples in place of the synthetic ones,
class by class), its **floor** (the synthetic labels permuted), r = (score − floor) / (ceiling −
floor), and the share of wrong labels that would bring real held-out samples down to the same score
(:mod:`hsiaug.metrics.calibration`).

Held-out samples are test pixels, labels included: a diagnosis after every fit, never a means to
choose one.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.calibration import (
    FLAT,
    USABLE,
    LabelScore,
    Reliability,
    calibrate,
    read_curve,
    why_silent,
)
from hsiaug.metrics.measures import note_of
from hsiaug.metrics.spectra import Spectra, at_most, fit_space, shared_classes, shrunk_covariance

Ints = NDArray[np.int64]
Probe = Callable[[NDArray[np.float64]], Ints]
"""Spectra (n, B) in scene units → (n,) class ids."""

EASE = 1e-6

ROUNDS = 100
MAX_SAMPLES_PER_CLASS = 500
"""Samples of one class that are used at most, of each set."""


def reliability(train: Spectra, held_out: Spectra, synthetic: Spectra) -> Reliability:
    """Judge the labels of synthetic centre spectra; all spectra in scene units.

    R1, train on real and test on synthetic: GAN-test (Shmelkov et al. 2018, arXiv:1807.09499) with
    a shrinkage LDA and an RBF-SVM on centre spectra; the mean over the two.

    ``oracle`` is R1 with probes that learn from half of the held-out samples too, calibrated on the
    other half. Where held-out pixels lie far from the training clumps, probes of training pixels
    know them badly: nearly every generator is then above the ceiling of ``agreement``, while the
    oracle still sees wrong labels.
    """
    rng = np.random.default_rng(derive_seed("reliability", 0))
    classes = shared_classes([train, held_out, synthetic])
    notes = note_of("not judged, for want of real samples", set(synthetic.counts) - set(classes))
    if len(classes) < 2:
        return Reliability(
            (), 0, 0, (*notes, "two classes with real and synthetic samples are needed")
        )
    held_out, synthetic = (
        spectra.only(classes).take(at_most(spectra.only(classes).y, MAX_SAMPLES_PER_CLASS, rng))
        for spectra in (held_out, synthetic)
    )
    synthetic_guesses, real_guesses = guesses_of(train, (synthetic, held_out))
    agreement = agreement_score(
        "agreement", "R1 probe agreement", synthetic, held_out, synthetic_guesses, real_guesses, rng
    )
    learnt, unseen = _halves(held_out, rng)
    all_known = Spectra(np.concatenate([train.x, learnt.x]), np.concatenate([train.y, learnt.y]))
    oracle = agreement_score(
        "oracle",
        "R1 oracle agreement",
        synthetic,
        unseen,
        *guesses_of(all_known, (synthetic, unseen)),
        rng,
    )
    return Reliability((agreement, oracle), len(synthetic), len(held_out), notes)


def fit_lda(train: Spectra) -> Probe:
    """Linear discriminant analysis: Ledoit–Wolf covariance pooled over classes, equal priors
    (Friedman 1989).
    """
    space = fit_space(train.x)
    z = space.z(train.x)
    ids, rows = np.unique(train.y, return_inverse=True)
    means = np.stack([z[rows == i].mean(axis=0) for i in range(len(ids))])
    pooled = shrunk_covariance(z - means[rows]) + EASE * np.eye(z.shape[1])
    weight = np.linalg.solve(pooled, means.T)
    offset = (means.T * weight).sum(axis=0) / 2
    return lambda x: ids[(space.z(x) @ weight - offset).argmax(axis=1)]


def fit_svm(train: Spectra) -> Probe:
    """RBF-SVM on z-scored spectra, C = 100, γ = 1/B, classes weighted to count alike (Cortes and
    Vapnik 1995).
    """
    from sklearn.svm import SVC

    space = fit_space(train.x)
    model = SVC(C=100.0, gamma=1.0 / train.x.shape[1], class_weight="balanced").fit(
        space.z(train.x), train.y
    )
    return lambda x: np.asarray(model.predict(space.z(x)), dtype=np.int64)


PROBES: tuple[Callable[[Spectra], Probe], ...] = (fit_lda, fit_svm)
"""The probes of R1."""


def guesses_of(learnt: Spectra, sets: tuple[Spectra, Spectra]) -> tuple[Ints, Ints]:
    """(probes, n) class ids of two sets by probes that learnt from ``learnt``."""
    probes = [fit(learnt) for fit in PROBES]
    a, b = (np.stack([probe(spectra.x) for probe in probes]) for spectra in sets)
    return a, b


def _halves(held_out: Spectra, rng: np.random.Generator) -> tuple[Spectra, Spectra]:
    """Two random halves of each class; of an odd number, the second has one more."""
    second = np.zeros(len(held_out), dtype=bool)
    for c, n in held_out.counts.items():
        second[rng.choice(np.flatnonzero(held_out.y == c), size=(n + 1) // 2, replace=False)] = True
    return held_out.take(~second), held_out.take(second)


def agreement_score(
    name: str,
    label: str,
    synthetic: Spectra,
    held_out: Spectra,
    guesses: Ints,
    held_out_guesses: Ints,
    rng: np.random.Generator,
    tiles: tuple[Ints, Ints] | None = None,
) -> LabelScore:
    """The agreement of the guesses ``guesses`` (probes, n) with the synthetic labels, calibrated on
    those of ``held_out``.

    Parameters
    ----------
    tiles : (Ints, Ints) or None
        (n,) and (m,) of what tile each sample, and each of ``held_out``, is a pixel: the bootstrap
        draws whole tiles, and the curve has the class shares of ``held_out``, since wrong masks
        change those of the made ones.
    """
    labels = (synthetic if tiles is None else held_out).y
    n = len(synthetic)
    curve = calibrate(
        lambda rows, y: float((held_out_guesses[:, rows] == y).mean()),
        held_out,
        labels,
        ROUNDS,
        rng,
    )
    share = (guesses == synthetic.y).mean(axis=0)
    floor = float(
        np.mean([(guesses == rng.permutation(synthetic.y)).mean() for _ in range(ROUNDS)])
    )
    scores = _drawn_means(share, None if tiles is None else tiles[0], rng)
    ceilings = (
        curve.rounds[:, 0]
        if tiles is None
        else _drawn_means((held_out_guesses == held_out.y).mean(axis=0), tiles[1], rng)
    )
    value = float(share.mean())
    ceiling = float(curve.mean[0])
    falls = curve.spearman is not None and curve.spearman <= USABLE
    why = why_silent(100 * value, 100 * ceiling, 100 * floor, 100 * scores, 100 * ceilings)
    why = why if falls else FLAT
    low, high = np.percentile(list(map(read_curve, curve.rounds, scores)), [2.5, 97.5])
    return LabelScore(
        name,
        label,
        value=100 * value,
        ceiling=100 * ceiling,
        floor=100 * floor,
        r=(value - floor) / (ceiling - floor) if ceiling - floor > 1e-9 else None,
        wrong=None if why else read_curve(curve.mean, value),
        wrong_interval=None if why else (float(low), float(high)),
        spearman=curve.spearman,
        curve=tuple((100 * curve.mean).tolist()),
        n=n,
        why=why,
    )


def _drawn_means(
    share: NDArray[np.float64], tiles: Ints | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(rounds,) means of shares (n,), of which samples, or whole tiles (n,), are drawn with
    replacement.
    """
    groups = np.arange(len(share)) if tiles is None else np.unique(tiles, return_inverse=True)[1]
    count = int(groups.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), size=ROUNDS)[:, groups]
    means: NDArray[np.float64] = weights @ share / np.maximum(weights.sum(axis=1), 1)
    return means
