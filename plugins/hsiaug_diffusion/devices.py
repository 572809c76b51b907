"""How numbers drawn on the CPU reach the device."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["sent"]


def sent(x: Tensor, device: str | torch.device) -> Tensor:
    """A tensor of the CPU on ``device``. A plain ``.to`` waits for all that a GPU was given before; this does not."""
    if torch.device(device).type != "cuda":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)
