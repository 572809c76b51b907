"""The small 2D network of ``cnn2d``."""

from __future__ import annotations

from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import convolution

__all__ = ["Net2d"]


class Net2d(nn.Module):
    """Class scores of a patch of principal components; any patch side, 1 included."""

    def __init__(self, components: int, width: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(components, width), convolution(width, width))
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)  # (n, components, p, p) → (n, width, p, p)
        x = x.mean(dim=(2, 3))  # (n, width)
        scores: Tensor = self.head(x)  # (n, classes)
        return scores
