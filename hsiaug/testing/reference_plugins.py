"""The kit's own plugins, which complete a trial: a classifier for generators, a generator for classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.samples import Patches
from hsiaug.core.tiles import PairCounts
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.testing.access import Counts, Items, Samples, View, labels, repeat
from hsiaug.testing.cases import TASKS


class _Repeats:
    """The generator that classifiers are paired with: real samples once more."""

    card = Card(name="kit-repeats", version="1", summary="The conformance kit's generator", tasks=TASKS)

    def __init__(self, params: object) -> None: ...

    def fit(self, view: View, **_: object) -> _Repeats:
        self.made = repeat(view.real)
        return self

    def sample(self, counts: Counts, **_: object) -> Samples:
        if isinstance(counts, PairCounts):
            return self.made.take(np.resize(np.arange(len(self.made)), counts.total))
        index = [np.resize(np.flatnonzero(labels(self.made) == c), n) for c, n in counts.items()]
        return self.made.take(np.concatenate(index))


class _Nearest:
    """The classifier that generators are paired with: the nearest class mean, of all dates at each pixel."""

    card = Card(
        name="kit-nearest", version="1", summary="The conformance kit's classifier", tasks=TASKS, input="spectrum"
    )

    def __init__(self, params: object) -> None: ...

    def fit(self, samples: Samples, view: View, **_: object) -> _Nearest:
        spectra, y = _spectra(samples), labels(samples)
        self.ids = np.unique(y[y > 0])
        self.means = np.stack([spectra[y == c].mean(axis=0) for c in self.ids])
        return self

    def predict(self, batch: Items) -> NDArray[np.int64]:
        distance = ((_spectra(batch)[..., None, :] - self.means) ** 2).sum(axis=-1)
        return np.asarray(self.ids[distance.argmin(axis=-1)])


def _spectra(batch: Items) -> NDArray[np.float32]:
    """(n, B) of the centres of patches, or (n, H, W, T·B)."""
    if isinstance(batch, Patches):
        return batch.centres
    n, dates, bands, height, width = batch.images.shape
    return batch.images.reshape(n, dates * bands, height, width).transpose(0, 2, 3, 1)


REFERENCE_PLUGINS: Mapping[Kind, Any] = {"generator": _Repeats, "classifier": _Nearest}
"""The kit's own plugin of each kind."""
