"""Real patches with Gaussian noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, PatchSamples, Progress, TrainView, load_state, param, save_state
from hsiaug_baselines._rows import cycled, made_by_class

__all__ = ["FittedNoise", "Noise", "NoiseParams"]


@dataclass(frozen=True)
class NoiseParams:
    """How strong the noise is."""

    level: float = param(
        0.05,
        "standard deviation of the noise, as a fraction of each band's standard deviation in the train view",
        unit="band standard deviations",
        low=0,
    )


@dataclass(frozen=True, eq=False)
class FittedNoise:
    """x: (n, B, p, p) float32 real patches in scene units; y: (n,) int64 class ids; scale: (B,) float32 noise
    standard deviation of each band in scene units."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    scale: NDArray[np.float32]

    def sample(self, counts: Mapping[int, int], *, guidance: float | None, seed: int) -> PatchSamples:
        """Real patches, each of a class used equally often ±1, plus noise."""
        return PatchSamples.made(*made_by_class(self.x, self.y, counts, self._make, "noise", seed))

    def _make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        chosen = cycled(rows, count, rng)
        noise = rng.standard_normal((count, *self.x.shape[1:]), dtype=np.float32)
        return np.asarray(self.x[chosen] + noise * self.scale[:, None, None])

    def save(self, folder: Path) -> None:
        """The real patches and the noise of each band."""
        save_state(folder, {"x": self.x, "y": self.y, "scale": self.scale})


class Noise:
    """Adds white Gaussian noise, independent for every pixel and band of the patch.

    A constant band has standard deviation 0 and stays as it is. Values may leave the physical range: they are
    not clipped.
    """

    card = Card(
        name="noise",
        version="1",
        summary="Real patches plus Gaussian noise in proportion to each band's spread",
        paper="Bishop, Training with Noise is Equivalent to Tikhonov Regularization, Neural Computation 7, 1995, "
        "doi:10.1162/neco.1995.7.1.108",
        seconds=0.05,
        params=NoiseParams,
    )

    def __init__(self, params: NoiseParams) -> None:
        self.params = params

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedNoise:
        """Measure each band's spread over the visible pixels."""
        spread = view.cube[view.visible].std(axis=0, dtype=np.float64)
        scale = (self.params.level * spread).astype(np.float32)
        return FittedNoise(view.real.x, view.real.y, scale)

    def load(self, folder: Path, *, device: str) -> FittedNoise:
        """What ``save`` wrote."""
        arrays, _ = load_state(folder)
        return FittedNoise(**arrays)
