"""SegFormer behind a learned band map, with random or published weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_dense.fitted import NetSegmenter
from hsiaug_dense.recipe import DenseRecipe

__all__ = ["Segformer", "SegformerParams"]


@dataclass(frozen=True)
class SegformerParams(DenseRecipe):
    """The recipe, and the network's size; a published checkpoint brings its own size."""

    rate: float = param(1e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)
    channels: int = param(32, "channels that the bands are mapped to", low=1)
    width: int = param(32, "channels of the first stage, a multiple of 8; doubled with every stage", low=8)
    depth: int = param(1, "transformer blocks per stage", low=1)
    pretrained: str = param(
        "",
        "Hugging Face name of published SegFormer weights, as nvidia/mit-b0, or a folder with them; empty = random",
    )


class Segformer(NetSegmenter[SegformerParams]):
    """transformers' SegFormer; a learned 1×1 layer maps the bands to its input channels.

    So does SpecDM (Liu et al., arXiv:2502.17056) before a published SegFormer-B5 with 3 channels. Without
    ``pretrained`` the network is small and its weights are random; its first stage then halves the resolution where the
    paper's quarters it (table 6), because tiles of 32 pixels would leave too little. With ``pretrained`` size, strides
    and the 3 channels are the checkpoint's; only its last layer is new.

    Published weights that are not on this machine and cannot be had raise DataUnavailableError within seconds; random
    ones never take their place.
    """

    card = Card(
        name="segformer",
        version="2",
        summary="SegFormer behind a learned band map; small and random, or published weights by pretrained=NAME",
        paper="Xie, Wang, Yu, Anandkumar, Alvarez and Luo, SegFormer: Simple and Efficient Design for Semantic "
        "Segmentation with Transformers, NeurIPS 2021, arXiv:2105.15203",
        tasks=("segmentation",),
        uses_device=True,
        seconds=25.0,
        params=SegformerParams,
        presets={"tiny": {"steps": 60, "width": 16, "channels": 16, "rate": 3e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_dense.checkpoint import checkpoint_folder
        from hsiaug_dense.nets.segformer import MappedSegformer, published_former, random_former

        own = self.params
        if own.pretrained:
            return MappedSegformer(bands, published_former(checkpoint_folder(own.pretrained), classes))
        return MappedSegformer(bands, random_former(own.channels, own.width, own.depth, classes))
