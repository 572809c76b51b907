"""Class shares of many patches, in batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["probabilities"]

BATCH = 512


@torch.inference_mode()
def probabilities(
    net: nn.Module,
    project: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    x: NDArray[np.float32],
    classes: int,
    device: str,
) -> NDArray[np.float32]:
    """(n, classes) softmax of patches x (n, B, p, p) in scene units, n = 0 included.

    project: from scene units to what the network reads, batch by batch. net: in evaluation mode, on ``device``.
    """
    found = [np.empty((0, classes), dtype=np.float32)]
    for start in range(0, len(x), BATCH):
        seen = torch.from_numpy(project(x[start : start + BATCH])).to(device)
        found.append(net(seen).softmax(dim=1).cpu().numpy())
    return np.concatenate(found)
