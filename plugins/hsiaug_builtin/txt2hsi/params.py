"""The hyper-parameters of ``txt2hsi``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param
from hsiaug_builtin.text import MODES

ANGLE, KL = 0.1, 1e-3
"""Weights of the spectral-angle and the Kullback-Leibler term of the VAE."""
CLASS_STEPS, CLASS_RATE = 200, 1e-3
"""Optimiser steps, and their peak learning rate, of the VAE with a class term in a draw."""
DROP, NO_CODE = 0.1, 0.15
"""Shares of patches that are shown without text, and without text and code, so that guidance learns to do without."""
CLIPPED, PERTURBED = 0.5, 0.5
"""Share of patches clipped by RPSC, and of steps perturbed by LF-UE."""
PSEUDO_MOST, PSEUDO_SHARE = 1000, 0.8
"""Pseudo-labelled pixels of a class, at most, and the share of the pixels named so that is believed."""
LOG_SIGMA = 0.0, 1.4
"""Mean and deviation of the logarithm of the noise level in training (Karras et al. 2022)."""
SIGMA_MOST, SIGMA_LEAST = 3.0, 0.03
"""Noise levels between which samples are drawn; latents of single pixels have deviation 1. Above the first,
patches of a class and code are hardly told from a Gaussian, which sampling begins at."""


@dataclass(frozen=True)
class Size:
    """The networks, and the batches and averages that go with them.

    vae_width: channels inside the VAE, which works pixel by pixel; vae_batch: pixels per step. width, depth, heads: of
    the denoiser. scene_batch, batch: patches per step, once a scene and in a draw. scene_ema, ema: decay of the moving
    averages of the weights. scene_rate: peak learning rate, once a scene. compiled: whether a GPU compiles the
    denoiser's loss (torch.compile), which pays for a large one.
    """

    vae_width: int
    vae_batch: int
    width: int
    depth: int
    heads: int
    scene_batch: int
    batch: int
    scene_ema: float = 0.995
    ema: float = 0.98
    scene_rate: float = 2e-3
    compiled: bool = False


SIZES = {
    "tiny": Size(16, 64, width=16, depth=1, heads=2, scene_batch=16, batch=16, scene_ema=0.9, ema=0.9),
    "small": Size(128, 512, width=128, depth=4, heads=4, scene_batch=128, batch=96),
    # A large batch, so that matrix products and not their launches take the time of a GPU.
    "paper": Size(
        256, 1024, width=640, depth=12, heads=5, scene_batch=2048, batch=1024, scene_ema=0.999, scene_rate=5e-4,
        compiled=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Params:
    """None of these is public for the paper; all are this project's choice, made on draws 300 and 301 of Indian Pines and
    of crops of Houston and Pavia under ``issd``.

    Those of the scene are used once for all draws of it; see :meth:`hsiaug_builtin.txt2hsi.plugin.Txt2Hsi.prepare`.
    """

    size: str = param("small", "of the networks and batches", choices=tuple(SIZES), preparing=True)
    latent: int = param(40, "channels of the latent, at most one a band", low=1, preparing=True)
    vae_steps: int = param(200, "optimiser steps of the VAE on the scene", low=1, preparing=True)
    codes: int = param(256, "codes that the patches of the scene are grouped into", low=1, preparing=True)
    scene_steps: int = param(400, "optimiser steps of the denoiser on the scene, without text", low=1, preparing=True)
    text: str = param("both", "prompts", choices=MODES)
    encoder: str = param("minilm", "text encoder: minilm or openclip:MODEL@FILE")
    pseudo: bool = param(True, "give confident unlabelled pixels the text of their pseudo-label")
    class_weight: float = param(0.0, "of the term that keeps classes apart in the VAE, which a draw adds", low=0)
    unlabelled: float = param(0.25, "share of patches of a step that have no label and no text", low=0, high=0.9)
    rpsc: bool = param(True, "clip random polygons into training patches")
    lfue: bool = param(True, "resample channel statistics of latents in training")
    steps: int = param(60, "optimiser steps of the denoiser with text, in a draw", low=1)
    rate: float = param(1e-3, "peak learning rate of these", low=0)
    strength: float = param(
        1.0, "noise that sampling starts from: 1 = pure noise, less = editing of real patches (SDEdit)",
        low=0, high=1,
    )  # fmt: skip
    sample_steps: int = param(5, "denoising steps", low=2, sampling=True)
    guide: str = param(
        "null", "what guidance leads away from: null = no text and no code, scene = the denoiser before texts",
        choices=("null", "scene"), sampling=True,
    )  # fmt: skip
    guide_from: float = param(0.0, "least noise level at which guidance acts", low=0, sampling=True)
    guide_to: float = param(100.0, "largest noise level at which guidance acts", low=0, sampling=True)
    weight: float = param(0.05, "sample weight of synthetic samples", low=0, sampling=True)

    @property
    def network(self) -> Size:
        """The networks of ``size``."""
        return SIZES[self.size]
