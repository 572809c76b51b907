"""The network of ``cnn3d``."""

from __future__ import annotations

from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import convolution, cropped

__all__ = ["Net3d"]

SIDE = 5


class Net3d(nn.Module):
    """Class scores of the central 5×5 pixels of a patch in bands; smaller patches and few bands will do."""

    def __init__(self, bands: int, side: int, width: int, classes: int) -> None:
        super().__init__()
        side = min(side, SIDE)
        spatial = [min(3, side), min(3, side - min(3, side) + 1)]
        spectral = [min(7, bands)]
        spectral.append(min(3, bands - spectral[0] + 1))
        left = bands - sum(spectral) + 2
        edge = side - sum(spatial) + 2
        self.body = nn.Sequential(
            convolution(1, width, (spectral[0], spatial[0], spatial[0]), padding=0, axes=3),
            convolution(width, 2 * width, (spectral[1], spatial[1], spatial[1]), padding=0, axes=3),
            nn.Flatten(),
        )
        self.head = nn.Linear(2 * width * left * edge * edge, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = cropped(x, SIDE)[:, None]  # (n, B, 5, 5) → (n, 1, B, 5, 5)
        scores: Tensor = self.head(self.body(x))
        return scores
