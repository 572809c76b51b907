"""Networks that label every pixel of a tile; each of them is in a file of :mod:`hsiaug_builtin.dense.nets`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, defaults, param
from hsiaug_builtin.dense.fitted import NetSegmenter
from hsiaug_builtin.dense.recipe import DenseRecipe

__all__ = ["Fpn", "Segformer", "Unet"]


@dataclass(frozen=True)
@defaults(steps=1000)
class UnetParams(DenseRecipe):
    """The recipe, and the network's size. After 400 steps, as many as of the others, neither real nor synthetic tiles
    are learnt: selection draws 100 to 102 of Houston give 28 mIoU then, and 31 after 1,000."""

    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


class Unet(NetSegmenter[UnetParams]):
    """Encoder and decoder of four levels, joined by skip connections.

    A learned 1×1 layer comes first, which makes the 3×3 convolutions independent of the number of bands. As in figure
    1 of the paper there are two convolutions per level, pooling by maximum and up-convolutions of 2×2; four levels in
    place of five, 16 channels in place of 64, padded convolutions and batch normalisation are ours, as are AdamW and
    the draw of batches.
    """

    card = Card(
        name="unet",
        version="2",
        summary="U-Net behind a learned band map",
        paper="""After @inproceedings{ronneberger2015unet, author={Olaf Ronneberger and Philipp Fischer and Thomas
            Brox}, title={{U-Net}: Convolutional Networks for Biomedical Image Segmentation},
            booktitle={Medical Image Computing and Computer-Assisted Intervention (MICCAI)}, pages={234--241},
            year={2015}, doi={10.1007/978-3-319-24574-4_28}, eprint={1505.04597}, archiveprefix={arXiv}}""",
        tasks=("segmentation",),
        uses_device=True,
        seconds=45.0,
        params=UnetParams,
        presets={"tiny": {"steps": 18, "width": 8, "rate": 3e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_builtin.dense.nets.unet import UShaped

        return UShaped(bands, self.params.width, classes)


@dataclass(frozen=True)
class FpnParams(DenseRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels of the encoder at full resolution; doubled with every level", low=1)
    pyramid: int = param(32, "channels of every level of the pyramid", low=1)


class Fpn(NetSegmenter[FpnParams]):
    """Residual encoder, top-down pyramid, sum of its smoothed levels.

    Stands in for PFSegNet (Li et al., PointFlow, CVPR 2021, arXiv:2103.06564), the second segmenter of SpecDM's
    experiments, which is a feature pyramid too: there, semantics flow from a level to the next finer one along salient
    points and borders, here everywhere, as in the semantic branch of Kirillov et al. (section 3.1, figure 3). A learned
    1×1 layer maps the bands; the encoder has one residual block per level, no reduction before the first, and no
    published weights.
    """

    card = Card(
        name="fpn",
        version="2",
        summary="Feature pyramid on a small ResNet behind a learned band map; stands in for PFSegNet",
        paper="""After @inproceedings{kirillov2019fpn, author={Alexander Kirillov and Ross Girshick and Kaiming He
            and Piotr Dollár}, title={Panoptic Feature Pyramid Networks}, booktitle={IEEE/CVF Conference on
            Computer Vision and Pattern Recognition}, pages={6399--6408}, year={2019},
            doi={10.1109/CVPR.2019.00656}, eprint={1901.02446}, archiveprefix={arXiv}}""",
        tasks=("segmentation",),
        uses_device=True,
        seconds=20.0,
        params=FpnParams,
        presets={"tiny": {"steps": 30, "width": 8, "pyramid": 16, "rate": 3e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_builtin.dense.nets.fpn import Pyramid

        return Pyramid(bands, self.params.width, self.params.pyramid, classes)


@dataclass(frozen=True)
@defaults(rate=1e-3)
class SegformerParams(DenseRecipe):
    """The recipe, and the network's size; a published checkpoint brings its own size."""

    channels: int = param(32, "channels that the bands are mapped to", low=1)
    width: int = param(32, "channels of the first stage, a multiple of 8; doubled with every stage", low=8)
    depth: int = param(1, "transformer blocks per stage", low=1)
    pretrained: str = param(
        "",
        "Hugging Face name of published SegFormer weights, as nvidia/mit-b0, or a folder with them; empty = random",
    )


class Segformer(NetSegmenter[SegformerParams]):
    """transformers' SegFormer; a learned 1×1 layer maps the bands to its input channels.

    So does SpecDM (Liu et al., arXiv:2502.17056) before a published SegFormer-B5 with 3 channels. Without
    ``pretrained`` the network is small and its weights are random; its first stage then halves the resolution where the
    paper's quarters it (table 6), because tiles of 32 pixels would leave too little. With ``pretrained`` size, strides
    and the 3 channels are the checkpoint's; only its last layer is new.

    Published weights that are not on this machine and cannot be had raise DataUnavailableError within seconds; random
    ones never take their place.
    """

    card = Card(
        name="segformer",
        version="2",
        summary="SegFormer behind a learned band map; small and random, or published weights by pretrained=NAME",
        paper="""@inproceedings{xie2021segformer, author={Enze Xie and Wenhai Wang and Zhiding Yu and Anima
            Anandkumar and Jose M. Alvarez and Ping Luo}, title={{SegFormer}: Simple and Efficient Design for
            Semantic Segmentation with Transformers}, booktitle={Advances in Neural Information Processing
            Systems 34}, year={2021}, eprint={2105.15203}, archiveprefix={arXiv}}""",
        tasks=("segmentation",),
        uses_device=True,
        seconds=25.0,
        params=SegformerParams,
        presets={"tiny": {"steps": 30, "width": 16, "channels": 16, "rate": 6e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_builtin.dense.checkpoint import checkpoint_folder

        own = self.params
        folder = checkpoint_folder(own.pretrained) if own.pretrained else None

        # Only now, as it takes seconds: weights that cannot be had are said first.
        from hsiaug_builtin.dense.nets.segformer import MappedSegformer, published_former, random_former

        if folder is not None:
            return MappedSegformer(bands, published_former(folder, classes))
        return MappedSegformer(bands, random_former(own.channels, own.width, own.depth, classes))
