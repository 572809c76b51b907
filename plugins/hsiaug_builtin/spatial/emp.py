"""Extended morphological profiles: spectra beside what is around them, for a support vector
machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    NoParams,
    Normaliser,
    Patches,
    PatchSamples,
    Plugin,
    Progress,
    SpectralView,
    TrainView,
    choose_view,
    train_view_seen,
)
from hsiaug_builtin.classifiers.svm import FittedSvm
from hsiaug_builtin.nets.fitted import real_samples, view_with
from hsiaug_builtin.nets.projection import Projection
from hsiaug_builtin.nets.svm import machine_of
from hsiaug_builtin.spatial.component_images import component_image, fit_components, look_up
from hsiaug_builtin.spatial.profiles import profiles

COMPONENTS = 5
"""Principal components that have a profile."""
COST = 100.0
"""C of the machine."""
WIDTH = 0.3
"""γ times the number of features. Both were chosen, with the spectra beside profiles, on splits 100
to 103 of Indian Pines, of crops of Houston and Pavia, and of Jasper Ridge, under ``issd``.
"""


@dataclass(frozen=True, eq=False)
class Profiled:
    """Features of pixels.

    Attributes
    ----------
    image : (H, W, d) float32
        Profiles of the scene.
    visible : (H, W) bool
        Where they hold.
    """

    spectra: SpectralView
    projection: Projection
    image: NDArray[np.float32]
    visible: NDArray[np.bool_]

    def __call__(self, patches: Patches) -> Patches:
        """Patches of raw spectra → their features (n, d + B', 1, 1): the profile, and the spectrum
        in its view.

        A patch that lies nowhere, as synthetic ones do, has the profile that is seen within the
        patch.
        """
        profile = look_up(
            self.image,
            self.visible,
            patches,
            lambda alone: _within(self.projection.patches(alone.x)),
        )
        x = np.concatenate([profile, self.spectra(patches.centres, axis=1)], axis=1)
        return replace(patches, x=x[:, :, None, None])


def _within(layers: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, d) profiles of the centres of patches (n, k, p, p) of components."""
    middle = layers.shape[2] // 2
    return profiles(layers.transpose(1, 0, 2, 3))[:, :, middle, middle].T


@dataclass(frozen=True, eq=False)
class FittedEmp:
    """A support vector machine of features that ``read`` takes from patches."""

    read: Profiled
    machine: FittedSvm
    facts: Mapping[str, object] = field(default_factory=dict)

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids."""
        return self.machine.predict(self.read(patches))

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) shares as those of ``svm``."""
        return self.machine.predict_proba(self.read(patches))


class Emp(Plugin[NoParams]):
    """A support vector machine on extended morphological profiles by reconstruction, and on the
    spectrum.

    Benediktsson et al. give a neural network the profiles of the first components; Fauvel et al.
    add the spectrum and take a support vector machine. C and γ are fixed here, and the spectrum is
    in the view that is chosen for the split. Profiles are those of the whole scene, so a structure
    may be larger than a patch; synthetic samples have those of their patch alone.
    """

    card = Card(
        name="emp",
        version="1",
        summary="Support vector machine on extended morphological profiles and the spectrum",
        paper="""After @article{benediktsson2005emp, author={J{\\'o}n Atli Benediktsson and J{\\'o}n
            Aevar Palmason and Johannes R. Sveinsson}, title={Classification of Hyperspectral Data
            from Urban Areas Based on Extended Morphological Profiles}, journal={IEEE Transactions
            on Geoscience and Remote Sensing}, volume={43}, number={3}, pages={480--491},
            year={2005}, doi={10.1109/TGRS.2004.842478}}; with the spectrum:
            @article{fauvel2008fusion, author={Mathieu Fauvel and J{\\'o}n Atli Benediktsson and
            Jocelyn Chanussot and Johannes R. Sveinsson}, title={Spectral and Spatial Classification
            of Hyperspectral Data Using {SVMs} and Morphological Profiles}, journal={IEEE
            Transactions on Geoscience and Remote Sensing}, volume={46}, number={11},
            pages={3804--3814}, year={2008}, doi={10.1109/TGRS.2008.922034}}""",
        scope="scene",
        input="scene+samples",
        seconds=2.0,
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedEmp:
        """Make the profiles of the scene, and learn from all samples. Raises PluginError where
        there is no real one.
        """
        from sklearn.svm import SVC

        real = real_samples(samples, self.card.name)
        view = view_with(view, real)
        spectra = choose_view(view)
        projection = fit_components(view, COMPONENTS)
        layers = component_image(view, projection).transpose(2, 0, 1)[:, None]
        image = profiles(layers)[:, 0].transpose(1, 2, 0)
        profiled = Profiled(spectra, projection, image, view.visible)
        normaliser = _normaliser(image[view.visible], train_view_seen(view, spectra).normaliser)
        features = profiled(samples)
        assert isinstance(features, PatchSamples)
        gamma = WIDTH / features.x.shape[1]
        model = None
        if len(np.unique(features.y)) > 1:
            model = SVC(C=COST, gamma=gamma, random_state=0)
            model.fit(
                normaliser.spectra(features.centres), features.y, sample_weight=features.weight
            )
        machine = FittedSvm(
            normaliser, machine_of(model, features.y, gamma), COST, gamma, len(view.class_names)
        )
        return FittedEmp(profiled, machine, {"view": spectra.name})


def _normaliser(profile: NDArray[np.float32], spectra: Normaliser) -> Normaliser:
    """Mean and spread of profiles (n, d), before those of spectra."""
    mean = profile.mean(axis=0, dtype=np.float64)
    std = profile.std(axis=0, dtype=np.float64)
    std[std < 1e-6] = 1
    return Normaliser(
        np.concatenate([mean, spectra.mean]).astype(np.float32),
        np.concatenate([std, spectra.std]).astype(np.float32),
    )
