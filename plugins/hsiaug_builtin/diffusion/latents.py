"""Latents of zero mean and unit variance per channel: what a noise schedule expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LatentNorm:
    """Per-channel standardisation of latents (n, d, p, p).

    Attributes
    ----------
    mean, std : (d,) float32 Tensor
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def fit(cls, z: Tensor) -> LatentNorm:
        """Fit to latents (n, d, p, p) of the training pool."""
        flat = z.transpose(0, 1).flatten(1)
        return cls(flat.mean(dim=1), flat.std(dim=1).clamp(min=1e-6))

    def forward(self, z: Tensor) -> Tensor:
        """Latents (n, d, p, p) of mean 0 and variance 1 in each channel."""
        return (z - self.mean[:, None, None]) / self.std[:, None, None]

    def back(self, z: Tensor) -> Tensor:
        """The inverse of :meth:`forward`."""
        return z * self.std[:, None, None] + self.mean[:, None, None]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a saved fit."""
        return {"norm.mean": self.mean.cpu().numpy(), "norm.std": self.std.cpu().numpy()}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], device: str) -> LatentNorm:
        """Restore from :meth:`arrays`."""
        mean, std = (
            torch.tensor(arrays[f"norm.{name}"], device=device) for name in ("mean", "std")
        )
        return cls(mean, std)
