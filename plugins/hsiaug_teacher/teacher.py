"""From a train view to soft votes for every unlabelled pixel.

The features of a pixel are local means of principal components at several scales; a :class:`~hsiaug_teacher.voter.Voter`
fitted on labelled samples votes for every pixel; the votes are spread along the pixel grid, weakly across spectral
borders (the iteration of Zhou et al., NIPS 2003, on a grid whose weights are those of Grady's random walker, 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_nets.grid import grid_graph, spread
from hsiaug_teacher.features import SIDES, LocalMeans, fit_local_means
from hsiaug_teacher.voter import Probe, fit_voter

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Ground", "Lesson", "Votes", "survey", "teach"]

GUIDES = 10
"""Components that say where the grid has a spectral border."""
COMPONENTS, MARGIN_COMPONENTS = 60, 30
"""Components per window that the discriminant reads, and the first of them, which the machine reads."""
COST, REACH = 10.0, 0.5
"""C, and γ times the number of features, of the machine."""
ALPHA, STEPS = 0.95, 60
"""Share of a pixel's vote that comes from its neighbours, and iterations of spreading. All of these were chosen on draws
from 100 on of Indian Pines under ``issd``: of 0.95 and 0.99, the surest pixels are named right more often with 0.95."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The pixels whose whole patch a view shows, as a teacher reads them: the unlabelled ones, then the training pixels.

    unlabelled: (m, 2) int32 rows and columns. features: (m + n, d) float32. grid: (m + n, m + n) weights of neighbours.
    """

    unlabelled: NDArray[np.int32]
    means: LocalMeans
    features: NDArray[np.float32]
    grid: sparse.csr_array

    def columns(self, components: int) -> NDArray[np.int64]:
        """(c,) indices of the first ``components`` of each window among the features."""
        each = len(self.means.projection.offset)
        kept = np.arange(min(components, each))
        return np.concatenate([kept + i * each for i in range(len(self.means.sides))])

    def spread(self, votes: NDArray[np.float64], alpha: float, steps: int) -> NDArray[np.float64]:
        """(m, k) votes of the unlabelled pixels, after those (m + n, k) of all pixels were spread along the grid."""
        return spread(votes, self.grid, alpha, steps)[: len(self.unlabelled)]


@dataclass(frozen=True, eq=False)
class Votes:
    """pixels: (m, 2) int32, unlabelled. shares: (m, k) float64, rows sum to 1. classes: (k,) int64 ids, ascending."""

    pixels: NDArray[np.int32]
    shares: NDArray[np.float64]
    classes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a teacher says of a view. probe: names any patch; it was fitted on real training pixels only."""

    votes: Votes
    probe: Probe


def survey(view: TrainView, components: int) -> Ground:
    """The pixels of a view; fits features on them, and reads no label."""
    pixels = np.concatenate([view.unlabelled, view.coords])
    means, features = fit_local_means(view, pixels, components, SIDES)
    grid = grid_graph(pixels, fit_local_means(view, pixels, GUIDES, (3,))[1])
    return Ground(view.unlabelled, means, features, grid)


def teach(view: TrainView) -> Lesson:
    """Fit a teacher on the training pixels of a view; its votes are for the unlabelled pixels, which may be none."""
    ground = survey(view, COMPONENTS)
    known, weight = ground.features[len(view.unlabelled) :], np.ones(len(view.y), dtype=np.float32)
    voter = fit_voter(known, view.y, weight, ground.columns(MARGIN_COMPONENTS), cost=COST, reach=REACH)
    shares = ground.spread(voter.shares(ground.features), ALPHA, STEPS)
    return Lesson(Votes(ground.unlabelled, shares, voter.classes), Probe(ground.means, voter.discriminant))
