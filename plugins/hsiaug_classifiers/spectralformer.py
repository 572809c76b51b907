"""SpectralFormer: a transformer over groups of neighbouring bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_nets.fitted import NetClassifier
from hsiaug_nets.recipe import Recipe

__all__ = ["SpectralFormer", "SpectralFormerParams"]


@dataclass(frozen=True)
class SpectralFormerParams(Recipe):
    """The recipe, and the network's size."""

    group: int = param(8, "neighbouring bands per token", unit="bands", low=1)
    stride: int = param(8, "bands between tokens", unit="bands", low=1)
    head_width: int = param(16, "width of each of the 4 attention heads", low=1)
    layers: int = param(5, "transformer layers", low=2)
    steps: int = param(600, "optimiser steps", low=1)
    batch: int = param(32, "samples per step, drawn with replacement", low=2)
    rate: float = param(2e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)


class SpectralFormer(NetClassifier[SpectralFormerParams]):
    """Tokens are groups of neighbouring bands of a patch, layers are joined across one, a class token is read.

    Groupwise spectral embedding, cross-layer adaptive fusion, the patch of 7×7 pixels, 5 layers, 4 heads, width 64
    and 8 hidden units are those of Hong et al. and their published code. There, one token is made per band, 200 in all,
    from it and its two neighbours; here tokens do not overlap (25 of 8 bands), which is what a CPU can bear. AdamW
    and the symmetries are ours.
    """

    card = Card(
        name="spectralformer",
        version="1",
        summary="SpectralFormer-like transformer over groups of bands of the central 7×7 pixels",
        paper="After Hong, Han, Yao, Gao, Zhang, Plaza and Chanussot, SpectralFormer: Rethinking Hyperspectral "
        "Image Classification with Transformers, IEEE TGRS 60, 2022, doi:10.1109/TGRS.2021.3130716",
        uses_device=True,
        seconds=25.0,
        params=SpectralFormerParams,
        presets={
            "tiny": {"steps": 60, "group": 3, "stride": 3, "layers": 3, "head_width": 4},
            "paper": {"group": 3, "stride": 1, "steps": 5000, "batch": 64, "rate": 5e-4},
        },
    )

    def network(self, bands: int, side: int, classes: int) -> Any:
        from hsiaug_classifiers.nets.spectralformer import HEADS, SpectralNet

        own = self.params
        return SpectralNet(bands, side, own.group, own.stride, HEADS * own.head_width, own.layers, classes)
