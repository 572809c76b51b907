"""SMOTE between whole patches: the points that imbalanced-learn would make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, TrainView, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, lone_classes


@dataclass(frozen=True)
class NeighbourParams:
    """How far interpolation reaches."""

    neighbours: int = param(5, "nearest real samples of the class, of which one is chosen", low=1)


@dataclass(frozen=True, eq=False)
class FittedSmote(FittedPatches):
    """Points between a real patch and one of its nearest in the same class; provenance names what
    gave way.

    Attributes
    ----------
    ranks : (n, n) int32
        For each real sample all samples from near to far, itself first.
    """

    ranks: NDArray[np.int32]
    neighbours: int
    name = "smote"

    @property
    def notes(self) -> dict[str, object]:
        """Limits of this train view, whichever counts are asked for.

        ``k``: class id → neighbours, where a class is too small for all. ``duplicated``: classes
        of one sample.
        """
        lone = lone_classes(self.y)
        ids, sizes = np.unique(self.y, return_counts=True)
        lowered = {
            str(c): n - 1
            for c, n in zip(ids.tolist(), sizes.tolist(), strict=True)
            if 1 < n <= self.neighbours
        }
        return {name: value for name, value in {"k": lowered, "duplicated": lone}.items() if value}

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        n = len(rows)
        if n == 1:
            return np.repeat(self.x[rows], count, axis=0)
        position = np.full(len(self.y), -1)
        position[rows] = np.arange(n)
        ranked = position[self.ranks[rows]]
        nearest = ranked[ranked >= 0].reshape(n, n)[:, 1 : min(self.neighbours, n - 1) + 1]
        # The draws of imbalanced-learn's SMOTE with this seed, in another order.
        rng = np.random.RandomState(seed)
        pairs = rng.randint(nearest.size, size=count)
        steps = rng.uniform(size=count)
        order = np.random.default_rng(seed).permutation(count)
        first, place = np.divmod(pairs[order], nearest.shape[1])
        partner = nearest[first, place]
        step = steps[order].reshape(-1, 1, 1, 1)
        samples = self.x[rows[first]]
        samples *= (1 - step).astype(np.float32)
        samples += self.x[rows[partner]] * step.astype(np.float32)
        return samples


class Smote(PatchGenerator):
    """Synthetic Minority Over-sampling Technique: a random point between a sample and one of its k
    nearest of the same class.

    Whole patches are interpolated, in scene units; their neighbours are Euclidean between the
    *centre* spectra, z-scored over the view, for where training pixels lie in clumps the nearest
    whole patches are just the overlapping ones. A class of n_c samples has at most n_c − 1
    neighbours; a class of one is repeated. Both are recorded.
    """

    card = Card(
        name="smote",
        version="1",
        summary="Interpolates between neighbouring patches of a class",
        paper="""@article{chawla2002smote, author={Nitesh V. Chawla and Kevin W. Bowyer and Lawrence
            O. Hall and W. Philip Kegelmeyer}, title={{SMOTE}: Synthetic Minority Over-sampling
            Technique}, journal={Journal of Artificial Intelligence Research}, volume={16},
            pages={321--357}, year={2002}, doi={10.1613/jair.953}}""",
        seconds=0.3,
        params=NeighbourParams,
    )
    fitted = FittedSmote

    def learn(self, view: TrainView) -> dict[str, object]:
        """Rank the neighbours of every real sample, once."""
        from sklearn.metrics import pairwise_distances

        distances = pairwise_distances(view.normaliser.spectra(view.real.centres))
        np.fill_diagonal(distances, -1)
        ranks = np.argsort(distances, axis=1, kind="stable").astype(np.int32)
        return {"ranks": ranks, **super().learn(view)}
