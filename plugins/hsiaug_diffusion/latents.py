"""Latents of zero mean and unit variance per channel: what a noise schedule expects."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["LatentNorm"]


@dataclass(frozen=True, eq=False)
class LatentNorm:
    """Per-channel standardisation of latents (n, d, p, p). mean, std: (d,) float32."""

    mean: Tensor
    std: Tensor

    @classmethod
    def fitted(cls, z: Tensor) -> LatentNorm:
        """On latents (n, d, p, p) of the training pool."""
        flat = z.transpose(0, 1).flatten(1)
        return cls(flat.mean(dim=1), flat.std(dim=1).clamp(min=1e-6))

    def forward(self, z: Tensor) -> Tensor:
        return (z - self.mean[:, None, None]) / self.std[:, None, None]

    def back(self, z: Tensor) -> Tensor:
        return z * self.std[:, None, None] + self.mean[:, None, None]

    def to(self, device: str | torch.device) -> LatentNorm:
        return LatentNorm(self.mean.to(device), self.std.to(device))
