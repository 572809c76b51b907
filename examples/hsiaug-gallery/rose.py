"""A generator that wraps a sampler of imbalanced-learn: the smoothed bootstrap of whole patches
(ROSE).

Any sampler with ``sampling_strategy``, ``random_state`` and ``fit_resample`` may stand in its
place.
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
    shrinkage: float = param(0.3, "width of the noise; 0 repeats real patches", low=0, high=2)


class Fitted:
    """x: (n, B, p, p) real patches; y: (n,) class ids."""

    def __init__(self, x, y, shrinkage):
        self.x, self.y, self.shrinkage = x, y, shrinkage

    def sample(self, counts, *, guidance, seed):
        # Heavy libraries are imported where they are needed: listing plugins stays fast.
        from imblearn.over_sampling import RandomOverSampler

        ids, sizes = np.unique(self.y, return_counts=True)
        totals = dict(zip(ids.tolist(), sizes.tolist(), strict=True))
        for c, count in counts.items():
            if count and c not in totals:
                raise PluginError(
                    f"class {c} has no training pixel", hint="Ask for classes that have one."
                )
            if count:
                totals[c] += count
        sampler = RandomOverSampler(
            sampling_strategy=totals, shrinkage=self.shrinkage, random_state=seed
        )
        x, y = sampler.fit_resample(self.x.reshape(len(self.x), -1), self.y)
        # What comes back begins with the real patches.
        new = slice(len(self.x), None)
        return PatchSamples.made(x[new].reshape(-1, *self.x.shape[1:]), y[new])

    def save(self, folder):
        save_state(folder, {"x": self.x, "y": self.y}, {"shrinkage": self.shrinkage})


class Rose(Plugin):
    card = Card(
        name="rose",
        version="1",
        summary="Real patches with noise as wide as their class, by imbalanced-learn",
        needs=("imblearn",),
        params=Params,
    )

    def fit(self, view, *, seed, device, progress):
        return Fitted(view.real.x, view.real.y, self.params.shrinkage)

    def load(self, folder, *, device):
        arrays, facts = load_state(folder)
        return Fitted(**arrays, **facts)


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "rose", "rose:Rose")]
