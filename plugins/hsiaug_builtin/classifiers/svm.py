"""Support vector machine on the centre spectrum."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Normaliser,
    Patches,
    PatchSamples,
    Plugin,
    Progress,
    TrainView,
    derive_seed,
    param,
)
from hsiaug_builtin.memoise import remember
from hsiaug_builtin.nets.fitted import by_class
from hsiaug_builtin.nets.svm import Machine, machine_of

COSTS = (1.0, 10.0, 100.0, 1000.0)
"""Candidates for C."""

WIDTHS = (0.03, 0.1, 0.3, 1.0)
"""Candidates for γ·B: γ = 1/B is the usual scale of z-scored spectra with B bands."""

UNKNOWN = 1000.0, 0.1
"""C and γ·B where nothing can be validated. One sample of a class is told from one of another by
any of the candidates alike; but the least C and γ·B cannot learn from synthetic samples what these
show (splits 100 to 102 of five scenes under ``kshot:1``).
"""

MOST_VALIDATED = 5000
"""Samples that C and γ are chosen on, at most (a kernel of 200 MB): on 9,000 it takes minutes."""
DRAWN = 2500
"""Samples that they are chosen on, about, where there are more than that."""
FEWEST_DRAWN = 30
"""Of a class, where it has them."""

SHARPNESS = 3.0
"""Of its shares. Chosen on splits 100 to 103 of five scenes under ``issd``, for the product with
those of a teacher.
"""


@dataclass(frozen=True)
class SvmParams:
    """C and γ are not given but chosen, among COSTS and WIDTHS."""

    folds: int = param(5, "folds of the cross-validation", low=2)


@dataclass(frozen=True, eq=False)
class FittedSvm:
    """A fitted support vector machine of centre spectra.

    Attributes
    ----------
    cost, gamma : float
        The chosen C and γ.
    class_count : int
        C of the scene.
    """

    normaliser: Normaliser
    machine: Machine
    cost: float
    gamma: float
    class_count: int

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids of the centre spectra."""
        return np.asarray(
            self.machine.classes[winning_class(self._scores(patches))], dtype=np.int64
        )

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) softmax of SHARPNESS times the decision function, in which a won pair of classes
        counts 1; 0 for a class without a sample. Not calibrated by validation.
        """
        from scipy.special import softmax

        scores = self._scores(patches)
        scores[np.arange(len(scores)), winning_class(scores)] = scores.max(axis=1)
        return by_class(softmax(SHARPNESS * scores, axis=1), self.machine.classes, self.class_count)

    def _scores(self, patches: Patches) -> NDArray[np.float64]:
        return self.machine.scores(self.normaliser.spectra(patches.centres))


def winning_class(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) columns of the predicted classes, of scores (n, k)."""
    if scores.shape[1] <= 2:
        return np.asarray(scores.argmax(axis=1))
    # A score is the pairs won, and a margin below 1/3: of as many pairs libsvm predicts the first
    # class.
    return np.asarray(np.rint(scores).argmax(axis=1))


