"""A feature pyramid on a small ResNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_dense.fitted import NetSegmenter
from hsiaug_dense.recipe import DenseRecipe

__all__ = ["Fpn", "FpnParams"]


@dataclass(frozen=True)
class FpnParams(DenseRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels of the encoder at full resolution; doubled with every level", low=1)
    pyramid: int = param(32, "channels of every level of the pyramid", low=1)


class Fpn(NetSegmenter[FpnParams]):
    """Residual encoder, top-down pyramid, sum of its smoothed levels.

    Stands in for PFSegNet (Li et al., PointFlow, CVPR 2021, arXiv:2103.06564), the second segmenter of SpecDM's
    experiments, which is a feature pyramid too: there, semantics flow from a level to the next finer one along salient
    points and borders, here everywhere, as in the semantic branch of Kirillov et al. (section 3.1, figure 3). A learned
    1×1 layer maps the bands; the encoder has one residual block per level, no reduction before the first, and no
    published weights.
    """

    card = Card(
        name="fpn",
        version="2",
        summary="Feature pyramid on a small ResNet behind a learned band map; stands in for PFSegNet",
        paper="After Kirillov, Girshick, He and Dollár, Panoptic Feature Pyramid Networks, CVPR 2019, arXiv:1901.02446",
        tasks=("segmentation",),
        uses_device=True,
        seconds=20.0,
        params=FpnParams,
        presets={"tiny": {"steps": 60, "width": 8, "pyramid": 16}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_dense.nets.fpn import Pyramid

        return Pyramid(bands, self.params.width, self.params.pyramid, classes)
