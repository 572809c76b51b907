"""SMOTE, Borderline-SMOTE and ADASYN between whole patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, TrainView, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, lone_classes

__all__ = ["Adasyn", "BorderlineParams", "BorderlineSmote", "FittedSmote", "NeighbourParams", "Smote"]

PLAIN = "smote"
BORDERLINE = "borderline-smote"
ADAPTIVE = "adasyn"

REASONS = {
    BORDERLINE: "no sample in danger: plain SMOTE",
    ADAPTIVE: "no neighbour of another class: plain SMOTE",
}


@dataclass(frozen=True)
class NeighbourParams:
    """How far interpolation reaches."""

    neighbours: int = param(5, "nearest real samples of the class, one of which is the partner", low=1)


@dataclass(frozen=True)
class BorderlineParams(NeighbourParams):
    """How far interpolation reaches, and what counts as the border."""

    surroundings: int = param(10, "nearest real samples of any class that decide who is in danger", low=1)


@dataclass(frozen=True, eq=False)
class FittedSmote(FittedPatches):
    """Points between a real patch and one of its nearest in the same class; provenance names what gave way.

    ranks: (n, n) int32, for each real sample all samples from near to far.
    """

    ranks: NDArray[np.int32]
    variant: str
    neighbours: int
    surroundings: int = 1

    @property
    def name(self) -> str:
        return self.variant

    @property
    def notes(self) -> dict[str, Any]:
        """What had to give way in this train view, whichever counts are asked for.

        ``k``: class id → neighbours, where a class is too small for all. ``duplicated``: classes of one sample.
        ``borderline-smote`` or ``adasyn``: class id → why that class is sampled by plain SMOTE.
        """
        lone = lone_classes(self.y)
        ids = [int(c) for c in np.unique(self.y) if c not in lone]
        lowered = {str(c): self._k(c) for c in ids if self._k(c) < self.neighbours}
        plain = {str(c): REASONS[self.variant] for c in ids if self._variant(c) != self.variant}
        notes = {"k": lowered, "duplicated": lone, self.variant: plain}
        return {name: value for name, value in notes.items() if value}

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        if len(rows) == 1:
            return np.repeat(self.x[rows], count, axis=0)
        from hsiaug_builtin.baselines._interpolate import convex_weights

        weights = convex_weights(self._variant(c), self.y, self.ranks, (c, count), self._k(c), self._m, seed)
        flat = weights @ self.x.reshape(len(self.x), -1)
        return np.asarray(flat, dtype=np.float32).reshape(count, *self.x.shape[1:])

    def _k(self, c: int) -> int:
        return min(self.neighbours, int((self.y == c).sum()) - 1)

    @property
    def _m(self) -> int:
        return min(self.surroundings, len(self.y) - 1)

    def _variant(self, c: int) -> str:
        """The variant that class c can be sampled by: its own, or plain SMOTE where that is not defined."""
        near = self._k(c) if self.variant == ADAPTIVE else self._m
        others = (self.y[self.ranks[self.y == c, 1 : near + 1]] != c).sum(axis=1)
        defined = {
            PLAIN: True,
            BORDERLINE: bool(((others >= near / 2) & (others < near)).any()),
            ADAPTIVE: bool(others.any()),
        }
        return self.variant if defined[self.variant] else PLAIN


class _Family(PatchGenerator):
    """What the three share. Whole patches are interpolated, in scene units; their neighbours are Euclidean between
    the *centre* spectra, z-scored over the view. The label is the centre's, and where training pixels lie in
    clumps the nearest whole patches are just the overlapping ones: by them hardly a class would have a border.
    A class of n_c samples has at most n_c − 1 neighbours; a class of one is repeated. Both are recorded.
    """

    fitted = FittedSmote

    def learn(self, view: TrainView) -> dict[str, Any]:
        """Rank the neighbours of every real sample, once."""
        from hsiaug_builtin.baselines._interpolate import rank_neighbours

        ranks = rank_neighbours(view.normaliser.spectra(view.real.centres))
        return {"ranks": ranks, "variant": self.card.name, **super().learn(view)}


class Smote(_Family):
    """Synthetic Minority Over-sampling Technique: a random point between a sample and one of its k nearest of the
    same class.
    """

    card = Card(
        name=PLAIN,
        version="1",
        summary="Interpolates between neighbouring patches of a class",
        paper="""@article{chawla2002smote, author={Nitesh V. Chawla and Kevin W. Bowyer and Lawrence O. Hall and W.
            Philip Kegelmeyer}, title={{SMOTE}: Synthetic Minority Over-sampling Technique}, journal={Journal
            of Artificial Intelligence Research}, volume={16}, pages={321--357}, year={2002},
            doi={10.1613/jair.953}}""",
        seconds=0.3,
        params=NeighbourParams,
    )


class BorderlineSmote(_Family):
    """Borderline-SMOTE1: SMOTE that starts from samples in danger only, those with at least half but not all of
    their m nearest in other classes. "Majority" is any other class (one against rest). A class without a sample in
    danger is sampled by plain SMOTE, recorded.
    """

    card = Card(
        name=BORDERLINE,
        version="1",
        summary="SMOTE that starts from samples near other classes",
        paper="""@inproceedings{han2005borderline, author={Hui Han and Wen-Yuan Wang and Bing-Huan Mao},
            title={Borderline-{SMOTE}: A New Over-Sampling Method in Imbalanced Data Sets Learning},
            booktitle={Advances in Intelligent Computing (ICIC)}, pages={878--887}, year={2005},
            doi={10.1007/11538059_91}}""",
        seconds=0.3,
        params=BorderlineParams,
    )


class Adasyn(_Family):
    """Adaptive synthetic sampling: SMOTE that starts from a sample as often as other classes are among its k
    nearest (one against rest). A class whose samples have no such neighbour is sampled by plain SMOTE, recorded.
    Counts are met exactly: imbalanced-learn rounds per sample, so a few too many are drawn and the rest dropped at
    random.
    """

    card = Card(
        name=ADAPTIVE,
        version="1",
        summary="SMOTE that starts more often from samples among other classes",
        paper="""@inproceedings{he2008adasyn, author={Haibo He and Yang Bai and Edwardo A. Garcia and Shutao Li},
            title={{ADASYN}: Adaptive Synthetic Sampling Approach for Imbalanced Learning}, booktitle={IEEE
            International Joint Conference on Neural Networks}, pages={1322--1328}, year={2008},
            doi={10.1109/IJCNN.2008.4633969}}""",
        seconds=0.3,
        params=NeighbourParams,
    )
