"""The generators ``specdm`` and ``ldm_single``: their cards, and where their training and their state are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.api import Card, DenseView, Plugin, Progress
from hsiaug_builtin.specdm.params import PAPER, TINY, Params, SpecDmParams

if TYPE_CHECKING:
    from hsiaug_builtin.specdm.codec import Codec
    from hsiaug_builtin.specdm.fitted import FittedPairs

SOURCE = """@misc{liu2025specdm, author={Wendi Liu and Pei Yang and Wenhui Hong and Xiaoguang Mei and Jiayi Ma},
title={{SpecDM}: Hyperspectral Dataset Synthesis with Pixel-level Semantic Annotations},
howpublished={arXiv:2502.17056}, year={2025}, eprint={2502.17056}, archiveprefix={arXiv}}"""

ALIKE: dict[str, Any] = {
    "tasks": ("segmentation", "change"),
    "guidance": 0.0,
    "uses_device": True,
    "resumes": True,
    "seconds": 500.0,
}
"""Fields of both cards."""


class _LatentDiffusion(Plugin[Params]):
    """Shared by both: a codec of pairs, then a denoiser of its latents."""

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        """The class of the fitted generator, and that of its codec."""
        raise NotImplementedError

    def fit(
        self, view: DenseView, *, seed: int, device: str, progress: Progress, checkpoint: Path | None = None
    ) -> FittedPairs:
        """Train codec and denoiser; a training that was killed goes on from ``checkpoint``."""
        from hsiaug_builtin.specdm.fit import learn

        fitted, codec = self._parts()
        learnt = learn(view, self.params, codec, seed, device, progress, checkpoint)
        return fitted.of(learnt, view)

    def load(self, folder: Path, *, device: str) -> FittedPairs:
        """Read a saved fit."""
        fitted, codec = self._parts()
        return fitted.restore(folder, self.params, codec, device)


class SpecDm(_LatentDiffusion):
    """Learns a VAE of masks and a denoiser of its latents, and quilts an image for every mask that is drawn (ours); or,
    with ``order=joint``, a denoiser of the joint latents of image and mask, as the paper does."""

    card = Card(
        name="specdm",
        version="9",
        summary="Two-stream latent diffusion of images with their masks, SpecDM, reimplemented",
        paper=SOURCE + "; no code is public, and much of the configuration is this project's estimate",
        **ALIKE,
        params=SpecDmParams,
        presets={
            "tiny": {**TINY, "light": 0.3},
            "paper": {**PAPER, "order": "joint"},
        },
    )

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import MaskStream, TwoStream
        from hsiaug_builtin.specdm.fitted import FittedPairs
        from hsiaug_builtin.specdm.mask_first import FittedMaskFirst

        assert isinstance(self.params, SpecDmParams)
        if self.params.order == "mask-first":
            return FittedMaskFirst, MaskStream
        return FittedPairs, TwoStream


class LdmSingle(_LatentDiffusion):
    """Learns one VAE of image and one-hot mask together, with as many latent channels as SpecDM's two, and a denoiser."""

    card = Card(
        name="ldm_single",
        version="5",
        summary="Single-stream latent diffusion of images with their masks, the baseline SpecDM is compared with",
        paper="the baseline of "
        + SOURCE
        + """, after @inproceedings{rombach2022ldm, author={Robin Rombach and Andreas
            Blattmann and Dominik Lorenz and Patrick Esser and Björn Ommer}, title={High-Resolution Image
            Synthesis with Latent Diffusion Models}, booktitle={IEEE/CVF Conference on Computer Vision and
            Pattern Recognition}, pages={10684--10695}, year={2022}, doi={10.1109/CVPR52688.2022.01042},
            eprint={2112.10752}, archiveprefix={arXiv}}""",
        **ALIKE,
        params=Params,
        presets={"tiny": {**TINY, "vae_steps": 25, "steps": 40}, "paper": PAPER},
    )

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import OneStream
        from hsiaug_builtin.specdm.fitted import FittedPairs

        return FittedPairs, OneStream
