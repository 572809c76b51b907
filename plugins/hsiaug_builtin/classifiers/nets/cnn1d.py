"""The network of ``cnn1d``."""

from __future__ import annotations

from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import convolution

__all__ = ["Net1d"]


class Net1d(nn.Module):
    """Class scores of a spectrum (n, B, 1, 1); any number of bands."""

    def __init__(self, bands: int, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        kernel = -(-bands // 9)
        pool = -(-(bands - kernel + 1) // 40)
        self.body = nn.Sequential(
            convolution(1, width, kernel, padding=0, axes=1),  # (n, 1, B) → (n, width, B - kernel + 1)
            nn.MaxPool1d(pool, ceil_mode=True),  # about 40 positions of 200 bands
            nn.Flatten(),
        )
        positions = -(-(bands - kernel + 1) // pool)
        self.head = nn.Sequential(nn.Linear(width * positions, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(x.flatten(1)[:, None]))
        return scores
