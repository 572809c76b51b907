"""The network of ``ssrn``."""

from __future__ import annotations

from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import Residual, convolution, cropped

__all__ = ["ResidualNet"]

SIDE = 7


class ResidualNet(nn.Module):
    """Class scores of the central 7×7 pixels of a patch in bands: spectral, then spatial residual blocks.

    A convolution along the bands of each pixel is a 2D one with a kernel of 7×1 over (bands, pixels).
    """

    def __init__(self, bands: int, width: int, features: int, stride: int, classes: int) -> None:
        super().__init__()
        kernel = min(7, bands)
        positions = (bands - kernel) // stride + 1
        self.entry = convolution(1, width, (kernel, 1), stride=(stride, 1), padding=0)
        self.spectral = nn.Sequential(Residual(width, width, (7, 1)), Residual(width, width, (7, 1)))
        self.collapse = convolution(width, features, (positions, 1), padding=0)
        self.narrow = convolution(features, 24)
        self.spatial = nn.Sequential(Residual(24, 24), Residual(24, 24))
        self.head = nn.Linear(24, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = cropped(x, SIDE)
        n, bands, p, _ = x.shape
        x = self.spectral(self.entry(x.reshape(n, 1, bands, p * p)))  # (n, width, positions, p·p)
        x = self.collapse(x).reshape(n, -1, p, p)  # (n, features, p, p)
        scores: Tensor = self.head(self.spatial(self.narrow(x)).mean(dim=(2, 3)))
        return scores
