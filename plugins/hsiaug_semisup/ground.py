"""The pixels that self-training names, as it reads them: local means, and the grid along which votes are spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_nets.grid import grid_graph, spread
from hsiaug_teacher.features import SIDES, LocalMeans, fit_local_means

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Ground", "survey"]

GUIDES = 10
"""Components that say where the grid has a spectral border."""


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


def survey(view: TrainView, components: int) -> Ground:
    """The pixels of a view; fits features on them, and reads no label."""
    pixels = np.concatenate([view.unlabelled, view.coords])
    means, features = fit_local_means(view, pixels, components, SIDES)
    grid = grid_graph(pixels, fit_local_means(view, pixels, GUIDES, (3,))[1])
    return Ground(view.unlabelled, means, features, grid)
