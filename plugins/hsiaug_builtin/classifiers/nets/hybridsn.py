"""The network of ``hybridsn``."""

from __future__ import annotations

from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import convolution

__all__ = ["HybridNet"]

KERNELS = ((8, 7, 1), (16, 5, 1), (32, 3, 0))
"""Kernels, their components, and spatial padding of the three 3D convolutions."""


class HybridNet(nn.Module):
    """Class scores of a patch of components: three 3D convolutions, one 2D, the mean over the patch, one linear.

    A kernel that is larger than what it meets shrinks to it, so that small patches and few components will do.
    """

    def __init__(self, components: int, side: int, width: int, classes: int) -> None:
        super().__init__()
        depth, channels = components, 1
        layers: list[nn.Module] = []
        for kernels, spectral, padding in KERNELS:
            k, s = min(spectral, depth), min(3, side + 2 * padding)
            layers.append(convolution(channels, kernels, (k, s, s), padding=(0, padding, padding), axes=3))
            depth, side, channels = depth - k + 1, side + 2 * padding - s + 1, kernels
        self.volume = nn.Sequential(*layers)
        self.plane = convolution(channels * depth, width, min(3, side), padding=0)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.volume(x[:, None])  # (n, k, p, p) → (n, 32, k', p', p')
        x = self.plane(x.flatten(1, 2))  # (n, width, p'', p'')
        scores: Tensor = self.head(x.mean(dim=(2, 3)))
        return scores
