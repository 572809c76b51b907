"""A generator in numpy: spectra from a Gaussian per class, with one covariance for all classes.

A drawn spectrum becomes a patch by moving a real patch of the class, so that its centre is that
spectrum.
"""

from dataclasses import dataclass

import numpy as np

from hsiaug.api import (
    Card,
    Entry,
    PatchSamples,
    Plugin,
    PluginError,
    hookimpl,
    load_state,
    param,
    save_state,
)


@dataclass(frozen=True)
class Params:
    spread: float = param(
        1.0, "standard deviation of samples, in those of the training pixels", low=0, high=5
    )


class Fitted:
    """x: (n, B, p, p) real patches; y: (n,) class ids; means: (n, B) mean of each patch's class."""

    def __init__(self, x, y, means, spread):
        self.x, self.y, self.means, self.spread = x, y, means, spread

    def sample(self, counts, *, guidance, seed):
        rng = np.random.default_rng(seed)
        rows = [np.empty(0, dtype=int)]
        for c, count in counts.items():
            own = np.flatnonzero(self.y == c)
            if count and not len(own):
                raise PluginError(
                    f"class {c} has no training pixel", hint="Ask for classes that have one."
                )
            rows.append(rng.choice(own, size=count))
        rows = np.concatenate(rows)
        middle = self.x.shape[2] // 2
        centres = self.x[:, :, middle, middle]
        deviations = (centres - self.means) / np.sqrt(max(1, len(self.y) - len(np.unique(self.y))))
        # Normal weights of all deviations have the covariance of the training pixels within
        # classes.
        drawn = (
            self.means[rows]
            + self.spread * rng.standard_normal((len(rows), len(self.y))) @ deviations
        )
        moved = drawn - centres[rows]
        return PatchSamples.made(self.x[rows] + moved[:, :, None, None], self.y[rows])

    def save(self, folder):
        save_state(folder, {"x": self.x, "y": self.y, "means": self.means}, {"spread": self.spread})


class ClassGaussian(Plugin):
    card = Card(
        name="class-gaussian",
        version="1",
        summary="Gaussian per class, one covariance",
        params=Params,
    )

    def fit(self, view, *, seed, device, progress):
        x, y, centres = view.real.x, view.real.y, view.real.centres
        means = np.stack([centres[y == c].mean(axis=0) for c in y])
        return Fitted(x, y, means, self.params.spread)

    def load(self, folder, *, device):
        arrays, facts = load_state(folder)
        return Fitted(**arrays, **facts)


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "class-gaussian", "class_gaussian:ClassGaussian")]
