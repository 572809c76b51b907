"""The network of ``ssrn``."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from hsiaug_classifiers.nets.crop import cropped

__all__ = ["ResidualNet"]

SIDE = 7


class Residual(nn.Module):
    """x + two convolutions of it, each with batch normalisation."""

    def __init__(self, width: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.one = nn.Conv2d(width, width, kernel, padding=padding, bias=False)
        self.two = nn.Conv2d(width, width, kernel, padding=padding, bias=False)
        self.norm_one, self.norm_two = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        change = self.norm_two(self.two(relu(self.norm_one(self.one(x)))))
        return relu(x + change)


class ResidualNet(nn.Module):
    """Class scores of the central 7×7 pixels of a patch in bands: spectral, then spatial residual blocks.

    A convolution along the bands of each pixel is a 2D one with a kernel of 7×1 over (bands, pixels).
    """

    def __init__(self, bands: int, width: int, features: int, stride: int, classes: int) -> None:
        super().__init__()
        kernel = min(7, bands)
        positions = (bands - kernel) // stride + 1
        self.entry = nn.Sequential(
            nn.Conv2d(1, width, (kernel, 1), stride=(stride, 1), bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.spectral = nn.Sequential(Residual(width, (7, 1)), Residual(width, (7, 1)))
        self.collapse = nn.Sequential(
            nn.Conv2d(width, features, (positions, 1), bias=False), nn.BatchNorm2d(features), nn.ReLU()
        )
        self.narrow = nn.Sequential(
            nn.Conv2d(features, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU()
        )
        self.spatial = nn.Sequential(Residual(24, (3, 3)), Residual(24, (3, 3)))
        self.head = nn.Linear(24, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = cropped(x, SIDE)
        n, bands, p, _ = x.shape
        x = self.spectral(self.entry(x.reshape(n, 1, bands, p * p)))  # (n, width, positions, p·p)
        x = self.collapse(x).reshape(n, -1, p, p)  # (n, features, p, p)
        scores: Tensor = self.head(self.spatial(self.narrow(x)).mean(dim=(2, 3)))
        return scores
