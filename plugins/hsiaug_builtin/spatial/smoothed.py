"""A classifier whose shares are smoothed over the scene, as far as left-out training pixels gain
from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Patches, PatchSamples, Plugin, Progress, TrainView, spatial_folds
from hsiaug_builtin.memoise import once_a_view
from hsiaug_builtin.nets.choice import mean_logarithms, strongest
from hsiaug_builtin.nets.fitted import by_class, real_samples, view_with
from hsiaug_builtin.spatial.component_images import look_up
from hsiaug_builtin.spatial.partner import LEAST_SHARE, Floats, Partner, PartnerParams, partner_of

if TYPE_CHECKING:
    from hsiaug.api import FittedClassifier
    from hsiaug_builtin.spatial.smoothing import Image, Smooth

NONE = "none"
BYTES = 16 * 2**20
"""Patches are gathered, and predicted, in batches of about this size."""
SPECTRA = 4096
"""Spectra that are predicted at a time."""

Own = TypeVar("Own", bound=PartnerParams)


@dataclass(frozen=True, eq=False)
class SceneShares:
    """A fitted classifier that knows its shares of the pixels of a scene, and names others from
    their patches.

    Attributes
    ----------
    shares : (H, W, k) float32
        Of ``classes`` (k,).
    known : (H, W) bool
        Where there are any.
    class_count : int
        C of the scene.
    """

    shares: Image
    known: NDArray[np.bool_]
    classes: NDArray[np.int64]
    class_count: int

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes with real samples are ever named."""
        return np.asarray(self.classes[self._of(patches).argmax(axis=1)])

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) shares for class ids 1..C; 0 for a class without a real sample."""
        return by_class(self._of(patches), self.classes, self.class_count)

    def _of(self, patches: Patches) -> NDArray[np.float32]:
        shares = look_up(self.shares, self.known, patches, self.shares_alone)
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9))

    def shares_alone(self, patches: Patches) -> NDArray[np.float32]:
        """(n, k) shares of patches that lie nowhere, or that the view did not show."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class FittedSmoothed(SceneShares):
    """The partner's smoothed shares; of other patches, its shares as they are."""

    partner: Partner
    fitted: FittedClassifier
    facts: Mapping[str, object] = field(default_factory=dict)

    def shares_alone(self, patches: Patches) -> NDArray[np.float32]:
        """(n, k) shares of the partner."""
        return self.partner.shares(self.fitted, patches, self.classes)


class Smoothed(Plugin[Own]):
    """A subclass has a card, and says in :meth:`choices` how shares may be smoothed.

    The partner is run as it would be alone, on the CPU, in the spectral view that is chosen for it,
    and learns from all samples. How far its shares are smoothed is chosen on two halves of the
    training pixels that lie apart, from fits on the other half; no synthetic sample enters these.
    """

    def choices(self, view: TrainView) -> Mapping[str, Choice]:
        """Return the ways to smooth, the weakest first, by name; not to smooth at all is always
        among the choices.
        """
        raise NotImplementedError

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedSmoothed:
        """Choose how to smooth, then fit and smooth all. Raises PluginError where there is no real
        sample.
        """
        real = real_samples(samples, self.card.name)
        pixels = np.concatenate([view.unlabelled, view.coords])
        with_shares = np.zeros(view.visible.shape, dtype=bool)
        with_shares[tuple(pixels.T)] = True
        view_of_real = view_with(view, real)
        classes = np.unique(real.y)
        partner, choices, scores = _of_real(
            view_of_real,
            self.params,
            seed,
            device,
            choices_of=self.choices,
            samples=real,
            with_shares=with_shares,
            progress=progress,
        )
        names = [NONE, *choices]
        chosen = names[strongest(scores)]
        fitted = partner.fit(samples, real.coords, real.y, progress)
        shares = share_image(partner, fitted, view_of_real, with_shares, classes)
        if chosen != NONE:
            shares = choices[chosen].smooth(shares, with_shares)
        left_out = {name: round(float(score), 3) for name, score in zip(names, scores, strict=True)}
        facts = {"partner_view": partner.spectra.name, "smoothed": chosen, "left_out": left_out}
        return FittedSmoothed(
            shares=shares,
            known=with_shares,
            classes=classes,
            class_count=len(view.class_names),
            partner=partner,
            fitted=fitted,
            facts=facts,
        )


