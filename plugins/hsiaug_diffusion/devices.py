"""Devices, and how numbers drawn on the CPU reach them."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["devices_of", "sent"]


def devices_of(device: str) -> tuple[str, ...]:
    """ "cuda:0,1" → ("cuda:0", "cuda:1"); a single device as it is."""
    kind, _, indices = device.partition(":")
    return tuple(f"{kind}:{index}" for index in indices.split(",")) if "," in indices else (device,)


def sent(x: Tensor, device: str | torch.device) -> Tensor:
    """A tensor of the CPU on ``device``. A plain ``.to`` waits for all that a GPU was given before; this does not."""
    if torch.device(device).type != "cuda":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)
