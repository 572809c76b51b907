"""Real patches with Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, TrainView, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycle


@dataclass(frozen=True)
class NoiseParams:
    """How strong the noise is."""

    level: float = param(
        0.05,
        "standard deviation of the noise, as a fraction of each band's standard deviation in the"
        " train view",
        unit="band standard deviations",
        low=0,
    )


@dataclass(frozen=True, eq=False)
class FittedNoise(FittedPatches):
    """Real patches, each of a class used equally often ±1, plus noise.

    Attributes
    ----------
    scale : (B,) float32
        Noise standard deviation of each band in scene units.
    """

    scale: NDArray[np.float32]
    name = "noise"

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        chosen = cycle(rows, count, rng)
        noise = rng.standard_normal((count, *self.x.shape[1:]), dtype=np.float32)
        return np.asarray(self.x[chosen] + noise * self.scale[:, None, None])


class Noise(PatchGenerator):
    """Adds white Gaussian noise, independent for every pixel and band of the patch.

    A constant band has standard deviation 0 and stays as it is. Values may leave the physical
    range: they are not clipped.
    """

    card = Card(
        name="noise",
        version="1",
        summary="Real patches plus Gaussian noise in proportion to each band's spread",
        paper="""@article{bishop1995noise, author={Christopher M. Bishop}, title={Training with
            Noise is Equivalent to {Tikhonov} Regularization}, journal={Neural Computation},
            volume={7}, number={1}, pages={108--116}, year={1995},
            doi={10.1162/neco.1995.7.1.108}}""",
        seconds=0.05,
        params=NoiseParams,
    )
    fitted = FittedNoise

    def learn(self, view: TrainView) -> dict[str, object]:
        """Measure each band's spread over the visible pixels."""
        spread = view.cube[view.visible].std(axis=0, dtype=np.float64)
        return {"scale": (self.params.level * spread).astype(np.float32)}
