"""Convex combinations of two real patches of one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, param
from hsiaug_baselines._patches import FittedPatches, PatchGenerator, cycled, lone_classes

__all__ = ["FittedMixup", "Mixup", "MixupParams"]


@dataclass(frozen=True)
class MixupParams:
    """How evenly two patches are mixed."""

    alpha: float = param(
        1.0, "α of the Beta(α, α) weights: 1 = uniform, smaller = nearer to one of the two", low=0.01
    )


@dataclass(frozen=True, eq=False)
class FittedMixup(FittedPatches):
    """Mixtures of two different patches of a class; copies where a class has one, named in provenance.

    alpha: of Beta(α, α).
    """

    alpha: float
    name = "mixup"

    @property
    def notes(self) -> dict[str, Any]:
        """``duplicated``: classes of one patch."""
        lone = lone_classes(self.y)
        return {"duplicated": lone} if lone else {}

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        return mix(self.x[rows], count, self.alpha, np.random.default_rng(seed))


class Mixup(PatchGenerator):
    """Mixup within a class, whole patches, in scene units.

    The paper mixes samples of any two classes and their labels; here both come from one class, so that the label
    stays whole and counts per class can be met. Each patch is the first of the two equally often ±1.
    """

    card = Card(
        name="mixup",
        version="1",
        summary="Convex combinations of two real patches of one class",
        paper="Zhang, Cissé, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization, ICLR 2018, "
        "arXiv:1710.09412",
        seconds=0.01,
        params=MixupParams,
    )
    fitted = FittedMixup


def mix(x: NDArray[np.float32], count: int, alpha: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, B, p, p) mixtures of patches x (n, B, p, p) of one class; copies for n = 1."""
    n = len(x)
    first = cycled(np.arange(n), count, rng)
    second = (first + rng.integers(1, n, size=count)) % n if n > 1 else first
    weight = rng.beta(alpha, alpha, size=(count, 1, 1, 1)).astype(np.float32)
    return x[second] + weight * (x[first] - x[second])
