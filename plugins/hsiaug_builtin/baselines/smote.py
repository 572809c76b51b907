"""SMOTE between whole patches, by imbalanced-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, TrainView, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, lone_classes

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors


@dataclass(frozen=True)
class NeighbourParams:
    """How far interpolation reaches."""

    neighbours: int = param(
        5, "nearest real samples of the class, one of which is the partner", low=1
    )


@dataclass(frozen=True, eq=False)
class FittedSmote(FittedPatches):
    """Points between a real patch and one of its nearest in the same class; provenance names what
    gave way.

    ranks: (n, n) int32, for each real sample all samples from near to far, itself first.
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
        from imblearn.over_sampling import SMOTE
        from scipy import sparse

        position = np.full(len(self.y), -1)
        position[rows] = np.arange(n)
        ranked = position[self.ranks[rows]]
        nearest = ranked[ranked >= 0].reshape(n, n)[:, : min(self.neighbours, n - 1) + 1]
        sampler = SMOTE(
            k_neighbors=_known(nearest), sampling_strategy={1: n + count}, random_state=seed
        )
        # Rows of the identity in place of patches: what comes back are exact weights over patches
        # of 16,200 numbers. imbalanced-learn refuses a single class, so the last row is a bystander
        # of another, and nobody's neighbour.
        identity = sparse.csr_matrix(sparse.identity(n + 1, format="csr"))
        weights, _ = sampler.fit_resample(identity, np.append(np.ones(n, dtype=np.int64), 0))
        made = weights[n + 1 :, :n].astype(np.float32)[
            np.random.default_rng(seed).permutation(count)
        ]
        flat = made @ self.x[rows].reshape(n, -1)
        return np.asarray(flat, dtype=np.float32).reshape(count, *self.x.shape[1:])


def _known(nearest: NDArray[np.int64]) -> NearestNeighbors:
    """A neighbour search whose answer is known: (n, k + 1) positions, each sample's own first."""
    from sklearn.neighbors import NearestNeighbors

    class Known(NearestNeighbors):  # type: ignore[misc]
        def __sklearn_clone__(self) -> Known:
            return self

        def fit(self, X: object, y: None = None) -> Known:
            return self

        def kneighbors(self, X: object, return_distance: bool = False) -> NDArray[np.int64]:
            return nearest

    return Known()


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
