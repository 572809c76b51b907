"""How like the real ones synthetic spectra are: each number beside its floor, and with n.

The **floor** is the same measure between real training and real held-out samples: what a perfect
generator could reach on this split. Value and floor are taken between sets of the same size and
make-up (:func:`match_sizes`), since nearly every one of these measures grows as sets shrink, or as
classes shift.

Held-out samples are test pixels, labels included: a diagnosis after every fit, never a means to
choose one.
"""

from collections.abc import Sequence

import numpy as np

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics import neighbours, spectra
from hsiaug.metrics.measures import (
    Measures,
    MeasureTable,
    Round,
    Values,
    average_rounds,
    note_of,
)
from hsiaug.metrics.spectra import Space, Spectra, at_most, fit_space, match_sizes, shared_classes

REPEATS = 5
MAX_SPECTRA_PER_CLASS = 500
"""Spectra of one class that are used at most, of each set."""

TOO_FEW = "too few samples"

MEASURES: MeasureTable = {
    "sad": ("angle between class means", "°", "lower"),
    "wasserstein": ("Wasserstein-1, mean over bands", "σ", "lower"),
    "frechet": ("class-conditional Fréchet", "", "lower"),
    "js": ("Jensen–Shannon distance on PC 1 and PC 2", "", "lower"),
    "precision": ("precision", "", "higher"),
    "recall": ("recall", "", "higher"),
    "density": ("density", "", "higher"),
    "coverage": ("coverage", "", "higher"),
    "c2st": ("told apart by a classifier", "%", "50 %"),
    "nearer": ("nearer to training than held-out are", "%", "50 %"),
    "copies": ("copies of training samples", "%", "lower"),
    "diversity": ("spread within classes / real", "", "1"),
}
"""Label, unit, and what is good, by the name of a measure; the table's order."""


def fidelity(train: Spectra, held_out: Spectra, synthetic: Spectra) -> Measures:
    """Compare centre spectra, all in scene units: real training, real held-out, and synthetic ones.

    Random matched subsets are drawn five times and the measures averaged. A measure that no subset
    defines (fewer than two samples, or ten for the classifier test) is None, never NaN. The z-score
    and the principal axes are fitted on ``train``.
    Sources stand with each measure in :mod:`hsiaug.metrics.spectra` and
    :mod:`hsiaug.metrics.neighbours`; what differs from them: features are (principal scores of)
    centre spectra, no network's; covariances are shrunk.
    """
    rng = np.random.default_rng(derive_seed("fidelity", 0))
    train, held_out, synthetic = (
        samples.take(at_most(samples.y, MAX_SPECTRA_PER_CLASS, rng))
        for samples in (train, held_out, synthetic)
    )
    classes = shared_classes([train, held_out, synthetic])
    notes = note_of(
        "left out, for want of training or held-out samples", set(synthetic.counts) - set(classes)
    )
    train, held_out, synthetic = (samples.only(classes) for samples in (train, held_out, synthetic))
    if not classes:
        notes = (
            *notes,
            "no class has training, held-out and synthetic samples: nothing can be compared",
        )
        return Measures(average_rounds(MEASURES, [], TOO_FEW), notes, ())
    space = fit_space(train.x)
    alike: list[Round] = []
    by_class: list[Round] = []
    for _ in range(REPEATS):
        a, real, drawn = match_sizes([train, held_out, synthetic], rng)
        alike.append((_alike(a, drawn, space), _alike(a, real, space), len(a)))
        real, drawn = match_sizes([held_out, synthetic], rng)
        by_class.append((_by_class(train, drawn, space), _by_class(train, real, space), len(drawn)))
    near = [_memory(train, held_out, synthetic, space)]
    return Measures(
        average_rounds(MEASURES, [alike, by_class, near], TOO_FEW), notes, tuple(classes)
    )


def _alike(a: Spectra, b: Spectra, space: Space) -> Values:
    """Measures between two sets of equal size and make-up, whichever class a spectrum is of."""
    from scipy.stats import wasserstein_distance

    if len(a) < 2:
        return dict.fromkeys(
            ("wasserstein", "js", "precision", "recall", "density", "coverage", "c2st")
        )
    u = space.project(a.x)
    v = space.project(b.x)
    described = [
        np.column_stack([s, np.log(space.residual(x.x) + 1e-6)]) for s, x in ((u, a), (v, b))
    ]
    return {
        "wasserstein": float(
            np.mean(list(map(wasserstein_distance, space.z(a.x).T, space.z(b.x).T)))
        ),
        "js": spectra.plane_distance(u[:, :2], v[:, :2], u[:, :2]) if u.shape[1] > 1 else None,
        **neighbours.prdc(u, v),
        "c2st": neighbours.two_sample_accuracy(described[0], described[1]),
    }


def _by_class(train: Spectra, compared: Spectra, space: Space) -> Values:
    """Measures between the classes of one name, averaged over classes with at least two spectra in
    both.
    """
    pairs = [
        (train.x[train.y == c], compared.x[compared.y == c])
        for c in shared_classes([train, compared], 2)
    ]
    if not pairs:
        return dict.fromkeys(("sad", "frechet", "diversity"))
    return {
        "sad": float(
            np.mean([spectra.spectral_angle(a.mean(axis=0), b.mean(axis=0)) for a, b in pairs])
        ),
        "frechet": float(
            np.mean([spectra.frechet_between([*map(space.project, pair)]) for pair in pairs])
        ),
        "diversity": _ratio(pairs, space),
    }


def _ratio(pairs: Sequence[tuple[spectra.Array, spectra.Array]], space: Space) -> float | None:
    """Mean distance within a class as a part of that of the training samples, over classes that
    have a spread.
    """
    spread = [
        (neighbours.pairwise_mean(space.z(a)), neighbours.pairwise_mean(space.z(b)))
        for a, b in pairs
    ]
    ratios = [b / a for a, b in spread if a and b is not None]
    return float(np.mean(ratios)) if ratios else None


def _memory(train: Spectra, held_out: Spectra, synthetic: Spectra, space: Space) -> Round:
    """Whether synthetic samples repeat training samples; the floor takes held-out ones in their
    place.
    """
    t, h, s = (space.z(samples.x) for samples in (train, held_out, synthetic))
    of_synthetic = neighbours.nearest(s, t)
    of_held_out = neighbours.nearest(h, t)
    ranks = [
        neighbours.rank_nearer(of_synthetic[synthetic.y == c], of_held_out[held_out.y == c])
        for c in synthetic.counts
    ]
    values: Values = {"nearer": float(np.mean(ranks)), "copies": neighbours.copy_share(s, t)}
    floors: Values = {"nearer": 0.5, "copies": neighbours.copy_share(h, t)}
    return values, floors, len(synthetic)
