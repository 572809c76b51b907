"""How like the real ones synthetic spectra are: each number beside that of real held-out ones.

Held-out samples show what a perfect generator could reach on this split. Both numbers are taken
between sets of the same size and make-up (:func:`match_sizes`), since nearly every one of these
measures grows as sets shrink, or as classes shift.

Held-out samples are test pixels, labels included: a diagnosis after every fit, never a means to
choose one.
"""

import numpy as np

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics import neighbours, spectra
from hsiaug.metrics.measures import Measures, MeasureTable, Round, Values, average_rounds, note_of
from hsiaug.metrics.spectra import Space, Spectra, at_most, fit_space, match_sizes, shared_classes

REPEATS = 5
MAX_SPECTRA_PER_CLASS = 500
"""Spectra of one class that are used at most, of each set."""

MEASURES: MeasureTable = {
    "sad": ("angle between class means", "°", "lower"),
    "frechet": ("class-conditional Fréchet distance", "", "lower"),
    "js": ("Jensen–Shannon distance on PC 1 and PC 2", "", "lower"),
    "density": ("density", "", "higher"),
    "coverage": ("coverage", "", "higher"),
    "c2st": ("two-sample test: accuracy of a classifier", "%", "50 %"),
    "diversity": ("spread within classes, of that of training samples", "", "1"),
}
"""Label, unit, and what is good, by the name of a measure; the table's order."""


def fidelity(train: Spectra, held_out: Spectra, synthetic: Spectra) -> Measures:
    """Compare centre spectra, all in scene units: real training, real held-out, and synthetic ones.

    Random matched subsets are drawn five times and the measures averaged. A measure that no subset
    defines (fewer than two samples, or ten for the two-sample test) is None, never NaN. The z-score
    and the principal axes are fitted on ``train``.
    Sources stand with each measure in :mod:`hsiaug.metrics.spectra` and
    :mod:`hsiaug.metrics.neighbours`; what differs from them: features are (principal scores of)
    centre spectra, no network's; covariances are shrunk.
    """
    rng = np.random.default_rng(derive_seed("fidelity", 0))
    sets = [
        part.take(at_most(part.y, MAX_SPECTRA_PER_CLASS, rng))
        for part in (train, held_out, synthetic)
    ]
    classes = shared_classes(sets)
    missing = set(synthetic.counts) - set(classes)
    notes = note_of("left out, for want of training or held-out samples", missing)
    if not classes:
        nothing = "no class has training, held-out and synthetic samples: nothing can be compared"
        return Measures(average_rounds(MEASURES, []), (*notes, nothing), ())
    train, held_out, synthetic = (part.only(classes) for part in sets)
    space = fit_space(train.x)
    rounds: list[Round] = []
    for _ in range(REPEATS):
        a, real, drawn = match_sizes([train, held_out, synthetic], rng)
        # Class by class, training samples are compared whole.
        by_class, floor_by_class = (
            _by_class(train, part, space) for part in match_sizes([synthetic, held_out], rng)
        )
        values = {**by_class, **_alike(a, drawn, space)}
        floors = {**floor_by_class, **_alike(a, real, space)}
        rounds.append((values, floors, len(a)))
    return Measures(average_rounds(MEASURES, rounds), notes, tuple(classes))


def _alike(a: Spectra, b: Spectra, space: Space) -> Values:
    """Measures between two sets of equal size and make-up, whichever class a spectrum is of."""
    if len(a) < 2:
        return dict.fromkeys(("js", "density", "coverage", "c2st"))
    u = space.project(a.x)
    v = space.project(b.x)
    near = neighbours.prdc(u, v)
    described = [
        np.column_stack([s, np.log(space.residual(x.x) + 1e-6)]) for s, x in ((u, a), (v, b))
    ]
    return {
        "js": spectra.plane_distance(u[:, :2], v[:, :2], u[:, :2]) if u.shape[1] > 1 else None,
        "density": near["density"],
        "coverage": near["coverage"],
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
    angles = [spectra.spectral_angle(a.mean(axis=0), b.mean(axis=0)) for a, b in pairs]
    distances = [spectra.frechet_between([*map(space.project, pair)]) for pair in pairs]
    # Over classes that have a spread.
    spread = [[neighbours.pairwise_mean(space.z(x)) for x in pair] for pair in pairs]
    ratios = [b / a for a, b in spread if a and b is not None]
    return {
        "sad": float(np.mean(angles)),
        "frechet": float(np.mean(distances)),
        "diversity": float(np.mean(ratios)) if ratios else None,
    }
