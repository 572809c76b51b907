"""Random forest on the centre spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Plugin, Progress, TrainView, param
from hsiaug_builtin.nets.fitted import by_class

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier


@dataclass(frozen=True)
class ForestParams:
    """Trees grow until their leaves are pure, each split among √B bands."""

    trees: int = param(300, "number of trees", low=1)


@dataclass(frozen=True, eq=False)
class FittedForest:
    """A fitted random forest of centre spectra.

    Attributes
    ----------
    model : RandomForestClassifier
        A fitted sklearn RandomForestClassifier.
    class_count : int
        C of the scene.
    """

    model: RandomForestClassifier
    class_count: int

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids of the centre spectra."""
        return np.asarray(self.model.predict(patches.centres), dtype=np.int64)

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) share of trees for class ids 1..C; 0 for a class that had no sample."""
        return by_class(
            self.model.predict_proba(patches.centres), self.model.classes_, self.class_count
        )


class Forest(Plugin[ForestParams]):
    """Breiman's random forest; real and synthetic samples alike, each with its weight."""

    card = Card(
        name="rf",
        version="1",
        summary="Random forest on the centre spectrum",
        paper="""@article{breiman2001forests, author={Leo Breiman}, title={Random Forests},
            journal={Machine Learning}, volume={45}, number={1}, pages={5--32}, year={2001},
            doi={10.1023/A:1010933404324}}""",
        input="spectrum",
        seconds=1.0,
        params=ForestParams,
        presets={"tiny": {"trees": 30}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedForest:
        """Grow the trees on one core, so that trials can run side by side."""
        from sklearn.ensemble import RandomForestClassifier

        model = RandomForestClassifier(self.params.trees, n_jobs=1, random_state=seed)
        model.fit(samples.centres, samples.y, sample_weight=samples.weight)
        return FittedForest(model, len(view.class_names))
