"""The scale of joint latents that diffusion works on: the image's are what the mask's do not already tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

RIDGE = 1e-4
"""Added to the variances of the mask's latents, which are 1: some have no more directions than classes."""


@dataclass(frozen=True, eq=False)
class JointNorm:
    """Standardisation of joint latents (n, d, h, w), whose first ``split`` channels are the image's.

    The mask's latents z_y get mean 0 and variance 1. Of the image's, their linear regression on z_y at the same place is
    taken away first: a sample then has its class's spectrum wherever the denoiser adds nothing, and image and mask agree
    from the first step of training (ours). mean, std: (d,); slope: (d, d − split), 0 for the mask's channels.
    """

    mean: Tensor
    std: Tensor
    slope: Tensor

    @classmethod
    def fit(cls, z: Tensor, split: int) -> JointNorm:
        """Fit to the latents (n, d, h, w) of the training pairs."""
        flat = z.transpose(0, 1).flatten(1)
        mean, std = flat.mean(dim=1), flat.std(dim=1).clamp(min=1e-6)
        image, mask = flat[:split] - mean[:split, None], (flat[split:] - mean[split:, None]) / std[split:, None]
        within, across = ((mask @ part.T / mask.shape[1]).double().cpu() for part in (mask, image))
        found = torch.linalg.solve(within + RIDGE * torch.eye(len(mask)), across).T.to(flat)
        if split:
            std[:split] = (image - found @ mask).std(dim=1).clamp(min=1e-6)
        return cls(mean, std, torch.cat([found, torch.zeros_like(within).to(flat)]))

    def forward(self, z: Tensor) -> Tensor:
        """Latents (n, d, h, w) of mean 0 and variance 1 in each channel."""
        z = z - self.mean[:, None, None]
        split = len(self.mean) - self.slope.shape[1]
        return (z - self._told(z[:, split:] / self.std[split:, None, None])) / self.std[:, None, None]

    def back(self, z: Tensor) -> Tensor:
        """The inverse of :meth:`forward`."""
        split = len(self.mean) - self.slope.shape[1]
        return z * self.std[:, None, None] + self.mean[:, None, None] + self._told(z[:, split:])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a saved fit."""
        return {f"norm.{name}": value.cpu().numpy() for name, value in vars(self).items()}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], device: str) -> JointNorm:
        """Restore from :meth:`arrays`."""
        return cls(*(torch.tensor(arrays[f"norm.{name}"], device=device) for name in ("mean", "std", "slope")))

    def _told(self, mask: Tensor) -> Tensor:
        """What standardised latents of the mask (n, d − split, h, w) tell of all (n, d, h, w)."""
        return torch.einsum("ij,njhw->nihw", self.slope, mask)
