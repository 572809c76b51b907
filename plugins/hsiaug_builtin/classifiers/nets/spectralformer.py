"""The network of ``spectralformer``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import cropped

__all__ = ["HEADS", "SpectralNet"]

SIDE = 7
HEADS = 4
HIDDEN = 8
DROPOUT = 0.1


class SpectralNet(nn.Module):
    """Class scores of the central 7×7 pixels of a patch: a transformer over groups of neighbouring bands.

    Token t reads bands t·stride … t·stride + group - 1 of all pixels; a class token is read. From the third layer
    on, a convolution over all tokens joins a layer's input with that of the layer before the last.
    """

    def __init__(
        self, bands: int, side: int, group: int, stride: int, width: int, layers: int, classes: int
    ) -> None:
        super().__init__()
        self.group, self.stride = min(group, bands), stride
        tokens = (bands - self.group) // stride + 2
        self.embed = nn.Linear(self.group * min(side, SIDE) ** 2, width)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, HEADS, HIDDEN, dropout=DROPOUT, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.fusion = nn.ModuleList(joint(tokens) for _ in range(layers - 2))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = cropped(x, SIDE).flatten(2).unfold(1, self.group, self.stride)  # (n, groups, p·p, group)
        x = self.embed(x.flatten(2))
        x = torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.position  # (n, tokens, width)
        inputs: list[Tensor] = []
        for number, layer in enumerate(self.layers):
            inputs.append(x)
            if number >= 2:
                pair = torch.stack([x, inputs[number - 2]], dim=3)  # (n, tokens, width, 2)
                x = self.fusion[number - 2](pair).squeeze(3)
            x = layer(x)
        scores: Tensor = self.head(x[:, 0])
        return scores


def joint(tokens: int) -> nn.Conv2d:
    """From (n, tokens, width, 2) to (n, tokens, width, 1); at first it passes on the former of the two as it is."""
    layer = nn.Conv2d(tokens, tokens, (1, 2))
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[:, :, 0, 0] = torch.eye(tokens)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
