"""A discriminant that names the centre pixel of any patch, fitted on the training pixels of a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.teacher.discriminant import Discriminant, fit_discriminant
from hsiaug_builtin.teacher.features import SIDES, LocalMeans, fit_local_means
from hsiaug_builtin.teacher.voter import TEMPERATURE

__all__ = ["Probe", "fit_probe"]

COMPONENTS = 60
"""Per window."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The discriminant alone, which names the centre pixel of any patch and can be saved."""

    means: LocalMeans
    discriminant: Discriminant

    @property
    def classes(self) -> NDArray[np.int64]:
        """(k,) ids in the order of the votes, ascending."""
        return self.discriminant.classes

    def patches(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) probabilities for patches (n, B, p, p) in scene units."""
        return self.discriminant.shares(self.means.patches(x), TEMPERATURE)


def fit_probe(view: TrainView) -> Probe:
    """Fitted on real training pixels only; its components are those of every visible pixel."""
    pixels = np.concatenate([view.unlabelled, view.coords])
    means, features = fit_local_means(view, pixels, COMPONENTS, SIDES)
    known = features[len(view.unlabelled) :]
    return Probe(means, fit_discriminant(known, view.y, np.ones(len(view.y), dtype=np.float32)))
