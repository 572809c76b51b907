"""A sound classifier, and others that each break one rule. Each names its rule: the check that must
fail.
"""

import os
import sys

import numpy as np

from hsiaug.api import Card, PluginError
from hsiaug.core.scene import Scene
from tests.testing.faults import listing

FAULTY = []


class Sound:
    """The nearest class mean, by weighted and z-scored spectra."""

    card = Card(name="sound", version="1", summary="nearest mean", input="spectrum")

    def __init__(self, params):
        pass

    def fit(self, samples, view, *, seed, device, progress):
        progress(1, 1, "fit")
        self.normaliser, self.count = view.normaliser, len(view.class_names)
        self.ids = np.unique(samples.y[samples.weight > 0])
        z = self.normaliser.spectra(samples.centres)
        self.means = np.stack([self.mean(z, samples.weight * (samples.y == c)) for c in self.ids])
        return self

    def mean(self, z, weight):
        return np.average(z, axis=0, weights=weight)

    def shares(self, patches):
        z = self.normaliser.spectra(patches.centres)
        near = np.exp(-((z[:, None] - self.means) ** 2).mean(axis=-1))
        return near / near.sum(axis=1, keepdims=True)

    def predict(self, patches):
        return self.ids[self.shares(patches).argmax(axis=1)]

    def predict_proba(self, patches):
        shares = np.zeros((len(patches), self.count), np.float32)
        shares[:, self.ids - 1] = self.shares(patches)
        return shares


class Location(Sound):
    """Reads no band."""

    card = Card(name="location", version="1", summary="nearest pixel", input="location")

    def fit(self, samples, view, **_):
        real = samples.take(~samples.synthetic)
        if not len(real):
            raise PluginError("needs real samples", hint="Give it some.")
        self.coords, self.ids, self.count = real.coords, real.y, len(view.class_names)
        return self

    def predict(self, patches):
        return self.ids[((patches.coords[:, None] - self.coords) ** 2).sum(axis=-1).argmin(axis=1)]

    predict_proba = property()  # an attribute that is not there


faulty = listing(FAULTY.append)


def net(name="a"):
    """The card of a network."""
    return Card(
        name=name,
        version="1",
        summary="a net",
        input="spectrum",
        uses_device=True,
        presets={"tiny": {}},
    )


@faulty("card")
class NetWithoutTiny(Sound):
    card = Card(name="a", version="1", summary="a net", input="spectrum", uses_device=True)

    def fit(self, samples, view, *, device, **given):
        if device != "cpu":
            raise RuntimeError(device)
        return super().fit(samples, view, device=device, **given)


@faulty("runs")
class FromZero(Sound):
    def predict(self, patches):
        return super().predict(patches) - 1


@faulty("determinism")
class Unseeded(Sound):
    def fit(self, samples, view, **given):
        super().fit(samples, view, **given)
        self.means = self.means + os.urandom(1)[0] * 1e-4
        return self


@faulty("no-test-label")
class LooksUp(Sound):
    """Finds the scene in the frames of its callers, and lets its labels decide."""

    def fit(self, samples, view, **given):
        super().fit(samples, view, **given)
        frame = sys._getframe()
        scenes = []
        while frame := frame.f_back:
            for value in frame.f_locals.values():
                scenes += [
                    s for s in (value, getattr(value, "scene", None)) if isinstance(s, Scene)
                ]
        self.means = self.means + 1e-3 * (scenes[0].labels[:, -1] == 1).mean()
        return self


@faulty("learns")
class Majority(Sound):
    def shares(self, patches):
        shares = np.zeros((len(patches), len(self.ids)))
        shares[:, 0] = 1
        return shares


@faulty("batches")
class BatchNorm(Sound):
    def shares(self, patches):
        z = self.normaliser.spectra(patches.centres)
        z = z - z.mean(axis=0) if len(z) > 1 else z
        near = np.exp(-((z[:, None] - self.means) ** 2).mean(axis=-1))
        return near / near.sum(axis=1, keepdims=True)


@faulty("probabilities")
class Shifted(Sound):
    def predict_proba(self, patches):
        return np.roll(super().predict_proba(patches), 1, axis=1)


@faulty("weights")
class Unweighted(Sound):
    def fit(self, samples, view, **given):
        self.ids = np.unique(samples.y)
        z = view.normaliser.spectra(samples.centres)
        self.normaliser, self.count = view.normaliser, len(view.class_names)
        self.means = np.stack([z[samples.y == c].mean(axis=0) for c in self.ids])
        return self


@faulty("synthetic-only")
class NeedsReal(Sound):
    def fit(self, samples, view, **given):
        _ = samples.y[~samples.synthetic][0]
        return super().fit(samples, view, **given)


@faulty("equal-budget")
class Epochs(Sound):
    """Makes a step of an optimiser for each sample."""

    card = net()

    def fit(self, samples, view, *, device, **given):
        import torch

        optimiser = torch.optim.SGD([torch.zeros(1, device=device, requires_grad=True)], lr=0.1)
        for _ in range(len(samples)):
            optimiser.step()
        return super().fit(samples, view, device=device, **given)


@faulty("hard-data")
class NeedsThree(Sound):
    def fit(self, samples, view, **given):
        assert min(view.counts.values()) >= 3
        return super().fit(samples, view, **given)


@faulty("hard-data")
class NamesThem(Sound):
    """Names a class without samples now and then."""

    def predict(self, patches):
        missing = np.setdiff1d(np.arange(1, self.count + 1), self.ids)
        labels = super().predict(patches)
        if len(missing) and len(self.ids) > 1:
            labels = np.where(np.arange(len(labels)) % 9 == 0, missing[0], labels)
        return labels


@faulty("hard-data")
class NeedsWavelengths(Sound):
    def fit(self, samples, view, **given):
        _ = view.wavelengths[0]
        return super().fit(samples, view, **given)
