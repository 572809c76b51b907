"""The hyper-parameters of ``txt2hsi``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import InputError, param
from hsiaug_builtin.text import MODES, checked_encoder, checked_mode

VERSION = "21"
"""Of ``txt2hsi``: raised whenever its results change."""
PREPARE_VERSION = "19"
"""Of what it learns once a scene: raised whenever that changes."""
ANGLE = 0.1
"""Weight of the spectral-angle term of the VAE."""
KL = 1e-3
"""Weight of the Kullback-Leibler term of the VAE."""
SILENT = 0.15
"""Share of patches that are shown without a text, which guidance leads away from."""
SAID = 0.6
"""Share of the facts of a patch that its sentence says."""
CLIPPED = 0.35
"""Share of patches clipped by RPSC."""
PSEUDO_MOST = 1000
"""Pseudo-labelled pixels of a class that patches are cut round, at most."""
PSEUDO_SHARE = 0.8
"""Share of the pixels named after a class that is believed."""
LOG_SIGMA = (0.8, 1.5)
"""Mean and deviation of the logarithm of the noise level in training (Karras et al. 2022). What a
text says is decided at high levels, where the mean of a patch drowns in noise: a patch of 9×9
pixels takes 9 times the noise that a pixel takes.
"""
SIGMA_MOST = 20.0
"""Noise level that sampling starts at; latents of single pixels have deviation 1."""
SIGMA_LEAST = 0.03
"""Noise level of the last step of sampling."""
SHIPPED_LATENT = 40
"""Channels of the network that comes with hsiaug."""
SHIPPED_STEPS = 4000
"""Optimiser steps that it took on Indian Pines."""
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
        Patches per step, once a scene and in a split.
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
        width=24,
        depth=1,
        scene_batch=16,
        batch=16,
        scene_ema=0.9,
        ema=0.9,
        scene_rate=1e-2,
    ),
    "small": ModelSize(
        vae_width=128,
        vae_batch=512,
        width=64,
        depth=6,
        scene_batch=64,
        batch=48,
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
class CodecParams:
    """What the latents of a scene depend on, and which labels of pixels are believed."""

    size: str = param("small", "of the networks and batches", choices=tuple(SIZES), preparing=True)
    latent: int = param(
        SHIPPED_LATENT, "channels of the latent, at most one a band", low=1, preparing=True
    )
    vae_steps: int = param(200, "optimiser steps of the VAE on the scene", low=1, preparing=True)
    pseudo: bool = param(True, "use confident pseudo-labels of unlabelled pixels")
    weight: float = param(0.05, "sample weight of synthetic samples", low=0, sampling=True)

    @property
    def network(self) -> ModelSize:
        """The networks of ``size``."""
        return SIZES[self.size]


@dataclass(frozen=True)
class Txt2HsiParams(CodecParams):
    """None of these is public for the paper; all are this project's choice, made on selection
    splits of Indian Pines.

    Those of the scene are used once for all splits of it; see
    :meth:`hsiaug_builtin.txt2hsi.plugin.Txt2Hsi.prepare`.
    """

    scene_steps: int = param(
        0,
        "optimiser steps of the denoiser on the scene, without labels; 0 = the network that comes"
        f" with hsiaug, which learnt Indian Pines for {SHIPPED_STEPS}: 15 minutes of a core",
        low=0,
        preparing=True,
    )
    rpsc: bool = param(
        True, "set random polygons of other patches into training patches", preparing=True
    )
    lfue: bool = param(
        True, "sample the statistics of a patch first, from those of its class", sampling=True
    )
    text: str = param("both", f"how classes are named: {', '.join(MODES)}, or file:PROMPTS.toml")
    layout: bool = param(
        True, "sentences name neighbouring classes and where they are", preparing=True
    )
    encoder: str = param("minilm", "text encoder: minilm or openclip:MODEL@FILE")
    steps: int = param(0, "optimiser steps of the denoiser with the classes of a split", low=0)
    rate: float = param(2e-3, "peak learning rate of these", low=0)
    best_of: int = param(
        4,
        "samples that are made of each typed sentence; the one that shows most of what it says is"
        " kept",
        low=1,
        sampling=True,
        formerly="tries",
    )
    sample_steps: int = param(4, "denoising steps", low=2, sampling=True)

    def __post_init__(self) -> None:
        """Check the prompts and the encoder, and name files with their checksums. Raises InputError
        for an unknown kind and for a file of prompts that cannot be read, DataUnavailableError
        where there is no file of weights.
        """
        if not self.scene_steps:
            self._check_shipped_network_fits()
        object.__setattr__(self, "text", checked_mode(self.text))
        object.__setattr__(self, "encoder", checked_encoder(self.encoder))

    def _check_shipped_network_fits(self) -> None:
        """Raise InputError for what only a network has that learns the scene."""
        others = {
            "size": self.size != "small",
            "latent": self.latent > SHIPPED_LATENT,
            "rpsc": not self.rpsc,
            "layout": not self.layout,
        }
        for name, differs in others.items():
            if differs:
                raise InputError(
                    f"the network of txt2hsi that comes with hsiaug has another {name}",
                    value=str(getattr(self, name)),
                    hint=f"Learn the scene: --set txt2hsi.scene_steps={SHIPPED_STEPS},"
                    " 15 minutes of a core.",
                )
