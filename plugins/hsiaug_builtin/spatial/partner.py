"""A classifier that another one works with, as in ``fused:NAME`` and ``filtered:NAME``: its params,
fits and shares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    InputError,
    Patches,
    PatchSamples,
    Progress,
    SpectralView,
    TrainView,
    choose_view,
    give_back_files,
    load_plugin,
    param,
    train_view_seen,
)
from hsiaug_builtin.memoise import once_a_view

if TYPE_CHECKING:
    from hsiaug.api import Classifier, FittedClassifier

LEAST_SHARE = 1e-6
"""No opinion rules a class out for good."""
NOWHERE = -1
INPUTS = ("patch", "spectrum", "scene+samples")
"""What partners learn from. One of the last kind, as ``emp``, finds the pixels of the scene itself.
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PartnerParams:
    """Raises InputError for a partner that is not installed, of another version, or of an input
    that is not served.

    Attributes
    ----------
    family : str
        Name of the plugin.
    """

    partner: str = param("svm", "name of the classifier that it works with")
    version: str = param("", "version of that classifier; the installed one is filled in")

    family: ClassVar[str] = ""

    def __post_init__(self) -> None:
        version = self.installed()
        if self.version not in ("", version):
            raise InputError(
                f"{self.family}:{self.partner} must work with the installed version of"
                f" {self.partner}, {version}",
                value=repr(self.version),
                hint="Leave `version` out, or install the hsiaug of that time.",
            )
        object.__setattr__(self, "version", version)

    def installed(self) -> str:
        """Version of the classifier that is installed."""
        return partner_version(self.partner, self.family)


def partner_version(name: str, family: str) -> str:
    """The installed version of a classifier that ``family:NAME`` may work with. Raises InputError
    for one that is not installed, or that learns from what is not served.
    """
    card = load_plugin("classifier", name).card
    if card.input not in INPUTS or "pixels" not in card.tasks:
        raise InputError(
            f"{family}:NAME must name a classifier of pixels that learns from patches or spectra",
            value=repr(name),
            hint=f"For example {family}:svm or {family}:cnn2d.",
        )
    version: str = card.version
    return version


@dataclass(frozen=True, eq=False)
class Partner:
    """A classifier as it is run alone: in its spectral view, shown no pixel that its own scope
    hides.

    Attributes
    ----------
    family : str
        Name of the plugin that works with it.
    """

    family: str
    plugin: Classifier
    spectra: SpectralView
    view: TrainView
    seed: int
    device: str

    def shown(self, patches: Patches) -> Patches:
        """Patches of raw spectra as that classifier reads them."""
        if self.plugin.card.reads_scene:
            return patches
        x = patches.x
        middle = patches.x.shape[2] // 2
        if self.plugin.card.input == "spectrum":
            # No view, which would need whole patches in memory.
            x = x[:, :, middle : middle + 1, middle : middle + 1].copy()
        return replace(
            patches, x=self.spectra(x, axis=1), coords=np.full_like(patches.coords, NOWHERE)
        )

    def fit(
        self,
        samples: PatchSamples,
        coords: NDArray[np.int32],
        y: NDArray[np.int64],
        progress: Progress,
    ) -> Any:
        """Learn from samples; coords (n, 2) and y (n,) are the training pixels that it may know
        of.
        """
        view = replace(self.view, coords=coords, y=y)
        transformed = self.shown(samples)
        give_back_files()
        assert isinstance(transformed, PatchSamples)
        return self.plugin.fit(
            transformed, view, seed=self.seed, device=self.device, progress=progress
        )

    def shares(
        self, fitted: FittedClassifier, patches: Patches, classes: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """(n, k) its shares of ``classes`` (k,). Raises InputError where it gives none."""
        if not hasattr(fitted, "predict_proba"):
            raise InputError(
                f"{self.family}:NAME must name a classifier that gives shares of classes"
                " (predict_proba)",
                value=repr(self.plugin.card.name),
                hint=f"For example {self.family}:svm or {self.family}:cnn2d.",
            )
        shares: NDArray[np.float32] = fitted.predict_proba(self.shown(patches))[:, classes - 1]
        return shares

    def logarithms(
        self, fitted: FittedClassifier, patches: Patches, classes: NDArray[np.int64]
    ) -> Floats:
        """(n, k) logarithms of its shares."""
        return np.asarray(
            np.log(np.maximum(self.shares(fitted, patches, classes), LEAST_SHARE), dtype=np.float64)
        )


def partner_of(name: str, family: str, view: TrainView, seed: int, device: str) -> Partner:
    """The classifier ``name``, and what it would be shown of a view of scope ``scene`` if it were
    run alone.
    """
    from scipy.ndimage import maximum_filter

    plugin = load_plugin("classifier", name)
    spectra = (
        SpectralView("raw", view.wavelengths) if plugin.card.reads_scene else _chosen_view(view)
    )
    if plugin.card.scope == "none":
        near = np.zeros_like(view.visible)
        near[tuple(view.coords.T)] = True
        near = maximum_filter(near, view.patch) & view.visible
        view = replace(view, visible=near, unlabelled=view.unlabelled[:0], scope="none")
    else:
        # What is kept for as long as a view is there must not hold the view itself.
        view = replace(view)
    return Partner(family, plugin, spectra, train_view_seen(view, spectra), seed, device)


_chosen_view = once_a_view(choose_view)
"""The spectral view of a split, which several classifiers and the teacher ask for."""
