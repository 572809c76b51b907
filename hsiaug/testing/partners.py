"""Who completes a trial: a classifier for generators, a generator for classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.card import Card
from hsiaug.plugins.hookspecs import Kind
from hsiaug.protocol.view import TrainView
from hsiaug.samples import Patches, PatchSamples
from hsiaug.seeds import derive_seed

__all__ = ["PARTNERS", "repeated"]


def repeated(real: PatchSamples) -> PatchSamples:
    """Synthetic samples that any classifier can learn from: real ones with a little noise, all classes alike."""
    rng = np.random.default_rng(derive_seed("conformance", "repeated"))
    ids, counts = np.unique(real.y, return_counts=True)
    index = np.concatenate([np.resize(np.flatnonzero(real.y == c), counts.max()) for c in ids])
    noise = rng.normal(0, 0.002, size=real.x[index].shape) * real.x[index]
    return PatchSamples.made(real.x[index] + noise.astype(np.float32), real.y[index])


class Repeats:
    """The generator that classifiers are paired with."""

    card = Card(name="kit-repeats", version="1", summary="The conformance kit's generator")

    def __init__(self, params: Any) -> None:
        self.real: PatchSamples | None = None

    def fit(self, view: TrainView, **_: Any) -> Repeats:
        self.real = view.real
        return self

    def sample(self, counts: Mapping[int, int], **_: Any) -> PatchSamples:
        assert self.real is not None
        made = repeated(self.real)
        index = [np.resize(np.flatnonzero(made.y == c), n) for c, n in counts.items()]
        return made.take(np.concatenate(index))


class Nearest:
    """The classifier that generators are paired with: the nearest class mean."""

    card = Card(name="kit-nearest", version="1", summary="The conformance kit's classifier", input="spectrum")

    def __init__(self, params: Any) -> None:
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.means: NDArray[np.float32] = np.empty((0, 0), np.float32)

    def fit(self, samples: PatchSamples, view: TrainView, **_: Any) -> Nearest:
        self.ids = np.unique(samples.y)
        self.means = np.stack([samples.centres[samples.y == c].mean(axis=0) for c in self.ids])
        return self

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        distance = ((patches.centres[:, None] - self.means[None]) ** 2).sum(axis=-1)
        return np.asarray(self.ids[distance.argmin(axis=1)])


PARTNERS: Mapping[Kind, Any] = {"generator": Nearest, "classifier": Repeats}
"""Who completes a trial of a plugin of each kind."""
