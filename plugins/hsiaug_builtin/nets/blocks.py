"""Blocks that several networks are built of."""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor, nn
from torch.nn.functional import pad, relu

LAYERS = {
    1: (nn.Conv1d, nn.BatchNorm1d),
    2: (nn.Conv2d, nn.BatchNorm2d),
    3: (nn.Conv3d, nn.BatchNorm3d),
}
"""Convolution and batch normalisation by number of axes."""

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)

Extent = int | tuple[int, ...]
"""Along every axis, or along each."""


def convolution(
    channels: int,
    width: int,
    kernel: Extent = 3,
    *,
    stride: Extent = 1,
    padding: Extent | None = None,
    axes: int = 2,
) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU.

    Parameters
    ----------
    padding : Extent or None
        By default half a kernel, so that sides stay as they are.
    """
    layer, norm = LAYERS[axes]
    if padding is None:
        padding = _half(kernel)
    convolution: nn.Module = layer(channels, width, kernel, stride, padding, bias=False)  # type: ignore[arg-type]
    return nn.Sequential(
        convolution,
        norm(width),
        nn.ReLU(),
    )


def crop(x: Tensor, side: int) -> Tensor:
    """The central ``side``×``side`` pixels of patches x (n, k, p, p), both sides odd; x itself
    where p ≤ side.
    """
    margin = (x.shape[-1] - side) // 2
    return x[..., margin:-margin, margin:-margin] if margin > 0 else x


def zero_weights(layer: Layer) -> Layer:
    """The layer with weights and bias of 0: what it ends, a branch beside a shortcut mostly, adds
    nothing at first.
    """
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    return layer


class Residual(nn.Module):
    """Two 2D convolutions beside a shortcut (He et al., CVPR 2016, arXiv:1512.03385, figure 2)."""

    def __init__(self, channels: int, width: int, kernel: Extent = 3, *, stride: int = 1) -> None:
        super().__init__()
        self.change = nn.Sequential(
            convolution(channels, width, kernel, stride=stride),
            nn.Conv2d(width, width, kernel, padding=_half(kernel), bias=False),  # type: ignore[arg-type]
            nn.BatchNorm2d(width),
        )
        alike = stride == 1 and channels == width
        self.shortcut: nn.Module = (
            nn.Identity() if alike else nn.Conv2d(channels, width, 1, stride=stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.shortcut(x) + self.change(x))


class Net2d(nn.Module):
    """The network of ``cnn2d``: class scores of a patch of principal components; any patch side, 1
    included.

    The convolutions read whole windows only: a border of zeros is padded where a patch is smaller
    than 5×5 pixels.
    """

    def __init__(self, components: int, width: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(components, width, padding=0), convolution(width, width, padding=0)
        )
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] < 5:
            x = pad(x, [(6 - x.shape[-1]) // 2] * 4)
        x = self.body(x)  # (n, components, p, p) → (n, width, p - 4, p - 4)
        x = x.mean(dim=(2, 3))  # (n, width)
        scores: Tensor = self.head(x)  # (n, classes)
        return scores


def _half(kernel: Extent) -> Extent:
    return kernel // 2 if isinstance(kernel, int) else tuple(side // 2 for side in kernel)
