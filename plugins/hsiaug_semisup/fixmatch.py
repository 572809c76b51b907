"""FixMatch: what a weak view is sure of, a strong view must say too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.api import Card, param
from hsiaug_semisup.semi_recipe import TINY, SemiRecipe, ramp
from hsiaug_semisup.unlabelled_classifier import UnlabelledClassifier

if TYPE_CHECKING:
    from torch import Tensor

    from hsiaug_semisup.setting import Setting

__all__ = ["FixMatch", "FixMatchParams"]


@dataclass(frozen=True)
class FixMatchParams(SemiRecipe):
    """The shared recipe and the threshold τ of the paper; λ_u is ``strength``, μ is ``unlabelled`` / ``batch``."""

    threshold: float = param(0.95, "least probability of a pseudo-label that counts", low=0, high=1)


class FixMatch(UnlabelledClassifier[FixMatchParams]):
    """The network of ``cnn2d``; pseudo-labels of weak views are the targets of strong views (equations 3 and 4).

    Weak: symmetries of the square, gain and offset per component; strong: the same, then radiation noise and dropped
    components. All keep a spectrum's class, unlike the colour operations of the paper. As there, λ_u = 1 and
    τ = .95. Not as there: AdamW for SGD, no moving average of weights, λ_u ramps up since 400 steps leave no time for
    a bad start to heal, and μ = 2 for 7.
    Budget: the steps and the labelled batch of ``cnn2d`` (400 and 64 by default, though every class is
    drawn equally often), and in the same forward pass 128 unlabelled patches in two views each.
    """

    card = Card(
        name="fixmatch",
        version="1",
        summary="2D-CNN with FixMatch on spectral-safe weak and strong views",
        paper="Sohn et al., FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence, NeurIPS "
        "2020, arXiv:2001.07685",
        scope="scene",
        uses_device=True,
        seconds=30.0,
        params=FixMatchParams,
        presets={"tiny": TINY},
    )

    def loss(self, setting: Setting, step: int) -> Tensor:
        """Cross-entropy of the labelled batch, and of strong views against what weak views are sure of."""
        import torch
        from torch.nn.functional import cross_entropy

        from hsiaug_nets.views import strong, weak

        batch, free = setting.labelled(step), setting.unlabelled()
        views = [batch.x, weak(free, setting.noise), strong(free, setting.noise)]
        known, calm, shaken = setting.net(torch.cat(views)).split([len(x) for x in views])
        sure, named = calm.detach().softmax(dim=1).max(dim=1)
        agreed: Tensor = (cross_entropy(shaken, named, reduction="none") * (sure >= self.params.threshold)).mean()
        return setting.error(known, batch) + ramp(step, self.params) * agreed
