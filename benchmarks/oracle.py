"""An oracle of single spectra: trees that learn from held-out pixels and their labels.

What it says of generated samples is a diagnosis after the fit. Nothing may be chosen by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score

from hsiaug.core.scene import Scene
from hsiaug.metrics.spectra import Space, at_most, fit_space
from hsiaug.protocol.split import Split

AXES, TREES, MOST = 20, 200, 300
"""Principal components that are read, trees, and pixels of a class that are learnt from at most."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """space: of spectra in scene units. trees: learnt on its components. right: share of other
    held-out pixels that are named rightly, as many of each class.
    """

    space: Space
    trees: ExtraTreesClassifier
    right: float

    @classmethod
    def of(cls, scene: Scene, split: Split) -> Oracle:
        """Learn from one half of the test pixels, and be judged on the other."""
        rng = np.random.default_rng(0)
        at = rng.permutation(np.argwhere(split.test))
        x = scene.cube[at[:, 0], at[:, 1]].astype(np.float64)
        y = scene.labels[at[:, 0], at[:, 1]].astype(np.int64)
        half = len(y) // 2
        learnt = at_most(y[:half], MOST, rng)
        other = half + at_most(y[half:], MOST, rng)
        space = fit_space(x[learnt], AXES)
        trees = ExtraTreesClassifier(TREES, class_weight="balanced", random_state=0)
        trees.fit(space.project(x[learnt]), y[learnt])
        named = trees.predict(space.project(x[other]))
        recalls = [np.mean(named[y[other] == c] == c) for c in np.unique(y[other])]
        return cls(space, trees, float(np.mean(recalls)))

    def classes_of(self, spectra: NDArray[Any]) -> NDArray[np.int64]:
        """(...,) class ids of spectra (..., B)."""
        flat = self.space.project(spectra.reshape(-1, spectra.shape[-1]).astype(np.float64))
        named: NDArray[np.int64] = self.trees.predict(flat).reshape(spectra.shape[:-1])
        return named

    def auc(self, spectra: NDArray[Any], y: NDArray[np.int64]) -> float:
        """How well it tells classes: the mean over classes of the AUC of each one's share, among
        spectra (n, B) of classes y (n,).
        """
        shares = self.trees.predict_proba(self.space.project(spectra.astype(np.float64)))
        columns = {c: column for column, c in enumerate(self.trees.classes_.tolist())}
        aucs = [
            roc_auc_score(y == c, shares[:, columns[c]])
            for c in np.unique(y).tolist()
            if c in columns
        ]
        return float(np.mean(aucs))
