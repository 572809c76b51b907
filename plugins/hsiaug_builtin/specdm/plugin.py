"""The generators of pairs: their cards, and where their parts are found."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hsiaug.api import Card, DenseView, Plugin, Progress
from hsiaug_builtin.specdm.params import (
    FAST,
    LARGE,
    PAPER,
    TINY_LOCAL,
    TINY_UNET,
    GaussianParams,
    LdmParams,
    MosaicParams,
    PaperParams,
    QuiltParams,
    SpecDmParams,
)

if TYPE_CHECKING:
    from hsiaug_builtin.specdm.codec import Codec
    from hsiaug_builtin.specdm.drawing import PairDrawing
    from hsiaug_builtin.specdm.fitted_pairs import FittedLatentPairs
    from hsiaug_builtin.specdm.gaussian_pairs import FittedGaussianPairs
    from hsiaug_builtin.specdm.learnt import FittedCascadePairs
    from hsiaug_builtin.specdm.losses import Losses
    from hsiaug_builtin.specdm.mosaics import FittedMosaics
    from hsiaug_builtin.specdm.prepare import PreparedImages, PreparedNothing, PreparedSpectra

SOURCE = """@misc{liu2025specdm, author={Wendi Liu and Pei Yang and Wenhui Hong and Xiaoguang Mei
and Jiayi Ma}, title={{SpecDM}: Hyperspectral Dataset Synthesis with Pixel-level Semantic
Annotations}, howpublished={arXiv:2502.17056}, year={2025}, eprint={2502.17056},
archiveprefix={arXiv}}"""

ALIKE: dict[str, Any] = {
    "tasks": ("segmentation", "change"),
    "guidance": 0.0,
    "uses_device": True,
    "resumes": True,
}
"""Fields of all cards."""


P = TypeVar("P", PaperParams, QuiltParams)


class _LatentDiffusion(Plugin[P]):
    """Shared by the generators whose denoiser is a U-Net: a codec of pairs, then a denoiser of its
    latents.
    """

    def _parts(self) -> tuple[type[FittedLatentPairs], type[Codec]]:
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
        prepared: Any = None,
    ) -> PairDrawing:
        """Train codec and denoiser; a training that was killed goes on from ``checkpoint``.

        Parameters
        ----------
        prepared : object
            The VAE of images, where that was learnt before.
        """
        from hsiaug_builtin.specdm.fit import fit_pairs
        from hsiaug_builtin.specdm.prepare import PreparedNothing

        fitted_class, codec_class = self._parts()
        learnt = fit_pairs(
            view,
            self.params,
            codec_class,
            self.losses(),
            prepared=None if isinstance(prepared, PreparedNothing) else prepared,
            seed=seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
        )
        return fitted_class.of(learnt, view)

    def load(self, folder: Path, *, device: str) -> PairDrawing:
        """Read a saved fit."""
        fitted_class, codec_class = self._parts()
        return fitted_class.restore(folder, self.params, codec_class, device)


Q = TypeVar("Q", bound=LdmParams)


class _CascadeDiffusion(Plugin[Q]):
    """Shared by ``specdm`` and ``ldm_single``: latents of single pixels, and a cascade of small
    networks from coarse cells to single pixels.
    """

    single = False
    """Whether one stream has both."""

    def losses(self) -> Losses:
        """The losses that the codec is trained by; a generator of your own replaces some."""
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
        prepared: Any = None,
    ) -> FittedCascadePairs:
        """Train codec and denoisers; a training that was killed goes on from ``checkpoint``.

        Parameters
        ----------
        prepared : object
            The stream of images, where that was learnt before.
        """
        from hsiaug_builtin.specdm.learnt import fit_cascade
        from hsiaug_builtin.specdm.prepare import PreparedImages
        from hsiaug_builtin.specdm.streams import PixelStream
        from hsiaug_builtin.specdm.training_pairs import PairRun

        images = prepared if isinstance(prepared, PreparedImages) else None
        stream = None if images is None else images.stream
        assert stream is None or isinstance(stream, PixelStream)
        run = PairRun.of(
            view,
            self.params,
            self.losses(),
            images=None if images is None else images.format,
            seed=seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
        )
        return fit_cascade(run, stream, single=self.single)

    def load(self, folder: Path, *, device: str) -> FittedCascadePairs:
        """Read a saved fit."""
        from hsiaug_builtin.specdm.learnt import FittedCascadePairs

        return FittedCascadePairs.restore(folder, self.params, device)


R = TypeVar("R", SpecDmParams, PaperParams)


class _ImageStream(Plugin[R]):
    """Shared by the generators with a stream of images, which is learnt by eq. 1 of the paper
    before any mask is read, of all tiles that training tiles are drawn among.
    """

    def losses(self) -> Losses:
        """The losses that the streams are trained by; a generator of your own replaces some."""
        from hsiaug_builtin.specdm.losses import Losses, spectral_l1

        return Losses(image=partial(spectral_l1, weight=self.params.sad))

    @property
    def _prepares(self) -> bool:
        """Whether the stream of images is learnt from other tiles than those of the split."""
        return self.params.tiles == "all"

    def prepare(
        self,
        view: DenseView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None = None,
    ) -> PreparedImages | PreparedNothing:
        """Learn the stream of images, of all tiles that training tiles are drawn among."""
        from hsiaug_builtin.specdm.prepare import PreparedNothing, learn_images

        if not self._prepares:
            return PreparedNothing()
        return learn_images(
            view,
            self.params,
            self.losses(),
            seed=seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
        )

    def load_prepared(self, folder: Path, *, device: str) -> PreparedImages | PreparedNothing:
        """Read what :meth:`prepare` saved."""
        from hsiaug_builtin.specdm.prepare import PreparedImages, PreparedNothing

        if not self._prepares:
            return PreparedNothing()
        return PreparedImages.restore(folder, type(self.params), device)


class SpecDm(_ImageStream[SpecDmParams], _CascadeDiffusion[SpecDmParams]):
    """Makes images with masks by one diffusion network of two latents, after SpecDM.

    The encoder of images is linear, and masks are one-hot (ours). Image and mask have a noise level
    each, so that the network samples both together, as in the paper (``masks=sampled``), or an
    image for a mask: by default that of a training tile, moved and turned to any angle. Then the
    spatial structure of masks is not new. Two dates are one input.
    """

    card = Card(
        name="specdm",
        version="18",
        summary="Images for masks, or both together, from one diffusion model, after SpecDM",
        paper=SOURCE
        + "; no code is public, and much of the configuration is this project's estimate",
        **ALIKE,
        seconds=180.0,
        prepares=True,
        prepare_seconds=10.0,
        params=SpecDmParams,
        presets={"tiny": {**TINY_LOCAL, "sample_steps": 6}, "fast": FAST},
    )


class LdmSingle(_CascadeDiffusion[LdmParams]):
    """Has one stream of image and one-hot mask together, with as many latent channels as SpecDM's
    two, and the same denoiser.
    """

    single = True
    card = Card(
        name="ldm_single",
        version="11",
        summary=(
            "Latent diffusion with one VAE for image and mask together, the baseline of the SpecDM"
            " paper"
        ),
        paper="the baseline of "
        + SOURCE
        + """, after @inproceedings{rombach2022ldm, author={Robin Rombach and Andreas Blattmann and
            Dominik Lorenz and Patrick Esser and Björn Ommer}, title={High-Resolution Image
            Synthesis with Latent Diffusion Models}, booktitle={IEEE/CVF Conference on Computer
            Vision and Pattern Recognition}, pages={10684--10695}, year={2022},
            doi={10.1109/CVPR52688.2022.01042}, eprint={2112.10752}, archiveprefix={arXiv}}""",
        **ALIKE,
        seconds=180.0,
        params=LdmParams,
        presets={"tiny": TINY_LOCAL, "fast": FAST},
    )


class SpecDmPaper(_ImageStream[PaperParams], _LatentDiffusion[PaperParams]):
    """The networks of the paper: a VAE of images (L1 + 0.1 · spectral angle), one of one-hot masks
    (cross-entropy), and a U-Net of their latents. ``streams=one`` is its baseline, one VAE of image
    and mask. Preset "paper" has the paper's choices.
    """

    card = Card(
        name="specdm-paper",
        version="1",
        summary="The VAEs and the U-Net of the SpecDM paper",
        paper=SOURCE
        + "; no code is public, and much of the configuration is this project's estimate",
        **ALIKE,
        seconds=300.0,
        prepares=True,
        prepare_seconds=30.0,
        params=PaperParams,
        presets={
            "tiny": {**TINY_UNET, "latent_image": 4, "latent_mask": 4, "image_steps": 5},
            "large": LARGE,
            "paper": PAPER,
        },
    )

    def _parts(self) -> tuple[type[FittedLatentPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import OneStream, TwoStream
        from hsiaug_builtin.specdm.fitted_pairs import FittedJointPairs

        return FittedJointPairs, OneStream if self.params.streams == "one" else TwoStream

    @property
    def _prepares(self) -> bool:
        return super()._prepares and self.params.streams == "two"


class Quilting(_LatentDiffusion[QuiltParams]):
    """Learns a VAE of masks and a denoiser of its latents, and quilts an image of real pixels for
    every mask that is drawn. Until version 9 of ``specdm`` this was its default.
    """

    card = Card(
        name="quilt",
        version="1",
        summary=("Training masks varied by latent diffusion, with images quilted from real pixels"),
        paper="masks after "
        + SOURCE
        + """, images after @inproceedings{efros2001quilting, author={Alexei A. Efros and William T.
            Freeman}, title={Image Quilting for Texture Synthesis and Transfer},
            booktitle={Proceedings of the 28th Annual Conference on Computer Graphics and
            Interactive Techniques}, pages={341--346}, year={2001}, doi={10.1145/383259.383296}}""",
        **ALIKE,
        seconds=60.0,
        params=QuiltParams,
        presets={"tiny": {**TINY_UNET, "light": 0.3}},
    )

    def _parts(self) -> tuple[type[FittedLatentPairs], type[Codec]]:
        from hsiaug_builtin.specdm.codec import MaskStream
        from hsiaug_builtin.specdm.quilted import FittedQuilt

        return FittedQuilt, MaskStream


class Mosaics(Plugin[MosaicParams]):
    """Puts pairs together of pieces of training pairs: the denoiser is no network, but the
    posterior mean over patches of training pairs, from coarse cells to single pixels. Its layout is
    new, and its pieces are pieces of training tiles. Until version 14 of ``specdm`` this was its
    default.
    """

    card = Card(
        name="mosaic",
        version="1",
        summary=(
            "Images with masks assembled from patches of training pairs by diffusion without a"
            " network"
        ),
        paper="""after @inproceedings{kamb2025analytic, author={Mason Kamb and Surya Ganguli},
            title={An Analytic Theory of Creativity in Convolutional Diffusion Models},
            booktitle={International Conference on Machine Learning}, year={2025},
            eprint={2412.20292}, archiveprefix={arXiv}}""",
        **ALIKE,
        seconds=5.0,
        prepares=True,
        prepare_seconds=5.0,
        params=MosaicParams,
        presets={"tiny": {"sample_steps": 6}},
    )

    def prepare(
        self,
        view: DenseView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None = None,
    ) -> PreparedSpectra:
        """Learn spectral components, of all tiles that training tiles are drawn among."""
        from hsiaug_builtin.specdm.pixel_components import SpectralComponents
        from hsiaug_builtin.specdm.prepare import PreparedSpectra

        return PreparedSpectra(SpectralComponents.of(view.real.images))

    def load_prepared(self, folder: Path, *, device: str) -> PreparedSpectra:
        """Read what :meth:`prepare` saved."""
        from hsiaug_builtin.specdm.prepare import PreparedSpectra

        return PreparedSpectra.restore(folder)

    def fit(
        self,
        view: DenseView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None = None,
        prepared: PreparedSpectra,
    ) -> FittedMosaics:
        """Keep the pairs, of whose patches others are made."""
        from hsiaug_builtin.specdm.mosaics import fit_mosaics

        return fit_mosaics(view, self.params, prepared.spectra, device, progress)

    def load(self, folder: Path, *, device: str) -> FittedMosaics:
        """Read a saved fit."""
        from hsiaug_builtin.specdm.mosaics import FittedMosaics

        return FittedMosaics.restore(folder, self.params, device)


class GaussianPairs(Plugin[GaussianParams]):
    """Draws every pixel from the Gaussian of its class, in the masks of training tiles: what
    diffusion of pairs has to beat.
    """

    card = Card(
        name="gaussian-pairs",
        version="1",
        summary=(
            "Baseline without diffusion: pixels from Gaussians of the classes in masks of training"
            " tiles"
        ),
        tasks=("segmentation", "change"),
        seconds=2.0,
        params=GaussianParams,
    )

    def fit(
        self,
        view: DenseView,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None = None,
    ) -> FittedGaussianPairs:
        """Take mean and covariance of each class."""
        from hsiaug_builtin.specdm.gaussian_pairs import fit_gaussians

        return fit_gaussians(view, self.params, progress)

    def load(self, folder: Path, *, device: str) -> FittedGaussianPairs:
        """Read a saved fit."""
        from hsiaug_builtin.specdm.gaussian_pairs import FittedGaussianPairs

        return FittedGaussianPairs.restore(folder, self.params)
