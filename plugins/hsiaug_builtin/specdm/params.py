"""The hyper-parameters of the generators of pairs. No torch here: cards are read without it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hsiaug.api import defaults, param

DROP = 0.1
"""Share of tiles that the denoiser is trained on without being told their classes, for guidance."""
NOISE_STEPS = 1000
"""Noising steps T."""
COARSEST = 8
"""Cells along a side of the coarsest level of a cascade, at most."""


@dataclass(frozen=True)
class NetworkSize:
    """The networks, and the batches and rates that go with them.

    Attributes
    ----------
    unshuffle : bool
        Whether 2×2 pixels are folded into channels before any convolution, which is cheap.
    vae_width, mask_width : int
        Channels of the VAEs at their finest level, doubled at each coarser one.
    vae_blocks, unet_blocks : int
        Residual blocks per level.
    kl : float
        Weight of the mean Kullback-Leibler term per latent number.
    unet_width : int
        Channels of the denoiser at its finest level.
    levels : tuple of int
        Multiples of it, level by level.
    attend : int
        Largest side in latent pixels of a level with self-attention; 0 = none.
    batch : int
        Tiles per step.
    ema : float
        Decay of the denoiser's moving average of weights.
    local_width, local_depth : (int, int)
        Features and blocks of the denoisers of a cascade: of the coarsest level, and of the others.
    local_tokens : int
        Tokens per step of a level: batches are larger where tiles have few.
    decoder_width : int
        Features of the decoder of a stream of pixels.
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
    local_width: tuple[int, int] = (96, 96)
    local_depth: tuple[int, int] = (5, 4)
    local_tokens: int = 1024
    decoder_width: int = 64


SIZES = {
    "tiny": NetworkSize(
        True,
        16,
        16,
        1,
        6e-3,
        1e-4,
        unet_width=16,
        levels=(2,),
        unet_blocks=1,
        attend=0,
        batch=4,
        ema=0.95,
        local_width=(32, 32),
        local_depth=(2, 2),
        local_tokens=1024,
        decoder_width=8,
    ),
    "small": NetworkSize(
        True,
        32,
        16,
        1,
        3e-3,
        1e-4,
        unet_width=32,
        levels=(1, 2),
        unet_blocks=1,
        attend=8,
        batch=16,
        ema=0.995,
    ),
    "large": NetworkSize(
        True,
        64,
        32,
        1,
        2e-3,
        1e-4,
        unet_width=128,
        levels=(1, 2, 2),
        unet_blocks=2,
        attend=16,
        batch=64,
        ema=0.9995,
    ),
    # 1.9e-8 a number is LDM's 1e-6 on sums, for f = 4, three latent channels and ten bands.
    "paper": NetworkSize(
        False,
        128,
        128,
        2,
        7e-5,
        1.9e-8,
        unet_width=192,
        levels=(1, 2, 2, 4, 4),
        unet_blocks=2,
        attend=32,
        batch=96,
        ema=0.9999,
    ),
}


@dataclass(frozen=True)
class PairParams:
    """Shared by the generators that train networks. The defaults are for few tiles on one core."""

    size: str = param("small", "of the networks and batches", choices=tuple(SIZES), preparing=True)
    rate: float = param(2e-3, "peak learning rate of the denoiser", low=0)
    sample_steps: int = param(20, "denoising steps from pure noise", low=1, sampling=True)
    strength: float = param(
        1.0,
        "noise that sampling starts from: 1 = pure noise, the paper's way; below, noised training"
        " pairs",
        low=0,
        high=1,
        sampling=True,
    )
    weight: float = param(
        0.3, "weight of a synthetic pair; a real one weighs 1", low=0, sampling=True
    )

    @property
    def network(self) -> NetworkSize:
        """The networks of ``size``."""
        return SIZES[self.size]


@dataclass(frozen=True)
class TileParams:
    """How training tiles are learnt from, and what pairs are asked for."""

    turns: bool = param(
        True,
        "whether tiles are learnt, and drawn, in the eight turns of a square",
        preparing=True,
    )
    balanced: bool = param(True, "whether tiles of rare classes are learnt from more often")
    by_class: float = param(
        0.0,
        "share of the pairs that are asked for a class, as by --show: each class as often",
        low=0,
        high=1,
        sampling=True,
    )


@dataclass(frozen=True)
class ImageStreamParams:
    """Of the generators with a stream of images of their own."""

    tiles: str = param(
        "all",
        "what the stream of images learns from: all tiles, unlabelled too (ours), or those of the"
        " split (the paper)",
        choices=("all", "split"),
        preparing=True,
    )
    sad: float = param(
        0.1,
        "weight λ of the spectral angle in the loss of the stream of images",
        low=0,
        preparing=True,
    )


@dataclass(frozen=True)
class LatentParams(PairParams):
    """Of the generators whose denoiser is a U-Net: ``specdm-paper`` and ``quilt``."""

    factor: int = param(
        0,
        "pixels per latent pixel; 0 = 4 for tiles of 64 pixels or more, 2 for smaller ones",
        choices=(0, 2, 4, 8),
        preparing=True,
    )
    latent_mask: int = param(4, "latent channels of the mask", low=1)
    vae_steps: int = param(800, "optimiser steps of the VAE of masks, or of the only one", low=1)
    steps: int = param(800, "optimiser steps of the denoiser", low=1)

    def factor_of(self, side: int) -> int:
        """The latents' factor for tiles of a side in pixels."""
        return self.factor or (4 if side >= 64 else 2)


