"""Principal components of patches, which lose next to nothing of an image: what the VAEs of images
start from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pixel_shuffle, pixel_unshuffle

SAMPLED = 20_000
"""Patches that components are taken of, about."""


class PatchComponents(nn.Module):
    """x (n, C, P, P) → the first d principal components of its f×f patches (n, d, P/f, P/f), of
    unit variance → x.

    Nothing is trained. Where patches have fewer than d directions the last ones are 0.

    Attributes
    ----------
    mean : (C,) Tensor
    inward : (d, C·f²) Tensor
    outward : (C·f², d) float32 Tensor
    """

    mean: Tensor
    inward: Tensor
    outward: Tensor

    def __init__(self, channels: int, latent: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("inward", torch.zeros(latent, channels * factor**2))
        self.register_buffer("outward", torch.zeros(channels * factor**2, latent))

    def fit_input(self, x: Tensor) -> None:
        """Take the components of x (n, C, P, P)."""
        self.mean.copy_(x.mean(dim=(0, 2, 3)))
        spread, parts = components(self._fold(x), len(self.inward))
        self.inward[: len(parts)] = parts / spread[:, None]
        self.outward[:, : len(parts)] = (parts * spread[:, None]).T

    def encode(self, x: Tensor) -> Tensor:
        """(n, d, P/f, P/f)."""
        return conv2d(self._fold(x), self.inward[:, :, None, None])

    def decode(self, z: Tensor) -> Tensor:
        """(n, C, P, P)."""
        return (
            pixel_shuffle(conv2d(z, self.outward[:, :, None, None]), self.factor)
            + self.mean[:, None, None]
        )

    def _fold(self, x: Tensor) -> Tensor:
        return pixel_unshuffle(x - self.mean[:, None, None], self.factor)


def components(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Standard deviations (k,) along the first principal components (k, C) of the pixels of centred
    x (n, C, H, W).

    The largest comes last. k: ``count``, or fewer where x has no more dimensions.
    """
    pixels = x.transpose(0, 1).flatten(1)
    pixels = pixels[:, :: max(1, pixels.shape[1] // SAMPLED)].double()
    values, vectors = torch.linalg.eigh(pixels @ pixels.T)
    varying = values > 1e-10 * values[-1]
    spread = (values[varying][-count:] / pixels.shape[1]).sqrt()
    parts = vectors[:, varying][:, -count:].T.float()
    # The sign of an eigenvector is the library's whim.
    return spread.float(), torch.where(parts.sum(dim=1, keepdim=True) < 0, -parts, parts)
