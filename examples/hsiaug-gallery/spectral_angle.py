"""A classifier: the class whose mean spectrum has the smallest angle to a pixel's (SAM, Kruse et
al., 1993).
"""

import numpy as np

from hsiaug.api import Card, Entry, NoParams, Plugin, hookimpl


def unit(spectra):
    """Spectra (n, B) of length 1."""
    return spectra / np.maximum(np.linalg.norm(spectra, axis=1, keepdims=True), 1e-12)


class Fitted:
    """ids: (C,) class ids; means: (C, B) unit vectors."""

    def __init__(self, ids, means):
        self.ids, self.means = ids, means

    def predict(self, patches):
        return self.ids[np.argmax(unit(patches.centres.astype(float)) @ self.means.T, axis=1)]


class SpectralAngle(Plugin[NoParams]):
    card = Card(
        name="spectral-angle",
        version="1",
        summary="Smallest angle to a class's mean",
        input="spectrum",
    )

    def fit(self, samples, view, *, seed, device, progress):
        # Of no sample but those that weigh something.
        used = samples.take(samples.weight > 0)
        ids = np.unique(used.y)
        spectra, weights = used.centres.astype(float), used.weight.astype(float)
        means = [
            np.average(spectra[used.y == c], axis=0, weights=weights[used.y == c]) for c in ids
        ]
        return Fitted(ids, unit(np.array(means)))


@hookimpl
def hsiaug_plugins():
    return [Entry("classifier", "spectral-angle", "spectral_angle:SpectralAngle")]
