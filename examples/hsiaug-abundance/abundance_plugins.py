"""Two plugins of the task ``abundance``: a generator that mixes training pixels, and a forest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from abundance_task import AbundanceSamples, AbundanceView
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Entry,
    NoParams,
    Patches,
    Plugin,
    Progress,
    hookimpl,
    load_state,
    param,
    save_state,
)


@dataclass(frozen=True)
class MixingParams:
    """How much of another pixel is mixed in."""

    most: float = param(0.5, "largest share of the second pixel", low=0, high=1)


@dataclass(frozen=True, eq=False)
class FittedMixing:
    """Training patches x (n, B, p, p) float32 of classes y (n,), with abundances (n, K)."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    abundances: NDArray[np.float32]
    most: float

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> AbundanceSamples:
        """Each a patch of the class with a share of any other: light adds up, and so do abundances
        (the linear mixing model).
        """
        rng = np.random.default_rng(seed)
        y = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        first = np.array([rng.choice(np.flatnonzero(self.y == c)) for c in y], dtype=np.int64)
        second = rng.integers(len(self.y), size=len(y))
        share = rng.uniform(0, self.most, size=len(y)).astype(np.float32)
        return AbundanceSamples.mixed(
            mix(self.x[first], self.x[second], share),
            y,
            mix(self.abundances[first], self.abundances[second], share),
        )

    def save(self, folder: Path) -> None:
        """Everything that sampling needs."""
        arrays = {"x": self.x, "y": self.y, "abundances": self.abundances}
        save_state(folder, arrays, {"most": self.most})


def mix(
    first: NDArray[np.float32], second: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Rows of the first array (n, ...) with a share (n,) of those of the second."""
    weight = share.reshape(-1, *[1] * (first.ndim - 1))
    return np.asarray((1 - weight) * first + weight * second, dtype=np.float32)


class LinearMixing(Plugin[MixingParams]):
    """Mixtures of two training pixels."""

    card = Card(
        name="linear-mixing",
        version="1",
        summary="Mixtures of two training patches, with the mixture of their abundances",
        tasks=("abundance",),
        seconds=0.05,
        params=MixingParams,
    )

    def fit(
        self, view: AbundanceView, *, seed: int, device: str, progress: Progress
    ) -> FittedMixing:
        """Remember the training patches."""
        real = view.real
        return FittedMixing(real.x, real.y, real.abundances, self.params.most)

    def load(self, folder: Path, *, device: str) -> FittedMixing:
        """What ``save`` wrote."""
        arrays, facts = load_state(folder)
        return FittedMixing(**arrays, **facts)


@dataclass(frozen=True, eq=False)
class FittedForest:
    """A forest of scikit-learn, of spectra."""

    forest: Any

    def predict(self, patches: Patches) -> NDArray[np.float32]:
        """(n, K) abundances: means of those of training pixels, which sum to 1."""
        values = np.clip(self.forest.predict(patches.centres), 0, None)
        return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float32)


class AbundanceForest(Plugin[NoParams]):
    """A random forest that predicts abundances of the centre spectrum."""

    card = Card(
        name="abundance-forest",
        version="1",
        summary="Random forest of centre spectra, which predicts abundances",
        tasks=("abundance",),
        input="spectrum",
        seconds=1.0,
    )

    def fit(
        self,
        samples: AbundanceSamples,
        view: AbundanceView,
        *,
        seed: int,
        device: str,
        progress: Progress,
    ) -> FittedForest:
        """Learn from real and synthetic samples."""
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(n_estimators=100, random_state=seed % 2**32, n_jobs=1)
        forest.fit(samples.centres, samples.abundances, sample_weight=samples.weight)
        return FittedForest(forest)


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """What this package registers."""
    return [
        Entry("generator", "linear-mixing", "abundance_plugins:LinearMixing"),
        Entry("classifier", "abundance-forest", "abundance_plugins:AbundanceForest"),
    ]
