"""Names of pixels by several opinions: the voters, and a classifier beside them.

The shares of all opinions are multiplied, each with a weight (the logarithmic opinion pool of
Genest and Zidek, Combining Probability Distributions, Statistical Science 1, 1986), so that a class
which one of them rules out is not named. The weights are learnt on two halves of the training
pixels that lie apart, from fits on the other half. Where left-out pixels are told with less than
SURE, shares are averaged over like neighbours; where they are told almost without error there is no
noise to take away, and an average only blurs borders.

Pixels of one name that touch are a segment. One that holds a training pixel of its class continues
what was labelled; on a segment far from any, a name rests on spectra alone, and is far more often
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import scipy  # its parts are loaded where they are used
from numpy.typing import NDArray

from hsiaug.api import (
    Patches,
    PatchSamples,
    Progress,
    TrainView,
    derive_seed,
    spatial_folds,
    take_in_turn,
)
from hsiaug_builtin.memoise import once_a_view
from hsiaug_builtin.nets.choice import mean_logarithms
from hsiaug_builtin.nets.fitted import view_with
from hsiaug_builtin.spatial.partner import LEAST_SHARE, Floats, Partner, partner_of
from hsiaug_builtin.spatial.smoothed import SceneShares, share_image
from hsiaug_builtin.teacher.pool import pool_weights
from hsiaug_builtin.teacher.voters import Voter, VoterInput, average_alike, readings

if TYPE_CHECKING:
    from hsiaug.api import FittedClassifier

TRUST = 1.0
"""Weight of the partner's logarithms from which the weight that is learnt starts; the voters share
as much.
"""
SURE = 0.9
"""Geometric mean, all classes alike, of the shares of the true class of left-out pixels from which
on shares are not averaged over neighbours. Chosen on splits 100 to 105 of Indian Pines, of crops of
Houston and Pavia, of Jasper Ridge and Samson under ``issd``; so was the classifier beside the
voters.
"""
MAX_TRAINING_PIXELS = 600
"""Training pixels that the teacher learns at most, one of each class in turn, so that a fit takes
seconds.
"""


@dataclass(frozen=True, eq=False)
class OpinionPool(SceneShares):
    """Shares of all opinions together.

    Attributes
    ----------
    weights : (v + p,) float
        Of the voters and the partners.
    """

    partners: tuple[Partner, ...]
    fitted: tuple[FittedClassifier, ...]
    voters: tuple[Voter, ...]
    weights: Floats
    facts: Mapping[str, object] = field(default_factory=dict)

    def shares_alone(self, patches: Patches) -> NDArray[np.float32]:
        """(n, k) shares of patches of raw spectra, not averaged over neighbours."""
        logarithms = [voter.patches(patches.x) for voter in self.voters]
        for partner, fitted in zip(self.partners, self.fitted, strict=True):
            logarithms.append(partner.logarithms(fitted, patches, self.classes))
        return np.asarray(
            scipy.special.softmax(np.tensordot(self.weights, logarithms, 1), axis=1),
            dtype=np.float32,
        )


def fit_pool(
    names: Sequence[str],
    samples: PatchSamples,
    real: PatchSamples,
    view: TrainView,
    *,
    seed: int,
    device: str,
    progress: Progress,
    untested: float = TRUST,
) -> OpinionPool:
    """Weigh the opinions on left-out pixels, then fit all; the shares are those of unlabelled and
    of real pixels.

    Parameters
    ----------
    names : sequence of str
        Of the partners.
    samples : PatchSamples
        What the partners learn from at last.
    real : PatchSamples
        (n,) those that all else is learnt from; no synthetic sample enters the weights, as one
        may be made from a pixel that is left out.
    untested : float
        Weight of all partners together where nothing can be left out.
    """
    pixels = np.concatenate([view.unlabelled, real.coords])
    with_shares = np.zeros(view.visible.shape, dtype=bool)
    with_shares[tuple(pixels.T)] = True
    view_of_real = view_with(view, real)
    partners = tuple(partner_of(name, "fused", view_of_real, seed, device) for name in names)
    inputs = list(readings(view_of_real, pixels))
    weights, sure = _weigh_opinions(
        inputs, partners, real, patch=view.patch, untested=untested, progress=progress
    )
    voters = tuple(reading.fit(reading.features[-len(real) :], real.y) for reading in inputs)
    fitted = tuple(partner.fit(samples, real.coords, real.y, progress) for partner in partners)
    classes = np.unique(real.y)
    of_partners = [
        share_image(partner, model, view_of_real, with_shares, classes)[tuple(pixels.T)]
        for partner, model in zip(partners, fitted, strict=True)
    ]
    shares = _pooled_shares(weights, voters, inputs, of_partners)
    averaged = bool(np.isnan(sure) or sure < SURE)
    if averaged:
        shares = average_alike(shares, pixels, inputs[0].plane)
    image = np.zeros((*with_shares.shape, len(classes)), dtype=np.float32)
    image[tuple(pixels.T)] = shares
    return OpinionPool(
        shares=image,
        known=with_shares,
        classes=classes,
        class_count=len(view.class_names),
        partners=partners,
        fitted=fitted,
        voters=voters,
        weights=weights,
        facts={
            "partner_view": "+".join(partner.spectra.name for partner in partners),
            "weights": [round(float(weight), 3) for weight in weights],
            "left_out_share": None if np.isnan(sure) else round(sure, 3),
            "averaged": averaged,
        },
    )


def _weigh_opinions(
    inputs: Sequence[VoterInput],
    partners: Sequence[Partner],
    real: PatchSamples,
    *,
    patch: int,
    untested: float,
    progress: Progress,
) -> tuple[Floats, float]:
    """Weights of the opinions on left-out pixels, and how sure all are of these together.

    Parameters
    ----------
    inputs : sequence of VoterInput
        (v,) what the voters read; its last pixels are those of the real samples.
    patch : int
        Side of the patches, in pixels.
    untested : float
        Weight of all partners together where nothing can be left out.

    Returns
    -------
    ((v + p,) float64, float)
        Weights of the voters and the partners; the geometric mean, all classes alike, of the shares
        of the true class, NaN where nothing can be left out.
    """
    target = np.unique(real.y, return_inverse=True)[1]
    fold = spatial_folds(real.coords.astype(np.int64), real.y, patch)
    opinions = np.stack(
        [
            *(_left_out(reading, real.y, fold) for reading in inputs),
            *(_left_out_by(partner, real, fold, progress) for partner in partners),
        ]
    )
    left_out = fold >= 0
    trust = TRUST if left_out.any() else untested
    prior = np.array(
        [
            *np.full(len(inputs), 1 / len(inputs)),
            *np.full(len(partners), trust / len(partners)),
        ]
    )
    weights = pool_weights(opinions[:, left_out], target[left_out], prior)
    of_true = np.where(left_out, _of_true(np.tensordot(weights, opinions, 1), target), np.nan)
    return weights, float(np.exp(mean_logarithms(of_true[None], real.y)[0]))


def _pooled_shares(
    weights: Floats,
    voters: Sequence[Voter],
    inputs: Sequence[VoterInput],
    of_partners: Sequence[NDArray[np.float32]],
) -> Floats:
    """(n, k) shares of the opinions of all voters, and of partners with shares (n, k) each."""
    pooled = np.zeros(of_partners[0].shape)
    for weight, shares in zip(weights[len(voters) :], of_partners, strict=True):
        pooled += weight * np.log(np.maximum(shares, LEAST_SHARE, dtype=np.float64))
    for weight, voter, reading in zip(weights[: len(voters)], voters, inputs, strict=True):
        pooled += weight * voter.logarithms(reading.features)
    return np.asarray(scipy.special.softmax(pooled, axis=1))


def _of_true(logarithms: Floats, target: NDArray[np.int64]) -> Floats:
    """(n,) logarithms of the shares of the true classes, from sums of logarithms (n, k)."""
    return np.asarray(scipy.special.log_softmax(logarithms, axis=1)[np.arange(len(target)), target])


def _left_out(reading: VoterInput, y: NDArray[np.int64], fold: NDArray[np.int64]) -> Floats:
    """(n, k) logarithms of the shares that a voter gives each training pixel, learnt from the other
    fold alone.
    """
    features = reading.features[-len(y) :]
    classes = np.unique(y)
    logarithms = np.full((len(y), len(classes)), np.log(LEAST_SHARE))
    for k in np.unique(fold[fold >= 0]):
        training = fold != k
        columns = np.searchsorted(classes, np.unique(y[training]))
        logarithms[np.ix_(fold == k, columns)] = reading.fit(
            features[training], y[training]
        ).logarithms(features[fold == k])
    return logarithms


def _left_out_by(
    partner: Partner, real: PatchSamples, fold: NDArray[np.int64], progress: Progress
) -> Floats:
    """(n, k) the same of a partner."""
    classes = np.unique(real.y)
    logarithms = np.full((len(real), len(classes)), np.log(LEAST_SHARE))
    for k in np.unique(fold[fold >= 0]):
        training = real.take(fold != k)
        half = partner.fit(training, training.coords, training.y, progress)
        logarithms[fold == k] = partner.logarithms(half, real.take(fold == k), classes)
    return logarithms


@dataclass(frozen=True, eq=False)
class Votes:
    """What the teacher says of unlabelled pixels.

    Attributes
    ----------
    pixels : (m, 2) int32
        Unlabelled.
    shares : (m, k) float64
        Rows sum to 1.
    classes : (k,) int64
        Ids, ascending.
    attached : (m,) bool
        The pixel lies in a segment with a training pixel of the class that it votes most for.
    facts : mapping of str to object
        What the pool of opinions says of itself.
    """

    pixels: NDArray[np.int32]
    shares: NDArray[np.float64]
    classes: NDArray[np.int64]
    attached: NDArray[np.bool_]
    facts: Mapping[str, object]


def _say_nothing(done: int, total: int, note: str = "") -> None:
    """The classifier of the teacher reports no progress."""


def fit_teacher(view: TrainView, real: PatchSamples | None = None) -> OpinionPool:
    """The pool of the voters and ``svm``, learnt from training pixels, at most MAX_TRAINING_PIXELS.

    Its seed depends on these pixels alone: all plugins that ask for the teacher of a split are
    given the same one, which is fitted once.

    Where nothing can be left out, as with one label a class, ``svm`` has no weight: on splits 110
    to 115 under ``kshot:1`` this is worth +18.5 points of average accuracy on Indian Pines, +3.9
    and -2.4 on crops of Houston and Pavia, -1.9 on Jasper Ridge and +3.6 on Samson.

    Parameters
    ----------
    real : PatchSamples or None
        Those of the view where None.
    """
    return _teacher_of(view) if real is None or view_with(view, real) is view else _fit(view, real)


@once_a_view
def _teacher_of(view: TrainView) -> OpinionPool:
    return _fit(view, view.real)


def _fit(view: TrainView, real: PatchSamples) -> OpinionPool:
    seed = derive_seed("teacher", crc32(real.coords.tobytes()), crc32(real.y.tobytes()))
    if len(real) > MAX_TRAINING_PIXELS:
        mixed = np.random.default_rng(seed).permutation(len(real))
        real = real.take(np.sort(mixed[take_in_turn(real.y[mixed])][:MAX_TRAINING_PIXELS]))
    return fit_pool(
        ("svm",),
        real,
        real,
        view,
        seed=seed,
        device="cpu",
        progress=_say_nothing,
        untested=0.0,
    )


def teach(view: TrainView) -> Votes:
    """Votes for the unlabelled pixels of a view, which may be none."""
    pool = fit_teacher(view)
    shares = pool.shares[tuple(view.unlabelled.T)].astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    attached = _attach(view, pool.classes[shares.argmax(axis=1)])
    return Votes(view.unlabelled, shares, pool.classes, attached, pool.facts)


def _attach(view: TrainView, named: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each unlabelled pixel, named after a class (m,), lies in a segment with a training
    pixel of that class.
    """
    from scipy.ndimage import label

    names = np.zeros(view.visible.shape, dtype=np.int64)
    names[view.unlabelled[:, 0], view.unlabelled[:, 1]] = named
    names[view.coords[:, 0], view.coords[:, 1]] = view.y
    attached = np.zeros(names.shape, dtype=bool)
    for c in view.counts:
        segment, _ = label(names == c)
        rows, columns = view.coords[view.y == c].T
        attached |= (segment > 0) & np.isin(segment, segment[rows, columns])
    return np.asarray(attached[view.unlabelled[:, 0], view.unlabelled[:, 1]])
