"""A classifier and the teacher together: the product of their shares, each with a weight from left-out pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Plugin, Progress, TrainView, spatial_folds
from hsiaug_builtin.nets.fitted import by_class, real_samples
from hsiaug_builtin.spatial.partner import LEAST_SHARE, Floats, Partner, PartnerParams, partner_of

if TYPE_CHECKING:
    from hsiaug.api import FittedClassifier
    from hsiaug_builtin.teacher.teacher import Reading, Voter

TRUST = 1.0
"""Weight of the partner's logarithms where nothing is left out to learn it from; the voters share as much."""


@dataclass(frozen=True)
class FusedParams(PartnerParams):
    """The classifier whose shares are multiplied with those of the teacher's voters."""

    family: ClassVar[str] = "fused"


@dataclass(frozen=True, eq=False)
class FittedFused:
    """weights: (v + 1,) of the voters and the partner. row: (H, W) int64, where a pixel stands among ``voted``, the
    (m, k) logarithms of the weighted voters' shares; -1 = the view did not show its patch. class_count: C of the scene.
    """

    partner: Partner
    fitted: FittedClassifier
    voters: tuple[Voter, ...]
    weights: Floats
    row: NDArray[np.int64]
    voted: Floats
    classes: NDArray[np.int64]
    class_count: int
    facts: Mapping[str, object] = field(default_factory=dict)

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes with real samples are ever named."""
        return np.asarray(self.classes[self._shares(patches).argmax(axis=1)])

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) shares for class ids 1..C; 0 for a class without a real sample."""
        return by_class(self._shares(patches), self.classes, self.class_count)

    def _shares(self, patches: Patches) -> Floats:
        from scipy.special import softmax

        row = self.row[patches.coords[:, 0], patches.coords[:, 1]]
        row[(patches.coords < 0).any(axis=1)] = -1
        voted = self.voted[row]
        if (row < 0).any():
            opinions = [voter.patches(patches.x[row < 0]) for voter in self.voters]
            voted[row < 0] = np.tensordot(self.weights[:-1], np.stack(opinions), 1)
        told = self.partner.logarithms(self.fitted, patches, self.classes)
        return np.asarray(softmax(voted + self.weights[-1] * told, axis=1))


class Fused(Plugin[FusedParams]):
    """The logarithmic opinion pool of the teacher's voters (:mod:`hsiaug_builtin.teacher`) and of a partner.

    The partner is run as it would be alone, on the CPU, in the spectral view that is chosen for it, and learns from all
    samples. The teacher reads training pixels and unlabelled ones; the shares of its weighted voters are averaged over
    like neighbours. How much each voter and the partner count is learnt on two halves of the training pixels that lie
    apart, from fits on the other half (:func:`hsiaug_builtin.teacher.pool.pool_weights`); no synthetic sample enters
    these fits, as one may be made from a pixel that is left out.
    """

    card = Card(
        name="fused",
        version="1",
        summary="Product of a classifier's shares and those of a teacher that reads unlabelled pixels, as fused:NAME",
        paper="""@article{genest1986combining, author={Christian Genest and James V. Zidek}, title={Combining Probability
            Distributions: A Critique and an Annotated Bibliography}, journal={Statistical Science}, volume={1},
            number={1}, pages={114--135}, year={1986}, doi={10.1214/ss/1177013825}}; weights:
            @inproceedings{heskes1997pools, author={Tom Heskes}, title={Selecting Weighting Factors in Logarithmic
            Opinion Pools}, booktitle={Advances in Neural Information Processing Systems 10}, year={1997}}""",
        scope="scene",
        input="scene+samples",
        seconds=10.0,
        params=FusedParams,
        variant="partner",
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedFused:
        """Weigh the opinions on left-out pixels, then fit all. Raises PluginError where there is no real sample."""
        from scipy.special import softmax

        from hsiaug_builtin.teacher.pool import pool_weights
        from hsiaug_builtin.teacher.teacher import average_alike, readings

        real = real_samples(samples, self.card.name)
        view = replace(view, coords=real.coords, y=real.y)
        partner = partner_of(self.params, view, seed, device)
        classes, target = np.unique(real.y, return_inverse=True)
        fold = spatial_folds(real.coords.astype(np.int64), real.y, view.patch)
        told = np.full((len(real), len(classes)), np.log(LEAST_SHARE))
        for k in np.unique(fold[fold >= 0]):
            rest = real.take(fold != k)
            half = partner.fit(rest, rest.coords, rest.y, progress)
            told[fold == k] = partner.logarithms(half, real.take(fold == k), classes)
        pixels = np.concatenate([view.unlabelled, real.coords])
        read = list(readings(view, pixels))
        voters = tuple(reading.fit(reading.features[-len(real) :], real.y) for reading in read)
        left_out = np.stack([*(_left_out(reading, real.y, fold) for reading in read), told])
        prior = np.array([*np.full(len(voters), 1 / len(voters)), TRUST])
        held = fold >= 0
        weights = pool_weights(left_out[:, held], target[held], prior)
        voted = np.tensordot(
            weights[:-1], [v.logarithms(r.features) for v, r in zip(voters, read, strict=True)], 1
        )
        voted = average_alike(softmax(voted, axis=1), pixels, read[0].plane)
        row = np.full(view.visible.shape, -1, dtype=np.int64)
        row[tuple(pixels.T)] = np.arange(len(pixels))
        return FittedFused(
            partner=partner,
            fitted=partner.fit(samples, real.coords, real.y, progress),
            voters=voters,
            weights=weights,
            row=row,
            voted=np.log(np.maximum(voted, LEAST_SHARE)),
            classes=classes,
            class_count=len(view.class_names),
            facts={"partner_view": partner.spectra.name, "weights": [round(float(w), 3) for w in weights]},
        )


def _left_out(reading: Reading, y: NDArray[np.int64], fold: NDArray[np.int64]) -> Floats:
    """(n, k) logarithms of the shares that a voter gives each training pixel, learnt from the other fold alone."""
    own, classes = reading.features[-len(y) :], np.unique(y)
    told = np.full((len(y), len(classes)), np.log(LEAST_SHARE))
    for k in np.unique(fold[fold >= 0]):
        rest = fold != k
        known = np.searchsorted(classes, np.unique(y[rest]))
        told[np.ix_(fold == k, known)] = reading.fit(own[rest], y[rest]).logarithms(own[fold == k])
    return told