@once_a_view
def _of_real(
    view: TrainView,
    params: PartnerParams,
    seed: int,
    device: str,
    *,
    choices_of: Callable[[TrainView], Mapping[str, Choice]],
    samples: PatchSamples,
    with_shares: NDArray[np.bool_],
    progress: Progress,
) -> tuple[Partner, Mapping[str, Choice], Floats]:
    """The partner, the choices and their scores, alike for all configurations of a split.

    Parameters
    ----------
    samples : PatchSamples
        The real ones of the view.
    """
    partner = partner_of(params.partner, params.family, view, seed, device)
    choices = choices_of(view)
    logarithms = left_out_logarithms(
        partner, samples, view, with_shares, list(choices.values()), progress
    )
    return partner, choices, mean_logarithms(logarithms, samples.y)


@dataclass(frozen=True, eq=False)
class Choice:
    """A way to smooth, which reads pixels at most ``reach`` away from the one that it smooths."""

    smooth: Smooth
    reach: int


def share_image(
    partner: Partner,
    fitted: FittedClassifier,
    view: TrainView,
    where: NDArray[np.bool_],
    classes: NDArray[np.int64],
) -> Image:
    """(H, W, k) the partner's shares of ``classes`` (k,) where (H, W) is true, and the view shows
    the patch; else 0.
    """
    image = np.zeros((*where.shape, len(classes)), dtype=np.float32)
    pixels = np.argwhere(where).astype(np.int32)
    side = 1 if partner.plugin.card.input == "spectrum" else view.patch
    step = SPECTRA if side == 1 else max(1, BYTES // (4 * view.bands * side**2))
    for start in range(0, len(pixels), step):
        block = pixels[start : start + step]
        rows, columns = block.T
        x = view.cube[rows, columns][:, :, None, None] if side == 1 else view.patches(block)
        image[rows, columns] = partner.shares(fitted, Patches(x, block), classes)
    return image


def left_out_logarithms(
    partner: Partner,
    real: PatchSamples,
    view: TrainView,
    with_shares: NDArray[np.bool_],
    choices: Sequence[Choice],
    progress: Progress,
) -> Floats:
    """(1 + choices, n) logarithms of the share of the true class of real samples, by fits on the
    other half of them.

    First without smoothing, then by each choice. NaN for a sample that is never left out.
    ``with_shares`` (H, W): pixels that have shares.
    """
    from scipy.ndimage import maximum_filter

    classes, target = np.unique(real.y, return_inverse=True)
    fold = spatial_folds(real.coords.astype(np.int64), real.y, view.patch)
    logarithms = np.full((1 + len(choices), len(real)), np.nan)
    for k in np.unique(fold[fold >= 0]):
        held_out = np.flatnonzero(fold == k)
        training = real.take(fold != k)
        half = partner.fit(training, training.coords, training.y, progress)
        near = np.zeros_like(with_shares)
        near[tuple(real.coords[held_out].T)] = True
        near = (
            maximum_filter(near, 2 * max((choice.reach for choice in choices), default=0) + 1)
            & with_shares
        )
        shares = share_image(partner, half, view, near, classes)
        for i, smoothed in enumerate(
            [shares, *(choice.smooth(shares, near) for choice in choices)]
        ):
            at_held_out = smoothed[tuple(real.coords[held_out].T)]
            of_true = at_held_out[np.arange(len(held_out)), target[held_out]] / np.maximum(
                at_held_out.sum(axis=1), LEAST_SHARE
            )
            logarithms[i, held_out] = np.log(np.maximum(of_true, LEAST_SHARE))
    return logarithms
