"""U-Net behind a learned band map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_dense.fitted import NetSegmenter
from hsiaug_dense.recipe import DenseRecipe

__all__ = ["Unet", "UnetParams"]


@dataclass(frozen=True)
class UnetParams(DenseRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


class Unet(NetSegmenter[UnetParams]):
    """Encoder and decoder of four levels, joined by skip connections.

    A learned 1×1 layer comes first, which makes the 3×3 convolutions independent of the number of bands. As in figure
    1 of the paper there are two convolutions per level, pooling by maximum and up-convolutions of 2×2; four levels in
    place of five, 16 channels in place of 64, padded convolutions and batch normalisation are ours, as are AdamW and
    the draw of batches.
    """

    card = Card(
        name="unet",
        version="2",
        summary="U-Net behind a learned band map",
        paper="After Ronneberger, Fischer and Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, "
        "MICCAI 2015, arXiv:1505.04597",
        tasks=("segmentation",),
        uses_device=True,
        seconds=20.0,
        params=UnetParams,
        presets={"tiny": {"steps": 60, "width": 8}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_dense.nets.unet import UShaped

        return UShaped(bands, self.params.width, classes)
