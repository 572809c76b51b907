"""ChangeFormer: a siamese hierarchical transformer for change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_dense.fitted import NetSegmenter
from hsiaug_dense.recipe import ChangeRecipe

__all__ = ["ChangeFormer", "ChangeFormerParams"]


@dataclass(frozen=True)
class ChangeFormerParams(ChangeRecipe):
    """The recipe, and the network's size."""

    rate: float = param(1e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)
    width: int = param(16, "channels of the first stage, a multiple of 8; doubled with every stage", low=8)
    depth: int = param(1, "transformer blocks per stage", low=1)


class ChangeFormer(NetSegmenter[ChangeFormerParams]):
    """Four stages of a shared transformer encoder, a difference module at each, an MLP decoder.

    Sections 2.1 to 2.3 of the paper: a difference module is two 3×3 convolutions of both dates' features, to which that
    of the next coarser stage is added; all are fused by a 1×1 convolution and enlarged by a transposed one. Differences:
    the encoder is transformers' SegFormer encoder, of which the paper's is a kin; its first stage halves the resolution
    in place of quartering it, so one transposed convolution is enough; 16 channels, doubled with every stage, and 1
    block per stage in place of 64 and 3 or more; no scores of the coarser stages in the loss. A band map comes first
    where there are more than 32 bands.
    """

    card = Card(
        name="changeformer",
        version="3",
        summary="ChangeFormer-like: shared hierarchical transformer, difference modules, MLP decoder",
        paper="After Bandara and Patel, A Transformer-Based Siamese Network for Change Detection, IGARSS 2022, "
        "arXiv:2201.01293",
        tasks=("change",),
        uses_device=True,
        seconds=60.0,
        params=ChangeFormerParams,
        presets={"tiny": {"steps": 40, "width": 8, "rate": 3e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_dense.nets.changeformer import SiameseTransformer

        return SiameseTransformer(bands, self.params.width, self.params.depth, classes)
