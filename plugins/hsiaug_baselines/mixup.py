"""Convex combinations of two real patches of one class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, PatchSamples, Progress, TrainView, load_state, param, save_state
from hsiaug_baselines._rows import cycled, lone_classes, made_by_class

__all__ = ["FittedMixup", "Mixup", "MixupParams"]


@dataclass(frozen=True)
class MixupParams:
    """How evenly two patches are mixed."""

    alpha: float = param(
        1.0, "α of the Beta(α, α) weights: 1 = uniform, smaller = nearer to one of the two", low=0.01
    )


@dataclass(frozen=True, eq=False)
class FittedMixup:
    """x: (n, B, p, p) float32 real patches in scene units; y: (n,) int64 their class ids."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    alpha: float

    def sample(self, counts: Mapping[int, int], *, guidance: float | None, seed: int) -> PatchSamples:
        """Mixtures of two different patches of a class; copies where a class has one, named in provenance."""
        lone = lone_classes(self.y)
        notes = {"duplicated": lone} if lone else {}
        return PatchSamples.made(*made_by_class(self.x, self.y, counts, self._make, "mixup", seed), notes)

    def _make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        return mix(self.x[rows], count, self.alpha, np.random.default_rng(seed))

    def save(self, folder: Path) -> None:
        """The real patches and α."""
        save_state(folder, {"x": self.x, "y": self.y}, {"alpha": self.alpha})


class Mixup:
    """Mixup within a class, whole patches, in scene units.

    The paper mixes samples of any two classes and their labels; here both come from one class, so that the label
    stays whole and counts per class can be met. Each patch is the first of the two equally often ±1.
    """

    card: ClassVar[Card] = Card(
        name="mixup",
        version="1",
        summary="Convex combinations of two real patches of one class",
        paper="Zhang, Cissé, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization, ICLR 2018, "
        "arXiv:1710.09412",
        seconds=0.01,
        params=MixupParams,
    )

    def __init__(self, params: MixupParams) -> None:
        self.params = params

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedMixup:
        """Remember the real samples."""
        return FittedMixup(view.real.x, view.real.y, self.params.alpha)

    def load(self, folder: Path, *, device: str) -> FittedMixup:
        """What ``save`` wrote."""
        arrays, facts = load_state(folder)
        return FittedMixup(arrays["x"], arrays["y"], facts["alpha"])


def mix(x: NDArray[np.float32], count: int, alpha: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, B, p, p) mixtures of patches x (n, B, p, p) of one class; copies for n = 1."""
    n = len(x)
    first = cycled(np.arange(n), count, rng)
    second = (first + rng.integers(1, n, size=count)) % n if n > 1 else first
    weight = rng.beta(alpha, alpha, size=(count, 1, 1, 1)).astype(np.float32)
    return x[second] + weight * (x[first] - x[second])