@dataclass(frozen=True)
@defaults(rate=1e-2, sample_steps=24, weight=0.1)
class LdmParams(PairParams, TileParams):
    """Of ``ldm_single``, and of ``specdm`` too."""

    level_steps: int = param(
        2400,
        "optimiser steps of the finest level; each coarser one has two thirds as many, and at"
        " least half",
        low=1,
    )
    rotated: float = param(
        0.8,
        "share of training tiles that are learnt at any angle, and a little enlarged or reduced",
        low=0,
        high=1,
    )
    decoder_steps: int = param(
        200, "optimiser steps of the decoder of a stream", low=1, preparing=True
    )
    condition: str = param(
        "class",
        "what the denoiser knows of a pair: a class that it shows, or nothing (the paper)",
        choices=("class", "nothing"),
    )


@dataclass(frozen=True)
class SpecDmParams(LdmParams, ImageStreamParams):
    """Of ``specdm``."""

    masks: str = param(
        "moved",
        "masks of the pairs: those of training tiles, moved and turned to any angle, or sampled"
        " together with the image (the paper)",
        choices=("moved", "sampled"),
        sampling=True,
    )


@dataclass(frozen=True)
@defaults(latent_mask=8, vae_steps=300, steps=2000, rate=1e-2, sample_steps=24, weight=0.1)
class PaperParams(LatentParams, TileParams, ImageStreamParams):
    """Of ``specdm-paper``. The values of the paper are in the preset "paper"."""

    streams: str = param(
        "two",
        "of the VAE: two, one of images and one of masks, or one of both (the paper's baseline,"
        " single-stream LDM)",
        choices=("two", "one"),
        preparing=True,
    )
    latent_image: int = param(
        16, "latent channels of the images, all dates together", low=2, preparing=True
    )
    start: str = param(
        "components",
        "what a VAE starts as: the principal components of patches (ours), or random weights (the"
        " paper)",
        choices=("components", "random"),
        preparing=True,
    )
    target: str = param(
        "velocity",
        "what the denoiser predicts: the velocity v (ours), or the noise (the paper)",
        choices=("velocity", "noise"),
    )
    condition: str = param(
        "shares",
        "what the denoiser knows of a pair: the share of each class (ours), or nothing (the paper)",
        choices=("shares", "nothing"),
    )
    units: str = param(
        "classes",
        "two streams: latents of an image in units of the classes of its mask (ours), or as they"
        " are (the paper)",
        choices=("classes", "plain"),
    )
    mask_share: float = param(
        0.75,
        "two streams: share of the mask in the loss of the denoiser (ours); 0 = all channels count"
        " equally (the paper)",
        low=0,
        high=1,
    )
    image_steps: int = param(
        150, "two streams: optimiser steps of the VAE of images", low=1, preparing=True
    )


def levels_of(side: int) -> int:
    """How many levels tiles of a side in pixels have in a cascade."""
    return max(0, math.ceil(math.log2(side / COARSEST))) + 1


def predicts_noise(params: LatentParams) -> bool:
    """Whether the denoiser predicts the noise in place of the velocity."""
    return isinstance(params, PaperParams) and params.target == "noise"


def knows_shares(params: LatentParams) -> bool:
    """Whether the denoiser knows the share of each class."""
    return not isinstance(params, PaperParams) or params.condition == "shares"


@dataclass(frozen=True)
@defaults(vae_steps=800, steps=450, strength=0.3)
class QuiltParams(LatentParams):
    """Of masks alone, and of what is done to the images that are quilted for them."""

    pasted: int = param(
        30,
        "one date: components that are set into a finished pair as paste does it, 1 to this many; 0"
        " = none",
        low=0,
        sampling=True,
    )
    light: float = param(
        0.5,
        "strength of a change of light as by relight; 0 = none",
        low=0,
        high=4,
        sampling=True,
    )


TrainedParams = LdmParams | PaperParams | QuiltParams
"""Of the generators that train networks."""


@dataclass(frozen=True)
class MosaicParams:
    """Of ``mosaic``."""

    sources: int = param(
        6, "similar training tiles of which a pair is assembled", low=1, sampling=True
    )
    mask_unit: float = param(
        1.5, "weight of a class, in standard deviations of the first component", low=0.01
    )
    sample_steps: int = param(24, "denoising steps of all stages together", low=1, sampling=True)
    strength: float = param(
        1.0,
        "noise that sampling starts from: 1 = pure noise; below, noised training pairs",
        low=0,
        high=1,
        sampling=True,
    )
    turns: bool = param(True, "whether pairs are made in the eight turns of a square")
    weight: float = param(
        0.1, "weight of a synthetic pair; a real one weighs 1", low=0, sampling=True
    )


@dataclass(frozen=True)
class GaussianParams:
    """Of ``gaussian-pairs``."""

    weight: float = param(
        0.1, "weight of a synthetic pair; a real one weighs 1", low=0, sampling=True
    )


TINY = {"size": "tiny", "rate": 1e-2, "sample_steps": 4}

TINY_LOCAL = {**TINY, "level_steps": 15, "decoder_steps": 10}

TINY_UNET = {**TINY, "vae_steps": 15, "steps": 25}

FAST = {"level_steps": 600, "decoder_steps": 100}
"""At most three minutes of two cores."""

LARGE = {
    "size": "large",
    "vae_steps": 1000,
    "steps": 6000,
    "rate": 5e-4,
    "sample_steps": 50,
    "image_steps": 1500,
}
"""Minutes of a GPU."""

PAPER = {
    "size": "paper",
    "factor": 4,
    "latent_image": 3,
    "latent_mask": 3,
    "vae_steps": 100000,
    "steps": 200000,
    "rate": 5e-5,
    "sample_steps": 50,
    "weight": 1.0,
    "start": "random",
    "target": "noise",
    "condition": "nothing",
    "turns": False,
    "balanced": False,
    "units": "plain",
    "mask_share": 0.0,
    "tiles": "split",
    "image_steps": 100000,
}
"""Section 3 of the paper, as far as it says them."""
