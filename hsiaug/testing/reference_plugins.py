"""Who completes a trial: a classifier for generators, a generator for classifiers; of pixels, and of masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.card import Card
from hsiaug.protocol.view import TrainView
from hsiaug.samples import Patches, PatchSamples
from hsiaug.seeds import derive_seed
from hsiaug.tiles import DenseSamples, DenseView, Tiles

__all__ = ["Nearest", "NearestMasks", "Repeats", "RepeatsPairs", "repeated", "repeated_pairs"]

NOISE = 0.002
"""Of the value that it is added to."""

GENERATOR = "The conformance kit's generator"
CLASSIFIER = "The conformance kit's classifier"
MASKS = ("segmentation", "change")


def repeated(real: PatchSamples) -> PatchSamples:
    """Synthetic samples that any classifier can learn from: real ones with a little noise, all classes alike."""
    ids, counts = np.unique(real.y, return_counts=True)
    index = np.concatenate([np.resize(np.flatnonzero(real.y == c), counts.max()) for c in ids])
    return PatchSamples.made(_noisy(real.x[index]), real.y[index])


def repeated_pairs(real: DenseSamples) -> DenseSamples:
    """Real pairs with a little noise, each once."""
    return DenseSamples.made(_noisy(real.images), real.masks)


def _noisy(x: NDArray[np.float32]) -> NDArray[np.float32]:
    rng = np.random.default_rng(derive_seed("conformance", "repeated"))
    return x + (rng.normal(0, NOISE, size=x.shape) * x).astype(np.float32)


class Repeats:
    """The generator that classifiers of pixels are paired with."""

    card = Card(name="kit-repeats", version="1", summary=GENERATOR)

    def __init__(self, params: Any) -> None:
        self.real: Any = None

    def fit(self, view: TrainView | DenseView, **_: Any) -> Repeats:
        self.real = view.real
        return self

    def sample(self, counts: Mapping[int, int], **_: Any) -> Any:
        made = repeated(self.real)
        index = [np.resize(np.flatnonzero(made.y == c), n) for c, n in counts.items()]
        return made.take(np.concatenate(index))


class RepeatsPairs(Repeats):
    """The generator that classifiers of masks are paired with."""

    card = Card(name="kit-repeats", version="1", summary=GENERATOR, tasks=MASKS)

    def sample(self, counts: Any, **_: Any) -> Any:
        made = repeated_pairs(self.real)
        return made.take(np.resize(np.arange(len(made)), counts.total))


class Nearest:
    """The classifier that generators of pixels are paired with: the nearest class mean."""

    card = Card(name="kit-nearest", version="1", summary=CLASSIFIER, input="spectrum")

    def __init__(self, params: Any) -> None:
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.means: NDArray[np.float32] = np.empty((0, 0), np.float32)

    def fit(self, samples: PatchSamples, view: TrainView, **_: Any) -> Nearest:
        return self._fit(samples.centres, samples.y)

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        return self._named(patches.centres)

    def _fit(self, spectra: NDArray[np.float32], y: NDArray[np.int64]) -> Nearest:
        self.ids = np.unique(y[y > 0])
        self.means = np.stack([spectra[y == c].mean(axis=0) for c in self.ids])
        return self

    def _named(self, spectra: NDArray[np.float32]) -> NDArray[np.int64]:
        distance = ((spectra[..., None, :] - self.means) ** 2).sum(axis=-1)
        return np.asarray(self.ids[distance.argmin(axis=-1)])


class NearestMasks(Nearest):
    """The classifier that generators of masks are paired with: the same for the spectra of all dates at each pixel."""

    card = Card(name="kit-nearest", version="1", summary=CLASSIFIER, tasks=MASKS)

    def fit(self, samples: Any, view: Any, **_: Any) -> Nearest:
        return self._fit(_spectra(samples), samples.masks)

    def predict(self, tiles: Any) -> NDArray[np.int64]:
        return self._named(_spectra(tiles))


def _spectra(tiles: Tiles) -> NDArray[np.float32]:
    """(n, H, W, T·B)."""
    n, dates, bands, height, width = tiles.images.shape
    return tiles.images.reshape(n, dates * bands, height, width).transpose(0, 2, 3, 1)
