"""Do the labels of synthetic samples fit their spectra? Judged without any training on them.

Train on real, test on synthetic (GAN-test: Shmelkov et al. 2018, arXiv:1807.09499): the share of
labels that two probes confirm, beside that of real held-out samples, and that of permuted labels.

Held-out samples are test pixels, labels included: a diagnosis after every fit, never a means to
choose one.
"""

from collections.abc import Callable

import numpy as np

from hsiaug.base.arrays import Float64, Int64
from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.measures import Measure, Measures, MeasureTable, note_of
from hsiaug.metrics.spectra import Spectra, at_most, fit_space, shared_classes, shrunk_covariance

Probe = Callable[[Float64], Int64]
"""Spectra (n, B) in scene units → (n,) class ids."""

EASE = 1e-6
ROUNDS = 100
"""Of a bootstrap, and of permuted labels."""
MAX_SAMPLES_PER_CLASS = 500
"""Samples of one class that are used at most, of each set."""
AGREEMENT: MeasureTable = {
    "agreement": ("labels that classifiers of real pixels confirm", "%", "as held-out")
}


def reliability(train: Spectra, held_out: Spectra, synthetic: Spectra) -> Measures:
    """Judge the labels of synthetic centre spectra; all spectra in scene units.

    The probes, a shrinkage LDA and an RBF-SVM, learn from the training samples and from half of the
    held-out ones; the other half shows what real samples reach. Probes of training samples alone
    know held-out ones badly where these lie far away, and confirm more labels of nearly every
    generator than of real samples.
    """
    rng = np.random.default_rng(derive_seed("reliability", 0))
    classes = shared_classes([train, held_out, synthetic])
    missing = set(synthetic.counts) - set(classes)
    notes = note_of("not judged, for want of real samples", missing)
    if len(classes) < 2:
        return Measures((), (*notes, "two classes with real and synthetic samples are needed"))
    held_out, synthetic = (
        part.take(at_most(part.y, MAX_SAMPLES_PER_CLASS, rng))
        for part in (held_out.only(classes), synthetic.only(classes))
    )
    learnt, unseen = _halves(held_out, rng)
    known = Spectra(np.concatenate([train.x, learnt.x]), np.concatenate([train.y, learnt.y]))
    return Measures((agreement(known, unseen, synthetic, rng),), notes)


def _halves(held_out: Spectra, rng: np.random.Generator) -> tuple[Spectra, Spectra]:
    """Two random halves of each class; of an odd number, the second has one more."""
    second = np.zeros(len(held_out), dtype=bool)
    for c, n in held_out.counts.items():
        second[rng.choice(np.flatnonzero(held_out.y == c), size=(n + 1) // 2, replace=False)] = True
    return held_out.take(~second), held_out.take(second)


def agreement(
    known: Spectra,
    held_out: Spectra,
    synthetic: Spectra,
    rng: np.random.Generator,
    tiles: Int64 | None = None,
) -> Measure:
    """The share of synthetic labels that the probes confirm, mean over both.

    Parameters
    ----------
    known : Spectra
        What the probes learn from.
    held_out : Spectra
        Real samples that they have not seen. Each class counts as often as in ``synthetic``.
    tiles : (n,) int64 or None
        The tile of each synthetic sample: intervals draw whole tiles.
    """
    probes = [fit(known) for fit in PROBES]
    guesses = np.stack([probe(synthetic.x) for probe in probes])
    right = (guesses == synthetic.y).mean(axis=0)
    right_held_out = np.mean([probe(held_out.x) == held_out.y for probe in probes], axis=0)
    weight = {c: n / held_out.counts.get(c, 1) for c, n in synthetic.counts.items()}
    weights = [weight.get(c, 0.0) for c in held_out.y.tolist()]
    permuted = [(guesses == rng.permutation(synthetic.y)).mean() for _ in range(ROUNDS)]
    return Measure.of(
        AGREEMENT,
        "agreement",
        float(right.mean()),
        float(np.average(right_held_out, weights=weights)) if any(weights) else None,
        len(synthetic),
        permuted=float(np.mean(permuted)),
        interval=mean_interval(right, tiles, rng),
    )


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


def mean_interval(
    values: Float64, groups: Int64 | None, rng: np.random.Generator
) -> tuple[float, float]:
    """95 % interval of the mean of values (n,), of which samples, or whole groups (n,), are drawn
    with replacement.
    """
    index = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(index.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), size=ROUNDS)[:, index]
    means = weights @ values / np.maximum(weights.sum(axis=1), 1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
