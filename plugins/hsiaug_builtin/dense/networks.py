"""Networks that label every pixel of a tile, or what changed between two;
:mod:`hsiaug_builtin.dense.nets` has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.api import Card, InputError, defaults, param
from hsiaug_builtin.dense.inputs import RANDOM, DenseRecipe, checked_weights, weights_param
from hsiaug_builtin.dense.segmenter_fits import NetSegmenter

if TYPE_CHECKING:
    from hsiaug_builtin.dense.nets import TileNet


@dataclass(frozen=True)
@defaults(steps=1000)
class UnetParams(DenseRecipe):
    """The recipe, and the network's size. After 400 steps, as many as of the others, neither real
    nor synthetic tiles are learnt: selection splits 100 to 102 of Houston give 28 mIoU then, and 31
    after 1,000.
    """

    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


class Unet(NetSegmenter[UnetParams]):
    """Encoder and decoder of four levels, joined by skip connections.

    A learned 1×1 layer comes first, which makes the 3×3 convolutions independent of the number of
    bands. As in figure 1 of the paper there are two convolutions per level, pooling by maximum and
    up-convolutions of 2×2; four levels in place of five, 16 channels in place of 64, padded
    convolutions and batch normalisation are ours, as are AdamW and the drawing of batches.
    """

    card = Card(
        name="unet",
        version="2",
        summary="U-Net on learnt band combinations",
        paper="""After @inproceedings{ronneberger2015unet, author={Olaf Ronneberger and Philipp
            Fischer and Thomas Brox}, title={{U-Net}: Convolutional Networks for Biomedical Image
            Segmentation}, booktitle={Medical Image Computing and Computer-Assisted Intervention
            (MICCAI)}, pages={234--241}, year={2015}, doi={10.1007/978-3-319-24574-4_28},
            eprint={1505.04597}, archiveprefix={arXiv}}""",
        tasks=("segmentation",),
        uses_device=True,
        seconds=45.0,
        params=UnetParams,
        presets={"tiny": {"steps": 18, "width": 8, "rate": 3e-3}},
    )

    def network(self, bands: int, classes: int) -> TileNet:
        from hsiaug_builtin.dense.nets import UShaped

        return UShaped(bands, self.params.width, classes)


ENCODER_SIZES = ("b0", "b1", "b2", "b3", "b4", "b5")
"""Of the encoder of SegFormer."""


@dataclass(frozen=True)
@defaults(rate=1e-3)
class EncoderParams(DenseRecipe):
    """The recipe, how many channels the bands are mapped to, what the encoder begins with, and what
    the path for single pixels learns from.
    """

    channels: int = param(64, "channels that the bands are mapped to", low=1)
    weights: str = weights_param()
    single: str = param(
        "real",
        "training pixels of the branch for single pixels: real, all (also synthetic), or"
        " none = no such branch",
        choices=("real", "all", "none"),
        added=True,
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", checked_weights(self.weights))


def _context_and_pixel(
    params: EncoderParams, bands: int, classes: int, architecture: str, encoder: str
) -> TileNet:
    """A network of segmentation-models-pytorch behind a band map, beside a path for single
    pixels.
    """
    from hsiaug_builtin.dense.nets import ContextAndPixel

    return ContextAndPixel(
        bands,
        params.channels,
        classes,
        architecture,
        encoder,
        params.weights,
        single=params.single != "none",
    )


@dataclass(frozen=True)
class SegformerParams(EncoderParams):
    """The same, and which size."""

    size: str = param("b0", "of the encoder", choices=ENCODER_SIZES, added=True)


class Segformer(NetSegmenter[SegformerParams]):
    """The SegFormer of segmentation-models-pytorch behind a learned 1×1 layer; by default of size
    B0, with random weights.

    SpecDM (Liu et al., arXiv:2502.17056) has such a layer before a published SegFormer-B5. Encoder
    and decoder are those of sections 3.1 and 3.2 of the paper. Three 1×1 layers beside it, trained
    for as many steps on single pixels, name each by its unit-norm spectrum alone, and the shares of
    both are multiplied: a hyperspectral pixel tells much by itself, and the decoder ends at a
    quarter of the resolution.

    This path learns from real pixels alone: of synthetic tiles it learns only classes that no real
    tile shows. So synthetic tiles change the network of tiles, and not this path. With
    ``single=all`` it learns from both, with ``single=none`` there is none. The path, spectra of
    unit norm as further bands, the rate and the lack of pretraining are ours.
    """

    card = Card(
        name="segformer",
        version="8",
        summary=(
            "SegFormer-B0 with random weights on learnt band combinations, plus a branch for"
            " single pixels"
        ),
        paper="""After @inproceedings{xie2021segformer, author={Enze Xie and Wenhai Wang and Zhiding
            Yu and Anima Anandkumar and Jose M. Alvarez and Ping Luo}, title={{SegFormer}: Simple
            and Efficient Design for Semantic Segmentation with Transformers}, booktitle={Advances
            in Neural Information Processing Systems 34}, year={2021}, eprint={2105.15203},
            archiveprefix={arXiv}}""",
        tasks=("segmentation",),
        uses_device=True,
        seconds=60.0,
        params=SegformerParams,
        presets={"tiny": {"steps": 10, "channels": 16, "rate": 6e-3, "batch": 4}},
    )

    unit = True

    def network(self, bands: int, classes: int) -> TileNet:
        encoder = f"mit_{self.params.size}"
        return _context_and_pixel(self.params, bands, classes, "segformer", encoder)


NETWORKS, ENCODER = ("unet", "fpn", "deeplabv3plus", "upernet"), "resnet18"
"""Networks of segmentation-models-pytorch that ``smp`` offers, and the encoder that they are given.
"""


@dataclass(frozen=True)
class SmpParams(EncoderParams):
    """The same, and which network."""

    network: str = param("fpn", "of segmentation-models-pytorch", choices=NETWORKS)
    encoder: str = param(
        ENCODER,
        "of segmentation-models-pytorch, as resnet50, or tu-NAME of timm",
        added=True,
    )


class Smp(NetSegmenter[SmpParams]):
    """U-Net, FPN, DeepLabV3+ or UPerNet with a ResNet-18 of random weights; all else as
    ``segformer``.

    ``smp:upernet`` stands where SpecDM has PFSegNet (PointFlow): both set pooling over grids of
    several sizes on top of the encoder, and a feature pyramid below. The modules that carry points
    along edges from level to level are PFSegNet's alone, so its scores are not those of that paper.
    """

    card = Card(
        name="smp",
        version="4",
        summary=(
            "A network of segmentation-models-pytorch, plus a branch for single pixels, as"
            f" smp:NAME; {', '.join(NETWORKS)}"
        ),
        paper="""@misc{iakubovskii2019smp, author={Pavel Iakubovskii}, title={Segmentation Models
            Pytorch}, howpublished={Software}, year={2019},
            url={https://github.com/qubvel-org/segmentation_models.pytorch}}; each network has its
            own source""",
        variant="network",
        tasks=("segmentation",),
        uses_device=True,
        seconds=60.0,
        params=SmpParams,
        presets={
            "tiny": {
                "steps": 20,
                "channels": 16,
                "rate": 6e-3,
                "batch": 4,
                "encoder": "tu-test_resnet",
            },
        },
    )

    unit = True

    def network(self, bands: int, classes: int) -> TileNet:
        params = self.params
        return _context_and_pixel(params, bands, classes, params.network, params.encoder)


@dataclass(frozen=True)
@defaults(steps=300, class_weights=True, dice=1.0)
class ChangeRecipe(DenseRecipe):
    """The recipe, with losses for few pixels and dates and places brought to one light.

    ``centre`` was chosen on OSCD's training cities alone, ``benchmarks/change_centre.py``.
    """

    centre: bool = param(
        True,
        "take each band's mean off each date of each tile: season and haze differ between dates and"
        " places",
    )


@dataclass(frozen=True)
class FcSiamParams(ChangeRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


class FcSiamDiff(NetSegmenter[FcSiamParams]):
    """A U-Net whose encoder sees each date by itself; skip connections carry |a − b| of their
    features.

    Levels, convolutions and channels are those of figure 1c of the paper, and the decoder starts
    from the second date, as in the authors' code. A band map comes first where there are more than
    32 bands. Up-convolutions have kernels of 2 in place of 3; each date loses its mean in the tile
    (``centre``), where the authors' code standardises whole images; the loss with Dice, AdamW and
    the lack of dropout are ours.
    """

    card = Card(
        name="fc-siam-diff",
        version="3",
        summary="FC-Siam-diff: siamese U-Net, difference of both dates' features",
        paper="""@inproceedings{daudt2018fcsiam, author={Rodrigo Caye Daudt and Bertrand Le Saux and
            Alexandre Boulch}, title={Fully Convolutional {Siamese} Networks for Change Detection},
            booktitle={IEEE International Conference on Image Processing}, pages={4063--4067},
            year={2018}, doi={10.1109/ICIP.2018.8451652}, eprint={1810.08462},
            archiveprefix={arXiv}}""",
        tasks=("change",),
        uses_device=True,
        seconds=70.0,
        params=FcSiamParams,
        presets={"tiny": {"steps": 25, "batch": 4, "width": 4, "rate": 6e-3}},
    )

    def network(self, bands: int, classes: int) -> TileNet:
        from hsiaug_builtin.dense.nets import SiameseU

        return SiameseU(bands, self.params.width, classes)


@dataclass(frozen=True)
class SiamCrnnParams(ChangeRecipe):
    """The recipe, and the network's size."""

    width: int = param(
        16, "channels of the first levels of the encoder; doubled with every further one", low=1
    )
    hidden: int = param(24, "channels of the recurrent states and of the decoder", low=1)
    encoder: str = param(
        "",
        "in place of the small one here, one of segmentation-models-pytorch, as resnet101, or"
        " tu-NAME of timm",
        added=True,
    )
    weights: str = weights_param()

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", checked_weights(self.weights))
        if self.weights != RANDOM and not self.encoder:
            raise InputError(
                "`siamcrnn.weights` needs an encoder that they are of",
                value=repr(self.weights),
                hint="Add --set siamcrnn.encoder=resnet101.",
            )


class SiamCrnn(NetSegmenter[SiamCrnnParams]):
    """A residual encoder for both dates; at each of four levels a convolutional LSTM reads the
    dates one by one.

    The paper's network (section III) labels the centre of a patch. This one follows the fully
    convolutional version in the authors' repository, which has these LSTMs and the pyramid that
    adds their last states from coarse to fine. It is smaller: 1 residual block per level in
    place of ResNet-34, 24 hidden channels in place of 128; and it ends with features of both
    dates at full resolution in place of interpolated scores. A band map comes first where there
    are more than 32 bands. ``encoder=resnet101`` is the encoder of SpecDM's experiments.
    """

    card = Card(
        name="siamcrnn",
        version="4",
        summary="SiamCRNN-like: shared CNN, convolutional LSTMs over the two dates at four scales",
        paper="""After @article{chen2020siamcrnn, author={Hongruixuan Chen and Chen Wu and Bo Du and
            Liangpei Zhang and Le Wang}, title={Change Detection in Multisource {VHR} Images via
            Deep {Siamese} Convolutional Multiple-Layers Recurrent Neural Network}, journal={IEEE
            Transactions on Geoscience and Remote Sensing}, volume={58}, number={4},
            pages={2848--2864}, year={2020}, doi={10.1109/TGRS.2019.2956756}}""",
        tasks=("change",),
        uses_device=True,
        seconds=60.0,
        params=SiamCrnnParams,
        presets={"tiny": {"steps": 15, "batch": 4, "width": 4, "hidden": 8, "rate": 6e-3}},
    )

    def network(self, bands: int, classes: int) -> TileNet:
        from hsiaug_builtin.dense.nets import SiameseRecurrent

        params = self.params
        return SiameseRecurrent(
            bands, params.width, params.hidden, classes, params.encoder, params.weights
        )


@dataclass(frozen=True)
@defaults(rate=1e-3)
class ChangeFormerParams(ChangeRecipe):
    """The recipe, and the size of the decoder."""

    width: int = param(32, "channels of the difference modules and of the decoder", low=1)
    stages: int = param(
        4, "of the encoder, the first at a quarter of the resolution", low=1, high=4
    )
    size: str = param("b0", "of the encoder", choices=ENCODER_SIZES, added=True)
    weights: str = weights_param()

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", checked_weights(self.weights))


class ChangeFormer(NetSegmenter[ChangeFormerParams]):
    """Four stages of a shared transformer encoder, a difference module at each, an MLP decoder.

    Sections 2.1 to 2.3 of the paper: a difference module is two 3×3 convolutions of both dates'
    features, to which that of the next coarser stage is added; all are fused by a 1×1 convolution
    and enlarged by two transposed ones with residual blocks. Differences: the encoder is that of
    SegFormer-B0 in segmentation-models-pytorch, of which the paper's is a kin, with 32 channels and
    2 blocks at the first stage in place of 64 and 3; the last convolution also reads a 3×3 one of
    both dates at full resolution; no scores of the coarser stages in the loss. A band map comes
    first where there are more than 64 bands.
    """

    card = Card(
        name="changeformer",
        version="4",
        summary=(
            "ChangeFormer-like: shared hierarchical transformer, difference modules, MLP decoder"
        ),
        paper="""After @inproceedings{bandara2022changeformer, author={Wele Gedara Chaminda Bandara
            and Vishal M. Patel}, title={A Transformer-Based {Siamese} Network for Change
            Detection}, booktitle={IEEE International Geoscience and Remote Sensing Symposium},
            pages={207--210}, year={2022}, doi={10.1109/IGARSS46834.2022.9883686},
            eprint={2201.01293}, archiveprefix={arXiv}}""",
        tasks=("change",),
        uses_device=True,
        seconds=60.0,
        params=ChangeFormerParams,
        presets={"tiny": {"steps": 25, "rate": 6e-3, "batch": 4, "width": 16, "stages": 1}},
    )

    def network(self, bands: int, classes: int) -> TileNet:
        from hsiaug_builtin.dense.nets import SiameseTransformer

        params = self.params
        encoder = f"mit_{params.size}"
        return SiameseTransformer(
            bands, params.width, params.stages, classes, encoder, params.weights
        )
