"""What a network says of many samples, in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["over"]


@torch.inference_mode()
def over(
    net: nn.Module,
    read: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    x: NDArray[np.float32],
    size: int,
    device: str,
    reading: Callable[[Tensor], Tensor],
    none: NDArray[Any],
) -> NDArray[Any]:
    """``reading(net(read(x)))`` of samples x (n, …) in the data's units, ``size`` at a time; ``none`` for n = 0.

    net: in evaluation mode, on ``device``. read: to what the network reads.
    """
    found = [none]
    for start in range(0, len(x), size):
        part = torch.from_numpy(read(x[start : start + size])).to(device)
        found.append(reading(net(part)).cpu().numpy())
    return np.concatenate(found)
