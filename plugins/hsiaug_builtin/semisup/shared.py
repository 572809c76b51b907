"""What the semi-supervised classifiers ask of their samples, and the hyper-parameters that the networks among them
share. No torch here: cards are read without it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hsiaug.api import PatchSamples, PluginError, TrainView, defaults, param
from hsiaug_builtin.nets.recipe import Recipe

__all__ = ["TINY", "SemiRecipe", "ramp", "usable_samples"]


@dataclass(frozen=True)
@defaults(balanced=True)
class SemiRecipe(Recipe):
    """The recipe and the network of ``cnn2d``, and an unlabelled batch at each step.

    Every class is drawn equally often: else the unlabelled loss soon talks the classes of three samples away.
    ``augment`` and ``balanced`` rule the labelled batch alone.
    """

    components: int = param(30, "principal components that the network sees", low=1)
    width: int = param(48, "channels of both convolutions", low=1)
    unlabelled: int = param(128, "unlabelled patches per step, beside the labelled batch", low=1)
    strength: float = param(1.0, "weight of the unlabelled loss", low=0)
    rise: float = param(0.4, "share of the steps over which that weight rises to its full value", low=0, high=1)


TINY = {"steps": 40, "width": 16, "components": 8, "unlabelled": 64}
"""The preset for tests."""


def ramp(step: int, recipe: SemiRecipe) -> float:
    """The unlabelled loss's weight at ``step`` (from 0): strength · exp(−5·(1 − t)²), t rising from 0 to 1.

    The Gaussian ramp-up of Laine and Aila, Temporal Ensembling, ICLR 2017, section 3.1.
    """
    t = min(1.0, (step + 1) / max(1.0, recipe.rise * recipe.steps))
    return recipe.strength * math.exp(-5 * (1 - t) ** 2)


def usable_samples(samples: PatchSamples, view: TrainView, name: str) -> PatchSamples:
    """The samples that have weight. A sample of weight 0 is no sample: it must not even name a class.

    Raises PluginError where none has weight, or where ``view`` shows no unlabelled pixel: without these the method
    would be a supervised one under another name.
    """
    weighty = samples.take(samples.weight > 0)
    if not len(weighty):
        raise PluginError(
            f"classifier {name} needs samples of positive weight",
            value=f"{len(samples)} samples, none of positive weight",
            hint="Give it the training pixels.",
        )
    if not len(view.unlabelled):
        raise PluginError(
            f"classifier {name} learns from unlabelled pixels and needs some",
            value=f"a view of scope '{view.scope}' with {len(view.unlabelled)} of them",
            hint="Give it a view of scope 'scene', as its card declares, or use a supervised classifier.",
        )
    return weighty
