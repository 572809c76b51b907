"""The hyper-parameters of ``specdm`` and ``ldm_single``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import InputError, param
from hsiaug_nets.plugin import check_choices, defaults

__all__ = ["PAPER", "TINY", "Params", "SpecDmParams"]

CHOICES = {
    "sampler": ("ddim", "ddpm", "dpm++"),
    "order": ("mask-first", "joint"),
    "codec": ("components", "vae"),
    "cd_encoder": ("concat", "shared"),
    "factor": (0, 2, 4, 8),
    "target": ("v", "eps"),
}


@dataclass(frozen=True)
class Params:
    """What both generators share. The defaults are for small sets of tiles on one CPU core.

    Raises InputError for a choice that does not exist.
    """

    factor: int = param(
        0, "pixels per latent pixel: 2, 4 or 8; 0 = 4 for tiles of 64 pixels or more, 2 for smaller ones"
    )
    unshuffle: bool = param(True, "fold 2×2 pixels into channels before any convolution: cheap")
    codec: str = param(
        "components", "of images: components (principal ones, of patches; nothing is trained), or vae, the paper's"
    )
    latent_image: int = param(16, "latent channels of the images, all dates together", low=2)
    latent_mask: int = param(4, "latent channels of the mask", low=1)
    vae_width: int = param(32, "channels of the image VAE at its finest level, doubled at each coarser one", low=8)
    vae_blocks: int = param(1, "residual blocks per level of a VAE", low=1)
    vae_steps: int = param(1200, "optimiser steps of each VAE", low=1)
    vae_rate: float = param(3e-3, "peak learning rate of the VAEs", low=0)
    kl: float = param(1e-4, "weight of the mean Kullback-Leibler term per latent number", low=0)
    unet_width: int = param(32, "channels of the denoiser at its finest level", low=8)
    unet_levels: str = param("1,2", "multiples of that width, level by level")
    unet_blocks: int = param(1, "residual blocks per level of the denoiser", low=1)
    attend: int = param(8, "largest side of a level with self-attention; 0 = none", unit="latent pixels", low=0)
    steps: int = param(800, "optimiser steps of the denoiser", low=1)
    rate: float = param(2e-3, "peak learning rate of the denoiser", low=0)
    batch: int = param(16, "tiles per step", low=1)
    ema: float = param(0.995, "decay of the denoiser's moving average of weights", low=0, high=1)
    target: str = param(
        "v", "what the denoiser predicts: v, which learns faster where noise is strong, or eps, the paper's"
    )
    condition: bool = param(
        True, "tell the denoiser each class's share of the tile, so that classes can be asked for"
    )
    drop: float = param(0.1, "share of tiles trained without being told so, for guidance", low=0, high=1)
    noise_steps: int = param(1000, "noising steps T", low=2)
    sampler: str = param("dpm++", "dpm++, ddim or ddpm (exact with sample_steps = noise_steps)", sampling=True)
    sample_steps: int = param(20, "denoising steps from pure noise", low=1, sampling=True)
    strength: float = param(
        1.0,
        "noise that sampling starts from: 1 = pure noise, the paper's way; below, noised training pairs",
        low=0,
        high=1,
        sampling=True,
    )
    weight: float = param(0.3, "weight of a synthetic pair; a real one weighs 1", low=0, sampling=True)

    def __post_init__(self) -> None:
        check_choices(self, CHOICES, "--set NAME.")
        if not all(part.isdigit() and int(part) for part in self.unet_levels.split(",")):
            raise InputError(
                "--set NAME.unet_levels must be positive whole numbers with commas between",
                value=repr(self.unet_levels),
                hint="One number per level, as 1,2,2.",
            )

    @property
    def multiples(self) -> tuple[int, ...]:
        """``unet_levels`` as numbers."""
        return tuple(map(int, self.unet_levels.split(",")))

    def factor_of(self, side: int) -> int:
        """The latents' factor for tiles of a side in pixels."""
        return self.factor or (4 if side >= 64 else 2)


@dataclass(frozen=True)
@defaults(strength=0.3)
class SpecDmParams(Params):
    """λ of the angle (``sad``) is the paper's; what else it says is in the preset "paper"."""

    order: str = param(
        "mask-first", "mask-first (then an image for it, of real pixels) or joint, the paper's: both at once"
    )
    pasted: int = param(
        30,
        "mask-first, one date: components that are set into a finished pair as paste does it, 1 to this many; 0 = none",
        low=0,
        sampling=True,
    )
    light: float = param(
        0.5,
        "mask-first: strength of another light on a pair, as relight has it; 0 = none",
        low=0,
        high=4,
        sampling=True,
    )
    mask_width: int = param(16, "channels of the mask VAE at its finest level", low=8)
    sad: float = param(0.1, "weight λ of the spectral angle in the image VAE's loss; 0 = plain L1", low=0)
    cd_encoder: str = param("concat", "two dates: concat into one image, or shared, one encoder for each date")
    gate_sad: float = param(
        0.15, "worst mean spectral angle of the image VAE's reconstruction", unit="radians", low=0
    )
    gate_mask: float = param(
        0.9, "least share of labelled pixels whose class the mask VAE gives back", low=0, high=1
    )


TINY = {
    "latent_image": 4, "vae_width": 16, "vae_steps": 15, "vae_rate": 6e-3, "unet_width": 16, "unet_levels": "2",
    "steps": 25, "rate": 1e-2, "batch": 4, "attend": 0, "ema": 0.95, "sample_steps": 4,
}  # fmt: skip

PAPER = {
    # 1.9e-8 a number is LDM's 1e-6 on sums, for f = 4, three latent channels and ten bands.
    "codec": "vae", "factor": 4, "unshuffle": False, "latent_image": 3, "latent_mask": 3, "vae_width": 128,
    "vae_blocks": 2, "vae_steps": 100000, "vae_rate": 7e-5, "kl": 1.9e-8, "unet_width": 192,
    "unet_levels": "1,2,2,4,4", "unet_blocks": 2, "attend": 32, "steps": 200000, "rate": 5e-5, "batch": 96,
    "ema": 0.9999, "target": "eps", "condition": False, "sampler": "ddim", "sample_steps": 50, "strength": 1.0,
    "weight": 1.0,
}  # fmt: skip
