"""One stream's variational autoencoder, over images, one-hot masks, or both."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.specdm.layers import ResidualBlock, Upsample, norm
from hsiaug_builtin.specdm.params import NetworkSize
from hsiaug_builtin.specdm.patch_components import PatchComponents, components

STEM = 32
"""Channels that more of them are first brought down to, pixel by pixel: 3×3 convolutions over 100
bands would take most of the time, and spectra of neighbouring bands are nearly the same.
"""

QUIET = -6.0
"""Log-variance that latents start with: from 0, the noise of a standard normal hides all structure
for many steps.
"""


class StreamVae(nn.Module):
    """x (n, C, P, P) → latents (n, d, P/f, P/f) → x.

    After the KL autoencoders of latent diffusion (Rombach et al. 2022), without attention.

    Parameters
    ----------
    factor : int
        f.
    linear : bool
        Whether it starts as the principal components of patches (ours). The convolutions then
        learn only what these lack, within hundreds of steps in place of many thousands.

    Attributes
    ----------
    mean, std : (C,) float32 Tensor
        Of x, which the network works in units of.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        channels: int,
        latent: int,
        factor: int,
        size: NetworkSize,
        *,
        width: int,
        stem: int = STEM,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.linear = PatchComponents(channels, latent, factor) if linear else None
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        # More numbers than these per pixel tell little of a spectrum.
        self.stem = nn.Conv2d(channels, stem, 1) if channels > stem else None
        self.crown = nn.Conv2d(stem, channels, 1) if channels > stem else None
        thin = min(channels, stem)
        fold = 2 if size.unshuffle else 1
        levels = [width * 2**i for i in range((factor // fold).bit_length())]
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(fold),
            nn.Conv2d(thin * fold**2, width, 3, padding=1),
            *_down(levels, size.vae_blocks),
        )
        wide = levels[-1]
        leave = nn.Conv2d(wide, 2 * latent, 3, padding=1)
        leave = zero_weights(leave) if linear else leave
        nn.init.constant_(leave.bias[latent:], QUIET)  # type: ignore[index]
        self.encoder.extend([norm(wide), nn.SiLU(), leave])
        self.decoder = nn.Sequential(
            nn.Conv2d(latent, wide, 3, padding=1), *_up(levels[::-1], size.vae_blocks)
        )
        last = nn.Conv2d(width, thin * fold**2, 3, padding=1)
        self.decoder.extend(
            [norm(width), nn.SiLU(), zero_weights(last) if linear else last, nn.PixelShuffle(fold)]
        )

    def fit_input(self, x: Tensor) -> None:
        """Take mean and spread of x (n, C, P, P); a stem starts from its principal components, and
        so does the whole where it is to.
        """
        if self.linear is not None:
            self.linear.fit_input(x)
        self.mean.copy_(x.mean(dim=(0, 2, 3)))
        self.std.copy_(x.std(dim=(0, 2, 3)).clamp(min=1e-4))
        if self.stem is None or self.crown is None:
            return
        scaled = (x - self.mean[:, None, None]) / self.std[:, None, None]
        _, parts = components(scaled, self.stem.out_channels)
        with torch.no_grad():
            for weight in (*self.stem.parameters(), *self.crown.parameters()):
                weight.zero_()
            self.stem.weight[: len(parts)] = parts[:, :, None, None]
            self.crown.weight[:, : len(parts)] = parts.T[:, :, None, None]

    def encode(self, x: Tensor) -> Tensor:
        """Means of the latents (n, d, P/f, P/f)."""
        return self.posterior(x)[0]

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents (n, d, P/f, P/f)."""
        begin = 0.0 if self.linear is None else self.linear.encode(x)
        x = (x - self.mean[:, None, None]) / self.std[:, None, None]
        if self.stem is not None:
            x = self.stem(x)
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return begin + mean, log_variance.clamp(-30, 20)

    def decode(self, z: Tensor) -> Tensor:
        """(n, C, P, P)."""
        x = self.decoder(z)
        if self.crown is not None:
            x = self.crown(x)
        begin = self.mean[:, None, None] if self.linear is None else self.linear.decode(z)
        out: Tensor = begin + x * self.std[:, None, None]
        return out


def _down(levels: list[int], blocks: int) -> list[nn.Module]:
    """Blocks of each level, with a convolution of stride 2 in between."""
    layers: list[nn.Module] = []
    for i, wide in enumerate(levels):
        if i:
            layers.append(nn.Conv2d(levels[i - 1], wide, 3, stride=2, padding=1))
        layers += [ResidualBlock(wide, wide) for _ in range(blocks)]
    return layers


def _up(levels: list[int], blocks: int) -> list[nn.Module]:
    """The same from the coarsest level on."""
    layers: list[nn.Module] = []
    for i, wide in enumerate(levels):
        if i:
            layers.append(Upsample(levels[i - 1], wide))
        layers += [ResidualBlock(wide, wide) for _ in range(blocks)]
    return layers
