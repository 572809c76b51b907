"""The hyper-parameters of ``txt2hsi`` and ``gaussian``. No torch here: cards are read without
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param
from hsiaug_builtin.text import MODES, checked_encoder, checked_mode

VERSION = "14"
"""Of ``txt2hsi``: raised whenever its results change."""
ANGLE = 0.1
"""Weight of the spectral-angle term of the VAE."""
KL = 1e-3
"""Weight of the Kullback-Leibler term of the VAE."""
CLASS_STEPS = 200
"""Optimiser steps of the VAE with a class term in a draw."""
CLASS_RATE = 1e-3
"""Peak learning rate of these."""
DROP = 0.1
"""Share of patches that are shown without text."""
NO_CODE = 0.15
"""Share of patches that are shown without text and code, so that guidance learns to do without."""
CLIPPED = 0.5
"""Share of patches clipped by RPSC."""
PERTURBED = 0.5
"""Share of steps perturbed by LF-UE."""
PSEUDO_MOST = 1000
"""Pseudo-labelled pixels of a class, at most."""
PSEUDO_SHARE = 0.8
"""Share of the pixels named after a class that is believed."""
LOG_SIGMA = (0.0, 1.4)
"""Mean and deviation of the logarithm of the noise level in training (Karras et al. 2022)."""
SIGMA_MOST = 20.0
"""Noise level that sampling starts at; latents of single pixels have deviation 1. Above it, patches
of a class and code are hardly different from their Gaussian, which sampling begins with.
"""
SIGMA_LEAST = 0.03
"""Noise level of the last step of sampling."""
LEAST_CHANNEL_WEIGHT = 0.05
"""The least weight of a channel; otherwise it is the correlation of neighbouring pixels."""


@dataclass(frozen=True)
class ModelSize:
    """The networks, and the batches and averages that go with them.

    Attributes
    ----------
    vae_width : int
        Channels inside the VAE, which works pixel by pixel.
    vae_batch : int
        Pixels per step of it.
    width, depth : int
        Features of a pixel and blocks of the denoiser.
    scene_batch, batch : int
        Patches per step, once a scene and in a draw.
    scene_ema, ema : float
        Decay of the moving averages of the weights.
    scene_rate : float
        Peak learning rate, once a scene.
    compiled : bool
        Whether a GPU compiles the denoiser's loss (torch.compile), which pays for a large one.
    """

    vae_width: int
    vae_batch: int
    width: int
    depth: int
    scene_batch: int
    batch: int
    scene_ema: float = 0.995
    ema: float = 0.98
    scene_rate: float = 2e-3
    compiled: bool = False


SIZES = {
    "tiny": ModelSize(
        vae_width=16,
        vae_batch=64,
        width=16,
        depth=1,
        scene_batch=16,
        batch=16,
        scene_ema=0.9,
        ema=0.9,
    ),
    "small": ModelSize(
        vae_width=128,
        vae_batch=512,
        width=64,
        depth=6,
        scene_batch=96,
        batch=64,
        scene_rate=3e-3,
    ),
    # A large batch, so that matrix products and not their launches take the time of a GPU.
    "paper": ModelSize(
        vae_width=256,
        vae_batch=1024,
        width=640,
        depth=16,
        scene_batch=1024,
        batch=512,
        scene_ema=0.999,
        scene_rate=5e-4,
        compiled=True,
    ),
}


@dataclass(frozen=True)
class CodingParams:
    """What the Gaussians of a scene and of its classes depend on."""

    size: str = param("small", "of the networks and batches", choices=tuple(SIZES), preparing=True)
    latent: int = param(40, "channels of the latent, at most one a band", low=1, preparing=True)
    vae_steps: int = param(200, "optimiser steps of the VAE on the scene", low=1, preparing=True)
    codes: int = param(
        256, "codes that the patches of the scene are grouped into", low=1, preparing=True
    )
    pseudo: bool = param(True, "believe confident pseudo-labels of unlabelled pixels")
    weight: float = param(0.05, "sample weight of synthetic samples", low=0, sampling=True)

    @property
    def network(self) -> ModelSize:
        """The networks of ``size``."""
        return SIZES[self.size]


@dataclass(frozen=True)
class Txt2HsiParams(CodingParams):
    """None of these is public for the paper; all are this project's choice, made on draw 300 of
    Indian Pines.

    Those of the scene are used once for all draws of it; see
    :meth:`hsiaug_builtin.txt2hsi.plugin.Txt2Hsi.prepare`.
    """

    scene_steps: int = param(
        2000, "optimiser steps of the denoiser on the scene, without text", low=1, preparing=True
    )
    shipped: bool = param(
        True, "use the state that comes with hsiaug for scenes that it has one of", preparing=True
    )
    text: str = param("both", f"prompts: {', '.join(MODES)}, or file:PROMPTS.toml")
    encoder: str = param("minilm", "text encoder: minilm or openclip:MODEL@FILE")
    class_weight: float = param(
        0.0, "of the term that keeps classes apart in the VAE, which a draw adds", low=0
    )
    unlabelled: float = param(
        0.25, "share of patches of a step that have no label and no text", low=0, high=0.9
    )
    rpsc: bool = param(False, "clip random polygons into training patches")
    lfue: bool = param(False, "resample channel statistics of latents in training")
    steps: int = param(40, "optimiser steps of the denoiser with text, in a draw", low=1)
    rate: float = param(5e-4, "peak learning rate of these", low=0)
    strength: float = param(
        1.0,
        "noise that sampling starts from: 1 = pure noise, less = editing of real patches (SDEdit)",
        low=0,
        high=1,
    )
    sample_steps: int = param(12, "denoising steps", low=2, sampling=True)
    guide: str = param(
        "null",
        "what guidance leads away from: null = no text and no code, scene = the denoiser before"
        " texts",
        choices=("null", "scene"),
        sampling=True,
    )
    guide_from: float = param(0.0, "least noise level at which guidance acts", low=0, sampling=True)
    guide_to: float = param(
        100.0, "largest noise level at which guidance acts", low=0, sampling=True
    )

    def __post_init__(self) -> None:
        """Check the prompts and the encoder, and name files with their checksums. Raises InputError
        for an unknown kind and for a file of prompts that cannot be read, DataUnavailableError
        where there is no file of weights.
        """
        object.__setattr__(self, "text", checked_mode(self.text))
        object.__setattr__(self, "encoder", checked_encoder(self.encoder))
