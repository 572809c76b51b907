"""Entropy minimisation: be sure about unlabelled pixels too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.api import Card, param
from hsiaug_semisup.semi_recipe import TINY, SemiRecipe, ramp
from hsiaug_semisup.unlabelled_classifier import UnlabelledClassifier

if TYPE_CHECKING:
    from torch import Tensor

    from hsiaug_semisup.setting import Setting

__all__ = ["EntropyMin", "EntropyMinParams"]


@dataclass(frozen=True)
class EntropyMinParams(SemiRecipe):
    """The shared recipe; the paper's λ is ``strength``. Small: of the unlabelled pixels many belong to no class."""

    strength: float = param(0.03, "weight of the entropy of unlabelled patches", low=0)


class EntropyMin(UnlabelledClassifier[EntropyMinParams]):
    """The network of ``cnn2d``, trained on cross-entropy of samples and Shannon entropy of unlabelled patches.

    The objective is equation 9 of the paper, which has a logistic model or kernels in place of a network and anneals
    λ; here its weight ramps up. Budget: the steps and the labelled batch of ``cnn2d`` (400 and 64 by default, though
    every class is drawn equally often), and in the same forward pass 128 unlabelled patches per step, turned and
    mirrored like the labelled ones.
    """

    card = Card(
        name="entropy-min",
        version="1",
        summary="2D-CNN with minimum entropy on unlabelled pixels",
        paper="Grandvalet and Bengio, Semi-supervised Learning by Entropy Minimization, NIPS 2004",
        scope="scene",
        uses_device=True,
        seconds=16.0,
        params=EntropyMinParams,
        presets={"tiny": TINY},
    )

    def loss(self, setting: Setting, step: int) -> Tensor:
        """Cross-entropy of the labelled batch, and the weighted entropy of the unlabelled one."""
        import torch

        from hsiaug_nets.views import turned

        batch, free = setting.labelled(step), turned(setting.unlabelled(), step)
        known, guessed = setting.net(torch.cat([batch.x, free])).split([len(batch.x), len(free)])
        logs = guessed.log_softmax(dim=1)
        entropy: Tensor = -(logs.exp() * logs).sum(dim=1).mean()
        return setting.error(known, batch) + ramp(step, self.params) * entropy