class Svm(Plugin[SvmParams]):
    """Soft-margin SVM with an RBF kernel, one against one, on z-scored spectra of the centre pixel.

    C and γ are those with the best macro-averaged recall in a stratified cross-validation on the
    real samples alone. hsiaug's rules would let synthetic samples into the fit folds; we keep them
    out altogether, because a duplicate, a noisy copy or an interpolation in a fit fold may be made
    from a sample of the validation fold and would reward C and γ that memorise. Being chosen before
    a synthetic sample is seen, they are the same for every generator and λ. Real and synthetic
    samples then enter one last fit, each with its weight. Where there are only synthetic ones, the
    cross-validation has as many of each class as training pixels.
    """

    card = Card(
        name="svm",
        version="3",
        summary="RBF support vector machine on the centre spectrum, C and γ by cross-validation",
        paper="""@article{cortes1995svm, author={Corinna Cortes and Vladimir Vapnik},
            title={Support-Vector Networks}, journal={Machine Learning}, volume={20}, number={3},
            pages={273--297}, year={1995}, doi={10.1007/BF00994018}}; on hyperspectral pixels:
            @article{melgani2004svm, author={Farid Melgani and Lorenzo Bruzzone},
            title={Classification of Hyperspectral Remote Sensing Images with Support Vector
            Machines}, journal={IEEE Transactions on Geoscience and Remote Sensing}, volume={42},
            number={8}, pages={1778--1790}, year={2004}, doi={10.1109/TGRS.2004.831865}}""",
        input="spectrum",
        seconds=1.0,
        params=SvmParams,
        presets={"tiny": {"folds": 2}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedSvm:
        """Choose C and γ on the real samples, where there are some, then learn from all."""
        from sklearn.svm import SVC

        validated = ~samples.synthetic
        if not validated.any():
            for c in np.unique(samples.y):
                validated[np.flatnonzero(samples.y == c)[: view.counts.get(int(c), 0)]] = True
        z = view.normaliser.spectra(samples.centres)
        model = None
        with warnings.catch_warnings():
            # Classes with one or two samples are what few labels mean.
            warnings.filterwarnings("ignore", "The number of unique classes")
            cost, gamma = choose(z[validated], samples.y[validated], self.params.folds, seed)
            if len(np.unique(samples.y)) > 1:
                # Only probabilities would use it, but without it numpy's global state is read and
                # changed.
                model = SVC(C=cost, gamma=gamma, random_state=0)
                model.fit(z, samples.y, sample_weight=samples.weight)
        return FittedSvm(
            view.normaliser, machine_of(model, samples.y, gamma), cost, gamma, len(view.class_names)
        )


@remember(1024)
def choose(
    z: NDArray[np.float32], y: NDArray[np.int64], folds: int, seed: int
) -> tuple[float, float]:
    """C and γ of the best macro-averaged recall; of equals the smaller C, then the smaller γ.

    Where no class has two samples nothing can be validated, and ``UNKNOWN`` is taken; of more than
    ``MOST_VALIDATED`` samples, some of each class are validated. The recall of a class is over all
    its samples, whatever their folds; scikit-learn's GridSearchCV would average over folds, in some
    of which a rare class is missing.

    Parameters
    ----------
    z : (n, B) float32
        z-scored spectra.
    y : (n,) int64
        Class ids.
    """
    if len(z) > MOST_VALIDATED:
        subset = drawn_of_each(y, seed)
        z = z[subset]
        y = y[subset]
    fold = stratified_folds(y, folds, seed)
    if not (fold >= 0).any():
        return UNKNOWN[0], UNKNOWN[1] / z.shape[1]
    square = squared_distances(z)
    ranked = []
    for width in WIDTHS:
        gamma = width / z.shape[1]
        recalls = validated_recalls(np.exp(-gamma * square), y, fold, COSTS)
        ranked += [(recall, -cost, -gamma) for cost, recall in zip(COSTS, recalls, strict=True)]
    _, cost, gamma = max(ranked)
    return -cost, -gamma


def drawn_of_each(y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Sorted places of about ``DRAWN`` of the samples, each class in proportion, but
    ``FEWEST_DRAWN`` of it at least.
    """
    rng = np.random.default_rng(derive_seed("drawn for validation", seed))
    members = [np.flatnonzero(y == c) for c in np.unique(y)]
    counts = [
        min(len(members_of_class), max(FEWEST_DRAWN, round(len(members_of_class) * DRAWN / len(y))))
        for members_of_class in members
    ]
    return np.sort(
        np.concatenate(
            [
                rng.permutation(members_of_class)[:n]
                for members_of_class, n in zip(members, counts, strict=True)
            ]
        )
    )


def stratified_folds(y: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) int64 validation fold of each sample; -1 = never validated.

    A class of n_c < ``folds`` samples is validated in n_c folds. A lone sample of its class
    stays in every fit fold: held out, its class could not be learnt.
    """
    rng = np.random.default_rng(derive_seed("folds", seed))
    fold = np.full(len(y), -1, dtype=np.int64)
    for c in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == c))
        if len(members) > 1:
            fold[members] = (np.arange(len(members)) + rng.integers(folds)) % folds
    return fold


def squared_distances(z: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, n) squared Euclidean distances between the rows of z (n, B)."""
    wide = z.astype(np.float64)
    norm = (wide**2).sum(axis=1)
    square: NDArray[np.float64] = np.maximum(norm[:, None] + norm - 2 * wide @ wide.T, 0)
    return square


def validated_recalls(
    kernel: NDArray[np.float64],
    y: NDArray[np.int64],
    fold: NDArray[np.int64],
    costs: Sequence[float],
) -> list[float]:
    """Recall on held-out samples, averaged over the classes that are validated, for each of
    ``costs``; 0 where none is.

    Parameters
    ----------
    kernel : (n, n) float64
    y, fold : (n,) int64
        Class id and validation fold of each sample.
    """
    from sklearn import config_context
    from sklearn.svm import SVC

    right = np.zeros((len(costs), len(y)), dtype=bool)
    for f in np.unique(fold[fold >= 0]):
        held_out = fold == f
        fit = np.flatnonzero(~held_out)
        if len(np.unique(y[fit])) > 1:
            learnt = kernel[np.ix_(fit, fit)]
            unseen = kernel[np.ix_(held_out, fit)]
            # The checks of its arguments take scikit-learn longer than some of these fits.
            with config_context(assume_finite=True, skip_parameter_validation=True):
                for row, cost in zip(right, costs, strict=True):
                    model = SVC(C=cost, kernel="precomputed", random_state=0)
                    row[held_out] = model.fit(learnt, y[fit]).predict(unseen) == y[held_out]
    tested = fold >= 0
    recalls = [right[:, tested & (y == c)].mean(axis=1) for c in np.unique(y[tested])]
    return np.mean(recalls, axis=0).tolist() if recalls else [0.0] * len(costs)
