"""The generators ``specdm``, ``ldm_single`` and ``quilt``: their cards, and where training and state are found."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.api import Card, DenseView, Plugin, Progress
from hsiaug_builtin.specdm.params import LARGE, PAPER, TINY, LatentParams, Params, QuiltParams, SpecDmParams

if TYPE_CHECKING:
    from hsiaug_builtin.specdm.codec import Codec
    from hsiaug_builtin.specdm.fitted import FittedPairs
    from hsiaug_builtin.specdm.losses import Losses
    from hsiaug_builtin.specdm.prepare import PreparedImages

SOURCE = """@misc{liu2025specdm, author={Wendi Liu and Pei Yang and Wenhui Hong and Xiaoguang Mei and Jiayi Ma},
title={{SpecDM}: Hyperspectral Dataset Synthesis with Pixel-level Semantic Annotations},
howpublished={arXiv:2502.17056}, year={2025}, eprint={2502.17056}, archiveprefix={arXiv}}"""

ALIKE: dict[str, Any] = {
    "tasks": ("segmentation", "change"),
    "guidance": 0.0,
    "uses_device": True,
    "resumes": True,
}
"""Fields of all cards."""


class _LatentDiffusion(Plugin[LatentParams]):
    """Shared by all: a codec of pairs, then a denoiser of its latents."""

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        """The class of the fitted generator, and that of its codec."""
        raise NotImplementedError

    def losses(self) -> Losses:
        """The losses that it is trained by; a generator of your own replaces some."""
        from hsiaug_builtin.specdm.losses import Losses

        return Losses()

    def fit(
        self,
        view: DenseView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None = None,
        prepared: PreparedImages | None = None,
    ) -> FittedPairs:
        """Train codec and denoiser; a training that was killed goes on from ``checkpoint``."""
        from hsiaug_builtin.specdm.fit import learn

        fitted, codec = self._parts()
        learnt = learn(view, self.params, codec, self.losses(), seed, device, progress, checkpoint, prepared)
        return fitted.of(learnt, view)

    def load(self, folder: Path, *, device: str) -> FittedPairs:
        """Read a saved fit."""
        fitted, codec = self._parts()
        return fitted.restore(folder, self.params, codec, device)


class SpecDm(_LatentDiffusion):
    """Learns a VAE of images (L1 + 0.1 · spectral angle), one of one-hot masks (cross-entropy), and a denoiser of their
    latents side by side. A pair is drawn from noise, and each half of it decoded by its own VAE; two dates are one input.

    The VAE of images is learnt once, without masks, on all tiles that a draw chooses among. VAEs start as the principal
    components of patches; latents of an image are in units of what is usual for the classes of its mask, and weighted by
    how much they change it; the denoiser predicts v and is told the share of each class: these are ours.
    """

    card = Card(
        name="specdm",
        version="13",
        summary="Two-stream latent diffusion of images with their masks, SpecDM, reimplemented",
        paper=SOURCE + "; no code is public, and much of the configuration is this project's estimate",
        **ALIKE,
        seconds=180.0,
        prepares=True,
        prepare_seconds=30.0,
        params=SpecDmParams,
        presets={
            "tiny": {**TINY, "latent_image": 4, "latent_mask": 4, "image_steps": 5},
            "large": {**LARGE, "image_steps": 1500},
            "paper": {**PAPER, "image_steps": 100000},
        },
    )

    def losses(self) -> Losses:
        from hsiaug_builtin.specdm.losses import Losses, spectral_l1

        assert isinstance(self.params, SpecDmParams)
        return Losses(image=partial(spectral_l1, weight=self.params.sad))

    def prepare(
        self, view: DenseView, *, seed: int, device: str, progress: Progress, checkpoint: Path | None = None
    ) -> PreparedImages:
        """Train the VAE of images on all tiles that training tiles are drawn among, without a mask."""
        from hsiaug_builtin.specdm.prepare import learn_images

        assert isinstance(self.params, SpecDmParams)
        return learn_images(view, self.params, self.losses(), seed, device, progress, checkpoint)

    def load_prepared(self, folder: Path, *, device: str) -> PreparedImages:
        """Read what :meth:`prepare` saved."""
        from hsiaug_builtin.specdm.prepare import PreparedImages

        return PreparedImages.restore(folder, device)

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import TwoStream
        from hsiaug_builtin.specdm.fitted import FittedPairs

        return FittedPairs, TwoStream


class LdmSingle(_LatentDiffusion):
    """Learns one VAE of image and one-hot mask together, with as many latent channels as SpecDM's two, and a denoiser."""

    card = Card(
        name="ldm_single",
        version="7",
        summary="Single-stream latent diffusion of images with their masks, the baseline SpecDM is compared with",
        paper="the baseline of "
        + SOURCE
        + """, after @inproceedings{rombach2022ldm, author={Robin Rombach and Andreas
            Blattmann and Dominik Lorenz and Patrick Esser and Björn Ommer}, title={High-Resolution Image
            Synthesis with Latent Diffusion Models}, booktitle={IEEE/CVF Conference on Computer Vision and
            Pattern Recognition}, pages={10684--10695}, year={2022}, doi={10.1109/CVPR52688.2022.01042},
            eprint={2112.10752}, archiveprefix={arXiv}}""",
        **ALIKE,
        seconds=180.0,
        params=Params,
        presets={"tiny": {**TINY, "latent_image": 4, "latent_mask": 4}, "large": LARGE, "paper": PAPER},
    )

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import OneStream
        from hsiaug_builtin.specdm.fitted import FittedPairs

        return FittedPairs, OneStream


class Quilting(_LatentDiffusion):
    """Learns a VAE of masks and a denoiser of its latents, and quilts an image of real pixels for every mask that is
    drawn. Until version 9 of ``specdm`` this was its default."""

    card = Card(
        name="quilt",
        version="1",
        summary="Masks by latent diffusion from those of training tiles, images quilted of real pixels for them",
        paper="masks after "
        + SOURCE
        + """, images after @inproceedings{efros2001quilting, author={Alexei A. Efros and William T. Freeman},
            title={Image Quilting for Texture Synthesis and Transfer}, booktitle={Proceedings of the 28th Annual
            Conference on Computer Graphics and Interactive Techniques}, pages={341--346}, year={2001},
            doi={10.1145/383259.383296}}""",
        **ALIKE,
        seconds=60.0,
        params=QuiltParams,
        presets={"tiny": {**TINY, "light": 0.3}},
    )

    def _parts(self) -> tuple[type[FittedPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import MaskStream
        from hsiaug_builtin.specdm.quilted import FittedQuilt

        return FittedQuilt, MaskStream
