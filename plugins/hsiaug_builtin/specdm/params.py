"""The hyper-parameters of ``specdm``, ``ldm_single`` and ``quilt``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import defaults, param

DROP = 0.1
"""Share of tiles that the denoiser is trained on without being told their classes, for guidance."""
NOISE_STEPS = 1000
"""Noising steps T."""


@dataclass(frozen=True)
class Size:
    """The networks, and the batches and rates that go with them.

    unshuffle: whether 2×2 pixels are folded into channels before any convolution, which is cheap. vae_width, mask_width:
    channels of the VAEs at their finest level, doubled at each coarser one. vae_blocks, unet_blocks: residual blocks per
    level. kl: weight of the mean Kullback-Leibler term per latent number. unet_width: channels of the denoiser at its
    finest level; levels: multiples of it, level by level. attend: largest side in latent pixels of a level with
    self-attention; 0 = none. batch: tiles per step. ema: decay of the denoiser's moving average of weights.
    """

    unshuffle: bool
    vae_width: int
    mask_width: int
    vae_blocks: int
    vae_rate: float
    kl: float
    unet_width: int
    levels: tuple[int, ...]
    unet_blocks: int
    attend: int
    batch: int
    ema: float


SIZES = {
    "tiny": Size(True, 16, 16, 1, 6e-3, 1e-4, unet_width=16, levels=(2,), unet_blocks=1, attend=0, batch=4, ema=0.95),
    "small": Size(
        True, 32, 16, 1, 3e-3, 1e-4, unet_width=32, levels=(1, 2), unet_blocks=1, attend=8, batch=16, ema=0.995
    ),
    "large": Size(
        True, 64, 32, 1, 2e-3, 1e-4,
        unet_width=128, levels=(1, 2, 2), unet_blocks=2, attend=16, batch=64, ema=0.9995,
    ),
    # 1.9e-8 a number is LDM's 1e-6 on sums, for f = 4, three latent channels and ten bands.
    "paper": Size(
        False, 128, 128, 2, 7e-5, 1.9e-8,
        unet_width=192, levels=(1, 2, 2, 4, 4), unet_blocks=2, attend=32, batch=96, ema=0.9999,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class LatentParams:
    """Shared by all three generators. The defaults are for small sets of tiles on one CPU core."""

    size: str = param("small", "of the networks and batches", choices=tuple(SIZES), preparing=True)
    factor: int = param(
        0,
        "pixels per latent pixel; 0 = 4 for tiles of 64 pixels or more, 2 for smaller ones",
        choices=(0, 2, 4, 8),
        preparing=True,
    )
    latent_mask: int = param(4, "latent channels of the mask", low=1)
    vae_steps: int = param(800, "optimiser steps of the VAE of masks, or of the only one", low=1)
    steps: int = param(800, "optimiser steps of the denoiser", low=1)
    rate: float = param(2e-3, "peak learning rate of the denoiser", low=0)
    sample_steps: int = param(20, "denoising steps from pure noise", low=1, sampling=True)
    strength: float = param(
        1.0,
        "noise that sampling starts from: 1 = pure noise, the paper's way; below, noised training pairs",
        low=0,
        high=1,
        sampling=True,
    )
    weight: float = param(0.3, "weight of a synthetic pair; a real one weighs 1", low=0, sampling=True)

    @property
    def network(self) -> Size:
        """The networks of ``size``."""
        return SIZES[self.size]

    def factor_of(self, side: int) -> int:
        """The latents' factor for tiles of a side in pixels."""
        return self.factor or (4 if side >= 64 else 2)


@dataclass(frozen=True)
@defaults(latent_mask=8, vae_steps=300, steps=2000, weight=0.1)
class Params(LatentParams):
    """Of ``ldm_single``, and of ``specdm`` too."""

    latent_image: int = param(16, "latent channels of the images, all dates together", low=2, preparing=True)


@dataclass(frozen=True)
class SpecDmParams(Params):
    """The values of the paper are in the preset "paper"."""

    image_steps: int = param(150, "optimiser steps of the VAE of images", low=1, preparing=True)
    sad: float = param(0.1, "weight λ of the spectral angle in the loss of the VAE of images", low=0, preparing=True)


@dataclass(frozen=True)
@defaults(vae_steps=800, steps=450, strength=0.3)
class QuiltParams(LatentParams):
    """Of masks alone, and of what is done to the images that are quilted for them."""

    pasted: int = param(
        30,
        "one date: components that are set into a finished pair as paste does it, 1 to this many; 0 = none",
        low=0,
        sampling=True,
    )
    light: float = param(
        0.5, "strength of another light on a pair, as relight has it; 0 = none", low=0, high=4, sampling=True
    )


TINY = {"size": "tiny", "vae_steps": 15, "steps": 25, "rate": 1e-2, "sample_steps": 4}

LARGE = {"size": "large", "vae_steps": 1000, "steps": 6000, "rate": 5e-4, "sample_steps": 50}
"""Minutes of a GPU."""

PAPER = {
    "size": "paper", "factor": 4, "latent_image": 3, "latent_mask": 3, "vae_steps": 100000, "steps": 200000,
    "rate": 5e-5, "sample_steps": 50, "weight": 1.0,
}  # fmt: skip
