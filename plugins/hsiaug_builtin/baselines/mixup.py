"""Convex combinations of two real patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycle, lone_classes


@dataclass(frozen=True)
class MixupParams:
    """How evenly two patches are mixed."""

    alpha: float = param(
        1.0,
        "α of the Beta(α, α) weights: 1 = uniform, smaller = nearer to one of the two",
        low=0.01,
    )


@dataclass(frozen=True, eq=False)
class FittedMixup(FittedPatches):
    """Mixtures of two different patches of a class; copies where a class has one, named in
    provenance.
    """

    alpha: float
    name = "mixup"

    @property
    def notes(self) -> dict[str, object]:
        """``duplicated``: classes of one patch, where there are any."""
        repeated = lone_classes(self.y)
        return {"duplicated": repeated} if repeated else {}

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        x = self.x[rows]
        n = len(rows)
        rng = np.random.default_rng(seed)
        first = cycle(np.arange(n), count, rng)
        second = (first + rng.integers(1, n, size=count)) % n if n > 1 else first
        weight = rng.beta(self.alpha, self.alpha, size=(count, 1, 1, 1)).astype(np.float32)
        return x[second] + weight * (x[first] - x[second])


class Mixup(PatchGenerator):
    """Mixup within a class, whole patches, in scene units.

    The paper mixes samples of any two classes and their labels; here both come from one class, so
    that the label stays whole and counts per class can be met. Each patch is the first of the two
    equally often ±1.
    """

    card = Card(
        name="mixup",
        version="1",
        summary="Convex combinations of two real patches of one class",
        paper="""@inproceedings{zhang2018mixup, author={Hongyi Zhang and Moustapha Cissé and Yann N.
            Dauphin and David Lopez-Paz}, title={mixup: Beyond Empirical Risk Minimization},
            booktitle={International Conference on Learning Representations}, year={2018},
            eprint={1710.09412}, archiveprefix={arXiv}}""",
        seconds=0.01,
        params=MixupParams,
    )
    fitted = FittedMixup
