"""Who completes a trial, of pixels and of masks: a classifier for generators, a generator for classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import Patches, PatchSamples
from hsiaug.core.tiles import DenseSamples, PairCounts, Tiles
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind

__all__ = ["REFERENCE_PLUGINS", "balanced", "noisy_pairs"]

NOISE = 0.002
"""Of the value that it is added to."""

TASKS = ("pixels", "segmentation", "change")


def balanced(real: PatchSamples) -> PatchSamples:
    """Real patches with a little noise, all classes alike."""
    ids, counts = np.unique(real.y, return_counts=True)
    index = np.concatenate([np.resize(np.flatnonzero(real.y == c), counts.max()) for c in ids])
    return PatchSamples.made(_noisy(real.x[index]), real.y[index])


def noisy_pairs(real: DenseSamples) -> DenseSamples:
    """Real pairs with a little noise, each once."""
    return DenseSamples.made(_noisy(real.images), real.masks)


def _noisy(x: NDArray[np.float32]) -> NDArray[np.float32]:
    rng = np.random.default_rng(derive_seed("conformance", "repeated"))
    return x + (rng.normal(0, NOISE, size=x.shape) * x).astype(np.float32)


class _Repeats:
    """The generator that classifiers are paired with: real samples once more."""

    card = Card(name="kit-repeats", version="1", summary="The conformance kit's generator", tasks=TASKS)

    def __init__(self, params: Any) -> None:
        self.real: Any = None

    def fit(self, view: Any, **_: Any) -> _Repeats:
        self.real = view.real
        return self

    def sample(self, counts: Mapping[int, int] | PairCounts, **_: Any) -> PatchSamples | DenseSamples:
        if isinstance(counts, PairCounts):
            pairs = noisy_pairs(self.real)
            return pairs.take(np.resize(np.arange(len(pairs)), counts.total))
        made = balanced(self.real)
        index = [np.resize(np.flatnonzero(made.y == c), n) for c, n in counts.items()]
        return made.take(np.concatenate(index))


class _Nearest:
    """The classifier that generators are paired with: the nearest class mean, of all dates at each pixel."""

    card = Card(
        name="kit-nearest", version="1", summary="The conformance kit's classifier", tasks=TASKS, input="spectrum"
    )

    def __init__(self, params: Any) -> None:
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.means: NDArray[np.float32] = np.empty((0, 0), np.float32)

    def fit(self, samples: PatchSamples | DenseSamples, view: Any, **_: Any) -> _Nearest:
        spectra, y = _spectra(samples), samples.masks if isinstance(samples, DenseSamples) else samples.y
        self.ids = np.unique(y[y > 0])
        self.means = np.stack([spectra[y == c].mean(axis=0) for c in self.ids])
        return self

    def predict(self, items: Patches | Tiles) -> NDArray[np.int64]:
        distance = ((_spectra(items)[..., None, :] - self.means) ** 2).sum(axis=-1)
        return np.asarray(self.ids[distance.argmin(axis=-1)])


def _spectra(items: Patches | Tiles) -> NDArray[np.float32]:
    """(n, B) of the centres of patches, or (n, H, W, T·B)."""
    if isinstance(items, Patches):
        return items.centres
    n, dates, bands, height, width = items.images.shape
    return items.images.reshape(n, dates * bands, height, width).transpose(0, 2, 3, 1)


REFERENCE_PLUGINS: Mapping[Kind, Any] = {"generator": _Repeats, "classifier": _Nearest}
"""The kit's own plugin of each kind."""
