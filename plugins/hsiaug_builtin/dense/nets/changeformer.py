"""The network of ``changeformer``."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from transformers import SegformerModel

from hsiaug_builtin.dense.nets.blocks import band_map, dates_as_tiles, larger
from hsiaug_builtin.dense.nets.segformer import small_config
from hsiaug_builtin.nets.blocks import convolution

__all__ = ["SiameseTransformer"]


class SiameseTransformer(nn.Module):
    """Scores of change of every pixel of tiles of two dates."""

    def __init__(self, bands: int, width: int, depth: int, classes: int) -> None:
        super().__init__()
        channels = min(bands, 2 * width)
        config = small_config(channels, width, depth, classes)
        self.multiple = math.prod(config.strides)
        self.map = band_map(bands, 2 * width)
        self.encoder = SegformerModel(config)
        own = config.decoder_hidden_size
        self.project = nn.ModuleList(nn.Conv2d(size, own, 1) for size in config.hidden_sizes)
        self.difference = nn.ModuleList(
            nn.Sequential(convolution(2 * own, own), nn.Conv2d(own, own, 3, padding=1), nn.ReLU())
            for _ in config.hidden_sizes
        )
        self.fuse = convolution(len(config.hidden_sizes) * own, own, kernel=1)
        self.enlarge = nn.ConvTranspose2d(own, own, 4, stride=2, padding=1)
        self.refine = nn.Sequential(convolution(own, own), nn.Conv2d(own, own, 3, padding=1))
        self.head = nn.Conv2d(own, classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        both = self.map(dates_as_tiles(x))  # (n, 2, B, H, W) → (2n, channels, H, W)
        stages = self.encoder(pixel_values=both, output_hidden_states=True).hidden_states
        found: list[Tensor] = []
        for stage, project, difference in reversed(list(zip(stages, self.project, self.difference, strict=True))):
            change = difference(torch.cat(project(stage).chunk(2), dim=1))
            found.append(change + larger(found[-1], change) if found else change)
        x = self.enlarge(self.fuse(torch.cat([larger(change, found[-1]) for change in found], dim=1)))
        x = x + self.refine(relu(x))
        scores: Tensor = self.head(x)
        return scores
