"""The hyper-parameters of ``txt2hsi``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param
from hsiaug_builtin.text import MODES

ANGLE = 0.1
"""Weight of the spectral-angle term of the VAE."""
DROP = 0.1
"""Share of texts dropped for guidance."""
NOISE_STEPS = 1000
"""Noising steps T."""
CLIPPED, PERTURBED = 0.5, 0.5
"""Share of patches clipped by RPSC, and of steps perturbed by LF-UE."""
PSEUDO_MOST, PSEUDO_SHARE = 1000, 0.8
"""Pseudo-labelled pixels of a class, at most, and the share of the pixels named so that is believed."""


@dataclass(frozen=True)
class Size:
    """The networks, and the batches and rates that go with them.

    vae_width: channels inside the VAE. reach: side of its convolutions in pixels; 1 = pixel by pixel. vae_batch: patches
    (pixels where reach is 1) per step. kl: weight of the Kullback-Leibler term. token: side of the denoiser's tokens in
    latent pixels. labelled, unlabelled: patches with and without text per step. ema: decay of the moving average of
    weights.
    """

    vae_width: int
    vae_batch: int
    vae_rate: float
    reach: int
    kl: float
    token: int
    width: int
    depth: int
    heads: int
    labelled: int
    unlabelled: int
    ema: float


SIZES = {
    "tiny": Size(16, 64, 4e-3, 1, 1e-3, token=3, width=16, depth=1, heads=2, labelled=8, unlabelled=8, ema=0.99),
    "small": Size(
        128, 512, 4e-3, 1, 1e-3, token=3, width=64, depth=3, heads=4, labelled=32, unlabelled=16, ema=0.99
    ),
    "paper": Size(
        256, 256, 1e-3, 3, 1e-4, token=1, width=640, depth=12, heads=10, labelled=128, unlabelled=128, ema=0.9999
    ),
}


@dataclass(frozen=True)
class Params:
    """None of these is public for the paper; all are this project's choice.

    Strength and the default ω were chosen on draws 100 to 104 of Indian Pines under ``issd``, the weight on draws 100 to
    102 under ``issd`` and 100 and 101 under ``random:0.05``.
    """

    text: str = param("both", "prompts", choices=MODES)
    encoder: str = param("minilm", "text encoder: minilm or openclip:MODEL@FILE")
    size: str = param("small", "of the networks and batches", choices=tuple(SIZES))
    latent: int = param(16, "channels of the latent", low=1)
    vae_steps: int = param(250, "optimiser steps of the VAE", low=1)
    class_weight: float = param(
        0.05, "weight of the class term of the VAE; 0 = unaware of classes, the paper's way", low=0
    )
    steps: int = param(80, "optimiser steps of the denoiser", low=1)
    rate: float = param(2e-3, "peak learning rate of the denoiser", low=0)
    pseudo: bool = param(True, "give confident unlabelled pixels the text of their pseudo-label")
    strength: float = param(0.1, "noise that sampling starts from: 1 = pure noise, the paper's way", low=0, high=1)
    sample_steps: int = param(
        20, "denoising steps from pure noise; fewer from a weaker start", low=1, sampling=True
    )
    weight: float = param(0.05, "sample weight of synthetic samples", low=0, sampling=True)

    @property
    def network(self) -> Size:
        """The networks of ``size``."""
        return SIZES[self.size]
