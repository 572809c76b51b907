"""A flow whose velocity is regressed by trees: a peer of the diffusion models that comes from
tabular data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, TrainView, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, lone_classes

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesRegressor

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ForestFlowParams:
    """Sizes are below those of the paper (50 levels, 100 noises, 100 boosted trees), so that a fit
    takes seconds.
    """

    components: int = param(
        10, "principal components of the spectra that the flow makes", low=1, high=64
    )
    levels: int = param(20, "noise levels, each with a forest of its own", low=2, high=200)
    noises: int = param(20, "noise vectors for each real sample", low=1, high=1000)
    trees: int = param(20, "trees of a forest", low=1, high=1000)


@dataclass(frozen=True, eq=False)
class FittedForestFlow(FittedPatches):
    """Scores of the real centre spectra, from which each sampling grows its forests.

    Attributes
    ----------
    z : (n, d) float64
        Scores of the centre spectra, scaled to −1..1.
    basis : (d, B) float64
        A unit of each.
    """

    z: Floats
    basis: Floats
    levels: int
    noises: int
    trees: int
    name = "forest-flow"

    @property
    def notes(self) -> dict[str, object]:
        """Classes of one sample, which are repeated."""
        lone = lone_classes(self.y)
        return {"duplicated": lone} if lone else {}

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        base = rng.choice(rows, count)
        if len(rows) == 1:
            return np.asarray(self.x[base])
        z = rng.normal(size=(count, self.z.shape[1]))
        for forest in _forests(self, c):
            z += forest.predict(z).reshape(z.shape) / self.levels
        z = np.clip(z, self.z[rows].min(axis=0), self.z[rows].max(axis=0))
        # A real patch of the class lends what surrounds the centre: the nearest one.
        base = rows[((z[:, None] - self.z[rows]) ** 2).sum(axis=2).argmin(axis=1)]
        moved = ((z - self.z[base]) @ self.basis).astype(np.float32)
        return np.asarray(self.x[base] + moved[:, :, None, None])


@lru_cache(maxsize=64)
def _forests(fitted: FittedForestFlow, c: int) -> list[ExtraTreesRegressor]:
    """A forest for each level, from noise to data, which regresses the velocity x₁ − x₀ at x_t =
    t·x₁ + (1 − t)·x₀.

    Trees are not saved: the same real samples give the same ones again.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    real = np.repeat(fitted.z[fitted.y == c], fitted.noises, axis=0)
    noise = np.random.default_rng(c).normal(size=real.shape)
    # Noises of a real sample share a leaf: a tree that tells them apart learns single pairs by
    # heart.
    forest = {
        "n_estimators": fitted.trees,
        "min_samples_leaf": 5,
        "max_features": 0.5,
        "random_state": c,
    }
    times = np.arange(fitted.levels) / fitted.levels
    return [
        ExtraTreesRegressor(**forest).fit(t * real + (1 - t) * noise, real - noise) for t in times
    ]


class ForestFlow(PatchGenerator):
    """Conditional flow matching with a forest for each class and noise level in place of a network.

    Rows of the table are principal components of the centre spectra, scaled to −1..1 as in the
    paper, for trees split along axes and bands are correlated. Where the paper boosts trees of
    XGBoost, these are extremely randomised trees of scikit-learn, which give all components at
    once. A sample is the nearest real patch of the class, moved by the difference of the centres in
    scene units, within the range of the class. A class of one is repeated; it is recorded.
    """

    card = Card(
        name="forest-flow",
        version="1",
        summary="Spectra from a flow of gradient-boosted trees, after ForestDiffusion",
        paper="""After @inproceedings{jolicoeur2024forest, author={Alexia Jolicoeur-Martineau and
            Kilian Fatras and Tal Kachman}, title={Generating and Imputing Tabular Data via
            Diffusion and Flow-based Gradient-Boosted Trees}, booktitle={Proceedings of the 27th
            International Conference on Artificial Intelligence and Statistics}, year={2024}}""",
        seconds=15.0,
        params=ForestFlowParams,
        presets={"tiny": {"levels": 4, "noises": 4, "trees": 4}},
    )
    fitted = FittedForestFlow

    def learn(self, view: TrainView) -> dict[str, Any]:
        """Find principal components, and how far real samples reach along each."""
        spectra = view.real.centres.astype(np.float64)
        mean = spectra.mean(axis=0)
        _, size, axes = np.linalg.svd(spectra - mean, full_matrices=False)
        # Axes beyond the rank of the samples are noise of rounding.
        axes = axes[: min(self.params.components, max(1, int((size > 1e-6 * size[0]).sum())))]
        scores = (spectra - mean) @ axes.T
        low = scores.min(axis=0)
        high = scores.max(axis=0)
        half = (high - low) / 2
        half = np.maximum(
            half, 1e-12 * max(half.max(initial=0.0), np.finfo(half.dtype).tiny / 1e-12)
        )
        sizes = {name: getattr(self.params, name) for name in ("levels", "noises", "trees")}
        return {"z": (scores - (low + high) / 2) / half, "basis": axes * half[:, None], **sizes}
