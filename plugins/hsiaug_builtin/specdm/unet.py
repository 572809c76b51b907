"""The denoiser: a U-Net over joint latents, told the step and each class's share of the tile.

After the U-Net of latent diffusion (Rombach et al. 2022), which SpecDM builds on; the class shares
are our extension.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug_builtin.diffusion.schedule import sinusoid
from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.specdm.layers import ResidualBlock, SelfAttention, Upsample, norm
from hsiaug_builtin.specdm.params import NetworkSize


class UNet(nn.Module):
    """v(z_t, t, shares) for latents z (n, d, h, w) and t (n,).

    shares: (n, K + 1), each class's share of the tile's pixels and then 1; all zeros where nothing
    is told.

    Parameters
    ----------
    side : int
        Side of the latents.
    classes : int
        K.
    """

    def __init__(self, size: NetworkSize, channels: int, side: int, classes: int) -> None:
        super().__init__()
        width = size.unet_width
        multiples = size.levels
        blocks = size.unet_blocks
        conditioning = 4 * width
        self.time = nn.Sequential(
            nn.Linear(256, conditioning), nn.SiLU(), nn.Linear(conditioning, conditioning)
        )
        self.shares = nn.Sequential(
            nn.Linear(classes + 1, conditioning), nn.SiLU(), nn.Linear(conditioning, conditioning)
        )
        self.enter = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        current_width = width
        skips = [width]
        last = len(multiples) - 1
        for level, multiple in enumerate(multiples):
            attends = (side >> level) <= size.attend
            for _ in range(blocks):
                self.down.append(
                    _Stage(
                        ResidualBlock(current_width, multiple * width, conditioning),
                        SelfAttention(multiple * width) if attends else None,
                    )
                )
                current_width = multiple * width
                skips.append(current_width)
            if level < last:
                self.down.append(
                    _Stage(nn.Conv2d(current_width, current_width, 3, stride=2, padding=1))
                )
                skips.append(current_width)
        self.middle = nn.ModuleList(
            [
                _Stage(
                    ResidualBlock(current_width, current_width, conditioning),
                    SelfAttention(current_width) if size.attend else None,
                ),
                _Stage(ResidualBlock(current_width, current_width, conditioning)),
            ]
        )
        for level, multiple in reversed(list(enumerate(multiples))):
            attends = (side >> level) <= size.attend
            for block in range(blocks + 1):
                wide = multiple * width
                up = Upsample(wide, wide) if level and block == blocks else None
                self.up.append(
                    _Stage(
                        ResidualBlock(current_width + skips.pop(), wide, conditioning),
                        SelfAttention(wide) if attends else None,
                        up,
                    )
                )
                current_width = wide
        self.leave = nn.Sequential(
            norm(current_width),
            nn.SiLU(),
            zero_weights(nn.Conv2d(current_width, channels, 3, padding=1)),
        )

    def forward(self, z: Tensor, t: Tensor, shares: Tensor) -> Tensor:
        vector = self.time(sinusoid(t)) + self.shares(shares)
        x = self.enter(z)
        skips = [x]
        for stage in self.down:
            x = stage(x, vector)
            skips.append(x)
        for stage in self.middle:
            x = stage(x, vector)
        for stage in self.up:
            x = stage(torch.cat([x, skips.pop()], dim=1), vector)
        out: Tensor = self.leave(x)
        return out


class _Stage(nn.Module):
    """A block, which is told the vector, or a convolution, which is not; then what else there
    is.
    """

    def __init__(self, first: ResidualBlock | nn.Conv2d, *then: nn.Module | None) -> None:
        super().__init__()
        self.first = first
        self.then = nn.Sequential(*(module for module in then if module is not None))

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        out: Tensor = self.then(
            self.first(x, vector) if isinstance(self.first, ResidualBlock) else self.first(x)
        )
        return out
