"""Fully convolutional siamese networks for change: FC-Siam-conc and FC-Siam-diff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hsiaug.api import Card, param
from hsiaug_dense.fitted import NetSegmenter
from hsiaug_dense.recipe import ChangeRecipe

__all__ = ["FcSiamConc", "FcSiamDiff", "FcSiamParams"]


@dataclass(frozen=True)
class FcSiamParams(ChangeRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


ALIKE: dict[str, Any] = {
    "paper": "Daudt, Le Saux and Boulch, Fully Convolutional Siamese Networks for Change Detection, ICIP 2018, "
    "arXiv:1810.08462",
    "tasks": ("change",),
    "uses_device": True,
    "seconds": 70.0,
    "params": FcSiamParams,
    "presets": {"tiny": {"steps": 40, "width": 4}},
}
"""What both cards say."""


class _FcSiam(NetSegmenter[FcSiamParams]):
    """What both share. difference: |a − b| of the dates' features in the skip connections, in place of both."""

    difference: ClassVar[bool]

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_dense.nets.fc_siam import SiameseU

        return SiameseU(bands, self.params.width, self.difference, classes)


class FcSiamConc(_FcSiam):
    """A U-Net whose encoder sees each date by itself; skip connections carry the features of both.

    Levels, convolutions and channels are those of figure 1b of the paper, and the decoder starts from the second date,
    as in the authors' code. A band map comes first where there are more than 32 bands. Up-convolutions have kernels of
    2 in place of 3; each date loses its mean in the tile (``centre``), where the authors' code standardises whole
    images; the loss with Dice, AdamW and the lack of dropout are ours.
    """

    card = Card(
        name="fc-siam-conc",
        version="3",
        summary="FC-Siam-conc: siamese U-Net, features of both dates side by side",
        **ALIKE,
    )
    difference = False


class FcSiamDiff(_FcSiam):
    """A U-Net whose encoder sees each date by itself; skip connections carry |a − b| of their features.

    Figure 1c of the paper; what differs from it is as in :class:`FcSiamConc`.
    """

    card = Card(
        name="fc-siam-diff",
        version="3",
        summary="FC-Siam-diff: siamese U-Net, difference of both dates' features",
        **ALIKE,
    )
    difference = True
