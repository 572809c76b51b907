"""What a network says of many tiles, in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsiaug_dense.inputs import BandScale

__all__ = ["over"]

PIXELS = 2**16
"""Pixels of a batch: its activations then take some hundred MB."""


@torch.inference_mode()
def over(
    net: nn.Module, scale: BandScale, images: NDArray[np.float32], device: str, reading: Callable[[Tensor], Tensor]
) -> list[NDArray[Any]]:
    """``reading(scores)`` of each batch of images (n, T, B, H, W) in the data's units; [] for n = 0.

    net: in evaluation mode, on ``device``; scores are (b, k, H, W).
    """
    size = max(1, PIXELS // (images.shape[-2] * images.shape[-1]))
    found = []
    for start in range(0, len(images), size):
        x = torch.from_numpy(scale.tiles(images[start : start + size])).to(device)
        found.append(reading(net(x)).cpu().numpy())
    return found
