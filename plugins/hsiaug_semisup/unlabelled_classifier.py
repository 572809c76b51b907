"""What the networks that also learn from unlabelled patches share. No torch here: cards are read without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from hsiaug.api import PatchSamples, Progress, TrainView
from hsiaug_nets.fitted import FittedNet
from hsiaug_nets.plugin import Plugin
from hsiaug_semisup.semi_recipe import SemiRecipe

if TYPE_CHECKING:
    from torch import Tensor

    from hsiaug_semisup.setting import Setting

__all__ = ["Descend", "UnlabelledClassifier"]

Own = TypeVar("Own", bound=SemiRecipe)
Descend = Callable[..., Any]
"""``descend(loss, after=None)``: the trained network, as :func:`hsiaug_nets.training.descend` gives it."""


class UnlabelledClassifier(Plugin[Own]):
    """The network of ``cnn2d``; a subclass has a card, and says in :meth:`loss` what unlabelled patches teach it."""

    def loss(self, setting: Setting, step: int) -> Tensor:
        """What a step goes down, labelled and unlabelled patches together."""
        raise NotImplementedError

    def train(self, setting: Setting, descend: Descend) -> Any:
        """The torch module that predicts."""
        return descend(lambda step: self.loss(setting, step))

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedNet:
        """Train on labelled and unlabelled patches. Raises PluginError where the view shows no unlabelled pixel."""
        from functools import partial

        from hsiaug_nets.training import descend
        from hsiaug_semisup.setting import set_up

        setting = set_up(self.card.name, self.params, samples, view, seed, device)
        steps = partial(descend, setting.net, budget=self.params, seed=seed, device=device, progress=progress)
        return setting.fitted(self.train(setting, steps))
