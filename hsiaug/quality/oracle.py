"""An oracle of generated patches: trees that learnt from held-out pixels and their labels.

What it says is a diagnosis after the fit. Nothing may be chosen by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from hsiaug.base.seeds import derive_seed
from hsiaug.core.scene import Scene
from hsiaug.metrics.spectra import Space, at_most, fit_space
from hsiaug.protocol.split import Split

AXES = 20
"""Principal components that are read."""
TREES = 200
PIXELS = 300
"""Pixels of a class that are learnt from, at most."""
WINDOW = 3
"""Spectra are means over so many pixels along each side."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """Names pixels by the mean spectrum round each.

    Attributes
    ----------
    space : Space
        Components of spectra in scene units.
    trees : ExtraTreesClassifier
        Learnt from one half of the held-out pixels.
    right : float
        Share of the other half that is named rightly, mean over classes.
    scene_map : (H, W) int64
        Names of the whole scene by trees that learnt from the other half: where real patches of a
        layout lie, without asking who judges them.
    """

    space: Space
    trees: Any
    right: float
    scene_map: NDArray[np.int64]

    @classmethod
    def of(cls, scene: Scene, split: Split) -> Oracle:
        """Learn from the held-out pixels of a draw."""
        from sklearn.ensemble import ExtraTreesClassifier

        rng = np.random.default_rng(derive_seed("oracle", 0))
        at = rng.permutation(np.argwhere(split.test))
        means = uniform_filter(np.asarray(scene.cube), (WINDOW, WINDOW, 1), mode="nearest")
        x = means[at[:, 0], at[:, 1]].astype(np.float64)
        y = scene.labels[at[:, 0], at[:, 1]].astype(np.int64)
        half = (len(y) + 1) // 2
        halves = at_most(y[:half], PIXELS, rng), half + at_most(y[half:], PIXELS, rng)
        space = fit_space(x[halves[0]], AXES)
        judge, other = (
            ExtraTreesClassifier(TREES, class_weight="balanced", random_state=number).fit(
                space.project(x[rows]), y[rows]
            )
            for number, rows in enumerate(halves)
            if len(rows)
        )
        named = judge.predict(space.project(x[halves[1]]))
        truth = y[halves[1]]
        right = float(np.mean([np.mean(named[truth == c] == c) for c in np.unique(truth)]))
        flat = space.project(means.reshape(-1, means.shape[2]).astype(np.float64))
        scene_map = other.predict(flat).reshape(scene.labels.shape).astype(np.int64)
        return cls(space, judge, right, scene_map)

    def name_patches(self, x: NDArray[np.float32]) -> NDArray[np.int64]:
        """(n, p, p) class ids of the pixels of patches x (n, B, p, p) in scene units."""
        n, bands, side, _ = x.shape
        means = uniform_filter(x, (1, 1, min(WINDOW, side), min(WINDOW, side)), mode="nearest")
        flat = np.moveaxis(means, 1, 3).reshape(-1, bands).astype(np.float64)
        return np.asarray(self.trees.predict(self.space.project(flat))).reshape(n, side, side)
