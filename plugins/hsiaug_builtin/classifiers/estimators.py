"""Estimators of scikit-learn on the centre spectrum."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Normaliser,
    Patches,
    PatchSamples,
    Plugin,
    PluginError,
    Progress,
    TrainView,
    param,
)
from hsiaug_builtin.nets.fitted import by_class


@dataclass(frozen=True, eq=False)
class FittedEstimator:
    """A fitted scikit-learn estimator of spectra.

    Attributes
    ----------
    model : object
        Fitted, or None where only one class, ``only``, had samples.
    class_count : int
        C of the scene.
    """

    normaliser: Normaliser
    model: Any
    only: int
    class_count: int
    facts: Mapping[str, object] = field(default_factory=dict)

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids of the centre spectra."""
        if self.model is None or not len(patches):
            return np.full(len(patches), self.only, dtype=np.int64)
        return np.asarray(
            self.model.predict(self.normaliser.spectra(patches.centres)), dtype=np.int64
        )


class FittedShares(FittedEstimator):
    """One that gives shares."""

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) for class ids 1..C; 0 for a class that had no sample."""
        if self.model is None or not len(patches):
            return by_class(np.ones((len(patches), 1)), np.array([self.only]), self.class_count)
        shares = self.model.predict_proba(self.normaliser.spectra(patches.centres))
        return by_class(shares, self.model.classes_, self.class_count)


def fit_estimator(
    model: Any, samples: PatchSamples, view: TrainView, facts: Mapping[str, object]
) -> FittedEstimator:
    """Fit a classifier of scikit-learn on z-scored centre spectra, by weight where it takes
    weights.

    Else samples without weight are left out, and all others count alike. Raises PluginError where
    the estimator cannot learn from them.
    """
    weighted = samples.take(samples.weight > 0)
    if not len(weighted):
        raise PluginError(
            "an estimator needs samples of positive weight",
            value=f"{len(samples)} samples, none of positive weight",
            hint="Give it the training pixels.",
        )
    kind = FittedShares if hasattr(model, "predict_proba") else FittedEstimator
    weighs = "sample_weight" in inspect.signature(model.fit).parameters
    if len(np.unique(weighted.y)) < 2:
        return kind(view.normaliser, None, int(weighted.y[0]), len(view.class_names), facts)
    z = view.normaliser.spectra(weighted.centres)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of convergence, and of classes smaller than it expects
            model.fit(z, weighted.y, **({"sample_weight": weighted.weight} if weighs else {}))
    except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise PluginError(
            f"{type(model).__name__} must be able to learn from {len(weighted)} samples of"
            f" {len(np.unique(weighted.y))} classes",
            value=(
                f"{type(error).__name__}:"
                f" {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            ),
            hint=(
                "Change its options, or take a classifier that learns from classes of one pixel,"
                " such as svm."
            ),
        ) from error
    return kind(view.normaliser, model, int(weighted.y[0]), len(view.class_names), facts)


@dataclass(frozen=True)
class BoostingParams:
    """Of scikit-learn's HistGradientBoostingClassifier."""

    rounds: int = param(50, "trees of each class", low=1)
    rate: float = param(0.1, "learning rate", low=0.001, high=1)
    leaf: int = param(2, "samples of a leaf, at least", low=1)
    leaves: int = param(8, "leaves of a tree, at most", low=2)
    bins: int = param(32, "histogram bins per band", low=2, high=255)


class Boosting(Plugin[BoostingParams]):
    """Gradient-boosted trees on histograms of z-scored bands; real and synthetic samples alike,
    each with its weight.

    scikit-learn's HistGradientBoostingClassifier, after LightGBM; without early stopping, and with
    few bins and leaves, as labels are few.
    """

    card = Card(
        name="hgb",
        version="1",
        summary="Histogram gradient boosting on the centre spectrum",
        paper="""@article{friedman2001greedy, author={Jerome H. Friedman}, title={Greedy Function
            Approximation: A Gradient Boosting Machine}, journal={The Annals of Statistics},
            volume={29}, number={5}, pages={1189--1232}, year={2001},
            doi={10.1214/aos/1013203451}}""",
        input="spectrum",
        seconds=5.0,
        params=BoostingParams,
        presets={"tiny": {"rounds": 20}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedEstimator:
        """Boost the trees. Raises PluginError where no sample has weight."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        params = self.params
        model = HistGradientBoostingClassifier(
            learning_rate=params.rate,
            max_iter=params.rounds,
            min_samples_leaf=params.leaf,
            max_leaf_nodes=params.leaves,
            max_bins=params.bins,
            early_stopping=False,
            random_state=seed,
        )
        return fit_estimator(model, samples, view, {})
