"""SSRN: spectral, then spatial residual blocks on the bands of a patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_nets.fitted import NetClassifier
from hsiaug_nets.recipe import Recipe

__all__ = ["Ssrn", "SsrnParams"]


@dataclass(frozen=True)
class SsrnParams(Recipe):
    """The recipe, and the network's size."""

    width: int = param(8, "kernels of the spectral convolutions", low=1)
    features: int = param(64, "features per pixel once the bands are collapsed", low=1)
    stride: int = param(8, "bands between positions of the first spectral convolution", unit="bands", low=1)
    steps: int = param(700, "optimiser steps", low=1)
    batch: int = param(32, "samples per step, drawn with replacement", low=2)
    rate: float = param(5e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)


class Ssrn(NetClassifier[SsrnParams]):
    """Two spectral residual blocks (kernels of 7 bands), the bands collapsed, two spatial ones (3×3), the mean.

    Reads the z-scored bands of the central 7×7 pixels. Blocks, their order, kernel sizes, the window and the 24
    spatial kernels are those of Zhong et al. To train in seconds on a CPU the spectral part is narrower than theirs: 8
    kernels at every 8th band in place of 24 at every 2nd, and 64 features per pixel in place of 128. Spatial
    convolutions are padded; AdamW, the symmetries and the lack of dropout are ours.
    """

    card = Card(
        name="ssrn",
        version="1",
        summary="SSRN: spectral, then spatial residual blocks on the central 7×7 pixels",
        paper="Zhong, Li, Luo and Chapman, Spectral-Spatial Residual Network for Hyperspectral Image "
        "Classification: A 3-D Deep Learning Framework, IEEE TGRS 56(2), 2018, doi:10.1109/TGRS.2017.2755542",
        uses_device=True,
        seconds=30.0,
        params=SsrnParams,
        presets={
            "tiny": {"steps": 40, "width": 4, "features": 16},
            "paper": {"width": 24, "features": 128, "stride": 2, "steps": 4000, "batch": 16},
        },
    )

    def network(self, bands: int, side: int, classes: int) -> Any:
        from hsiaug_classifiers.nets.ssrn import ResidualNet

        own = self.params
        return ResidualNet(bands, own.width, own.features, own.stride, classes)
