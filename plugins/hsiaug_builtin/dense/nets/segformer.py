"""The network of ``segformer``: a band map before transformers' SegFormer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import SegformerConfig, SegformerForSemanticSegmentation
from transformers.utils import logging

from hsiaug.api import PluginError
from hsiaug_builtin.dense.nets.blocks import larger

__all__ = ["MappedSegformer", "published_former", "random_former", "small_config"]


class MappedSegformer(nn.Module):
    """Scores of every pixel of tiles of one date.

    former: a SegformerForSemanticSegmentation; the map leads from the bands to its channels.
    """

    def __init__(self, bands: int, former: Any) -> None:
        super().__init__()
        self.map = nn.Conv2d(bands, former.config.num_channels, 1)
        self.former = former
        self.multiple = math.prod(former.config.strides)

    def forward(self, x: Tensor) -> Tensor:
        mapped = self.map(x[:, 0])  # (n, 1, B, H, W) → (n, channels, H, W)
        return larger(self.former(pixel_values=mapped).logits, mapped)


def small_config(channels: int, width: int, depth: int, classes: int) -> SegformerConfig:
    """Four stages of ``depth`` blocks, ``width`` channels at half the resolution, doubled with every stage."""
    return SegformerConfig(
        num_channels=channels,
        num_labels=classes,
        depths=[depth] * 4,
        hidden_sizes=[width * 2**stage for stage in range(4)],
        num_attention_heads=[1, 2, 4, 8],
        strides=[2, 2, 2, 2],
        decoder_hidden_size=2 * width,
        drop_path_rate=0.0,
    )


def random_former(channels: int, width: int, depth: int, classes: int) -> Any:
    """A network of that size with random weights."""
    return SegformerForSemanticSegmentation(small_config(channels, width, depth, classes))


def published_former(folder: Path, classes: int) -> Any:
    """The network of a folder, with a new last layer, and a new decoder where the checkpoint has none.

    Raises PluginError for weights that cannot be read, or that lack a part of the encoder.
    """
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # that the last layer is new is meant, and no news
    try:
        former, report = SegformerForSemanticSegmentation.from_pretrained(
            folder,
            num_labels=classes,
            ignore_mismatched_sizes=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as cause:
        raise _unusable(folder, f"{type(cause).__name__}: {str(cause)[:160]}") from cause
    finally:
        logging.set_verbosity(before)
    changed = [key for key, *_ in report["mismatched_keys"]]
    lacking = sorted(key for key in [*report["missing_keys"], *changed] if key.startswith("segformer."))
    if lacking:
        raise _unusable(folder, f"{len(lacking)} random tensors in the encoder, {lacking[0]} first")
    return former.float()


def _unusable(folder: Path, found: str) -> PluginError:
    return PluginError(
        f"{folder} must hold the whole encoder of the SegFormer that its config.json describes",
        value=found,
        hint="Download the repository again.",
    )
