"""Any classifier of scikit-learn on the centre spectrum."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any

import numpy as np

from hsiaug.api import Card, InputError, PatchSamples, Plugin, Progress, TrainView, param
from hsiaug_builtin.by_name.lookup import build, described, find_class, parse_options, seeded
from hsiaug_builtin.classifiers.estimators import FittedEstimator, fit_estimator

MODULES = (
    "calibration",
    "discriminant_analysis",
    "dummy",
    "ensemble",
    "gaussian_process",
    "linear_model",
    "multiclass",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "semi_supervised",
    "svm",
    "tree",
)
"""Public modules of scikit-learn that have classifiers."""

ESTIMATORS = ("estimator", "estimators", "base_estimator", "final_estimator")
"""Arguments that are other estimators, which no text of options can be."""


@cache
def _lacking(cls: type[Any]) -> list[str]:
    """Arguments for another estimator whose default None stands for none: then a fit fails."""
    optional = [
        name
        for name, parameter in signature(cls).parameters.items()
        if name in ESTIMATORS and parameter.default is None
    ]
    if not optional:
        return []
    x = np.arange(40.0).reshape(-1, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cls().fit(x, np.repeat([0, 1], len(x) // 2))
    except Exception:
        return optional
    return []


@dataclass(frozen=True)
class SklearnParams:
    """Which classifier, and its arguments.

    Raises InputError where scikit-learn has no such classifier or argument, and for one that needs
    other estimators.
    """

    estimator: str = param(
        "ensemble.ExtraTreesClassifier", "MODULE.CLASS of a classifier of scikit-learn"
    )
    options: str = param("", "its arguments, as n_estimators=50, criterion=entropy")

    def __post_init__(self) -> None:
        self.build(0)

    def build(self, seed: int) -> Any:
        """The estimator, not fitted."""
        from sklearn.base import ClassifierMixin

        cls = find_class("sklearn", self.estimator, MODULES, ClassifierMixin)
        label = f"sklearn:{self.estimator}"
        options = parse_options(self.options, label)
        inner = [
            name
            for name, parameter in signature(cls).parameters.items()
            if parameter.default is parameter.empty
        ]
        inner = inner or [name for name in options if name in ESTIMATORS]
        if inner := inner or _lacking(cls):  # type: ignore[arg-type]
            raise InputError(
                "sklearn:NAME must name a classifier that learns without another estimator",
                value=f"{self.estimator} with {', '.join(inner)}",
                hint=(
                    "Take a plain classifier, or write a plugin that builds this one:"
                    " hsiaug plugins new my-classifier --kind classifier"
                    " (docs/develop/plugins.md)."
                ),
            )
        return build(cls, {**seeded(cls, seed), **options}, label)


class Sklearn(Plugin[SklearnParams]):
    """A classifier of scikit-learn, by name, on z-scored spectra of the centre pixel.

    It learns by sample weights where it takes them. It gives shares of classes where it has
    ``predict_proba``.
    """

    card = Card(
        name="sklearn",
        version="1",
        summary=(
            "Any plain classifier of scikit-learn on the centre spectrum, as"
            " sklearn:ensemble.ExtraTreesClassifier"
        ),
        paper="""@article{pedregosa2011sklearn, author={Fabian Pedregosa and Ga{\\"e}l Varoquaux and
            Alexandre Gramfort and others}, title={Scikit-learn: Machine Learning in {P}ython},
            journal={Journal of Machine Learning Research}, volume={12}, pages={2825--2830},
            year={2011}}; each estimator has its own source""",
        input="spectrum",
        seconds=2.0,
        params=SklearnParams,
        variant="estimator",
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedEstimator:
        """Fit the estimator. Raises PluginError where it cannot learn from the samples."""
        model = self.params.build(seed)
        facts = described("sklearn", type(model), parse_options(self.params.options, "sklearn"))
        return fit_estimator(model, samples, view, facts)
