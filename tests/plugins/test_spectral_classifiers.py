"""``svm`` and ``rf`` learn from centre spectra; the SVM chooses C and γ on real samples alone,
where there are any.
"""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import SVC

from hsiaug.api import Patches, PatchSamples
from hsiaug.core.samples import concatenate
from hsiaug_builtin.baselines.noise import Noise
from hsiaug_builtin.classifiers import svm
from hsiaug_builtin.classifiers.forest import Forest
from hsiaug_builtin.classifiers.svm import (
    COSTS,
    UNKNOWN,
    WIDTHS,
    Svm,
    SvmParams,
    stratified_folds,
)

both = pytest.mark.parametrize("plugin", [Svm, Forest], ids=lambda plugin: plugin.card.name)


def spectra(samples: PatchSamples) -> PatchSamples:
    """As the trial runner hands samples to a classifier of input "spectrum"."""
    return replace(samples, x=samples.centres[:, :, None, None])


def fresh(view, n: int = 100) -> tuple[Patches, np.ndarray]:
    """New pixels, the training spectra shaken, and their class ids."""
    rng = np.random.default_rng(9)
    rows = rng.integers(len(view.y), size=n)
    x = view.real.centres[rows] + 0.05 * rng.normal(size=(n, view.bands)).astype(np.float32)
    return (
        Patches(x[:, :, None, None].astype(np.float32), np.full((n, 2), -1, dtype=np.int32)),
        view.y[rows],
    )


@both
def test_it_learns_classes_that_differ(view, fit, plugin):
    toy = view((20, 9, 6))
    patches, y = fresh(toy)
    assert (fit(plugin, toy, samples=spectra(toy.real)).predict(patches) == y).mean() > 0.95


@pytest.mark.parametrize("counts", [{2: 30}, {1: 5, 2: 50, 3: 50}])
def test_synthetic_samples_do_not_change_the_chosen_c_and_gamma(view, fit, counts):
    toy = view((30, 9, 6), spread=2.0)
    extra = fit(Noise, toy, level="1").sample(counts, guidance=None, seed=0)
    alone = fit(Svm, toy, samples=spectra(toy.real))
    added = fit(Svm, toy, samples=spectra(concatenate([toy.real, extra])))
    assert (alone.cost, alone.gamma) == (added.cost, added.gamma)
    assert len(added.machine.model.support_) > len(alone.machine.model.support_)


def test_of_equally_good_c_and_gamma_the_smallest_are_taken(view, fit):
    toy = view((9, 9, 9), spread=0.01)
    fitted = fit(Svm, toy, samples=spectra(toy.real))
    assert (fitted.cost, fitted.gamma) == (COSTS[0], WIDTHS[0] / 6)


def test_where_nothing_can_be_validated_c_and_gamma_can_learn_what_samples_show(view, fit):
    toy = view((1, 1, 1))
    fitted = fit(Svm, toy, samples=spectra(toy.real))
    assert (fitted.cost, fitted.gamma) == (UNKNOWN[0], UNKNOWN[1] / 6)
    assert UNKNOWN[0] in COSTS and UNKNOWN[1] in WIDTHS


def test_where_all_samples_are_synthetic_c_and_gamma_are_chosen_on_as_many_as_training_pixels(
    view, fit
):
    toy = view((9, 6))
    real = spectra(toy.real)
    alone = replace(real, synthetic=np.ones(len(real), dtype=bool))
    more = concatenate([alone, alone.take(np.flatnonzero(real.y == 1)), alone])
    least, most, plain = (fit(Svm, toy, samples=samples) for samples in (alone, more, real))
    assert (least.cost, least.gamma) == (most.cost, most.gamma) == (plain.cost, plain.gamma)
    assert len(most.machine.model.class_weight_) == 2 and most.machine.model.shape_fit_[0] == len(
        more
    )


def test_folds_share_out_each_class_and_leave_lone_samples_in_every_fit():
    y = np.repeat([1, 2, 3, 4], [23, 3, 2, 1])
    fold = stratified_folds(y, 5, seed=0)
    sizes = [np.bincount(fold[y == c], minlength=5) for c in (1, 2, 3)]
    assert [n.max() - n.min() for n in sizes] == [1, 1, 1] and [n.sum() for n in sizes] == [
        23,
        3,
        2,
    ]
    assert fold[y == 4] == [-1]


def test_the_svm_chooses_with_one_kernel_for_each_gamma_and_one_fit_for_each_pair_and_fold(
    view, fit, monkeypatch
):
    """At the size of Indian Pines; a kernel for every fit would cost many times as much."""
    toy = view((120, 120, 63, 49, 42, 37, 30, 24, 12, 10, 5, 3, 3), bands=200, spread=4.0)
    squares, fits = [], []
    whole, one = svm.squared_distances, SVC.fit
    monkeypatch.setattr(svm, "squared_distances", lambda z: squares.append(len(z)) or whole(z))
    monkeypatch.setattr(
        SVC, "fit", lambda self, *a, **b: fits.append(self.kernel) or one(self, *a, **b)
    )
    fit(Svm, toy, samples=spectra(toy.real))

    assert squares == [518]
    assert fits.count("precomputed") == len(COSTS) * len(WIDTHS) * SvmParams().folds
    assert fits.count("rbf") == 1 and len(fits) == fits.count("precomputed") + 1


def test_c_and_gamma_of_many_samples_are_chosen_on_some_of_each_class(view, monkeypatch):
    toy = view((90, 60, 3), spread=2.0)
    z, y = toy.normaliser.spectra(toy.real.centres), toy.real.y
    asked = []
    monkeypatch.setattr(
        svm,
        "squared_distances",
        lambda z, known=svm.squared_distances: asked.append(len(z)) or known(z),
    )
    monkeypatch.setattr(svm, "MOST_VALIDATED", len(z) - 1)
    monkeypatch.setattr(svm, "DRAWN", len(z) // 2)
    first = svm.choose.__wrapped__(z, y, 3, 0)
    assert first == svm.choose.__wrapped__(z, y, 3, 0) and first[0] in COSTS
    # Half of the large classes, but 30 at least, and all of a small one.
    assert asked == [45 + 30 + 3] * 2
    assert np.bincount(y[svm.drawn_of_each(y, 0)])[1:].tolist() == [45, 30, 3]
