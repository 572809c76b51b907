"""Networks that say what changed between two dates; each of them is in a file of :mod:`hsiaug_builtin.dense.nets`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hsiaug.api import Card, defaults, param
from hsiaug_builtin.dense.fitted import NetSegmenter
from hsiaug_builtin.dense.recipe import ChangeRecipe

__all__ = ["ChangeFormer", "FcSiamConc", "FcSiamDiff", "SiamCrnn"]


@dataclass(frozen=True)
class FcSiamParams(ChangeRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


ALIKE: dict[str, Any] = {
    "paper": """@inproceedings{daudt2018fcsiam, author={Rodrigo Caye Daudt and Bertrand Le Saux and Alexandre Boulch},
    title={Fully Convolutional {Siamese} Networks for Change Detection}, booktitle={IEEE International
    Conference on Image Processing}, pages={4063--4067}, year={2018}, doi={10.1109/ICIP.2018.8451652},
    eprint={1810.08462}, archiveprefix={arXiv}}""",
    "tasks": ("change",),
    "uses_device": True,
    "seconds": 70.0,
    "params": FcSiamParams,
    "presets": {"tiny": {"steps": 40, "width": 4}},
}
"""What both cards say."""


class _FcSiam(NetSegmenter[FcSiamParams]):
    """What both share. difference: |a − b| of the dates' features in the skip connections, in place of both."""

    difference: ClassVar[bool]

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_builtin.dense.nets.fc_siam import SiameseU

        return SiameseU(bands, self.params.width, self.difference, classes)


class FcSiamConc(_FcSiam):
    """A U-Net whose encoder sees each date by itself; skip connections carry the features of both.

    Levels, convolutions and channels are those of figure 1b of the paper, and the decoder starts from the second date,
    as in the authors' code. A band map comes first where there are more than 32 bands. Up-convolutions have kernels of
    2 in place of 3; each date loses its mean in the tile (``centre``), where the authors' code standardises whole
    images; the loss with Dice, AdamW and the lack of dropout are ours.
    """

    card = Card(
        name="fc-siam-conc",
        version="3",
        summary="FC-Siam-conc: siamese U-Net, features of both dates side by side",
        **ALIKE,
    )
    difference = False


class FcSiamDiff(_FcSiam):
    """A U-Net whose encoder sees each date by itself; skip connections carry |a − b| of their features.

    Figure 1c of the paper; what differs from it is as in :class:`FcSiamConc`.
    """

    card = Card(
        name="fc-siam-diff",
        version="3",
        summary="FC-Siam-diff: siamese U-Net, difference of both dates' features",
        **ALIKE,
    )
    difference = True


@dataclass(frozen=True)
class SiamCrnnParams(ChangeRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels of the first levels of the encoder; doubled with every further one", low=1)
    hidden: int = param(24, "channels of the recurrent states and of the decoder", low=1)


class SiamCrnn(NetSegmenter[SiamCrnnParams]):
    """A residual encoder for both dates; at each of four levels a convolutional LSTM reads the dates one by one.

    The paper's network labels the centre of a patch. This one follows the fully convolutional version in the authors'
    repository, which has these LSTMs and the pyramid that adds their last states from coarse to fine. It is smaller: 1
    residual block per level in place of ResNet-34 (SpecDM names ResNet-101), 24 hidden channels in place of 128; and
    it ends with features of both dates at full resolution in place of interpolated scores. A band map comes first where
    there are more than 32 bands.
    """

    card = Card(
        name="siamcrnn",
        version="3",
        summary="SiamCRNN-like: shared CNN, convolutional LSTMs over the two dates at four scales",
        paper="""After @article{chen2020siamcrnn, author={Hongruixuan Chen and Chen Wu and Bo Du and Liangpei Zhang
            and Le Wang}, title={Change Detection in Multisource {VHR} Images via Deep {Siamese} Convolutional
            Multiple-Layers Recurrent Neural Network}, journal={IEEE Transactions on Geoscience and Remote
            Sensing}, volume={58}, number={4}, pages={2848--2864}, year={2020},
            doi={10.1109/TGRS.2019.2956756}}""",
        tasks=("change",),
        uses_device=True,
        seconds=60.0,
        params=SiamCrnnParams,
        presets={"tiny": {"steps": 15, "batch": 4, "width": 4, "hidden": 8, "rate": 6e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_builtin.dense.nets.siamcrnn import SiameseRecurrent

        return SiameseRecurrent(bands, self.params.width, self.params.hidden, classes)


@dataclass(frozen=True)
@defaults(rate=1e-3)
class ChangeFormerParams(ChangeRecipe):
    """The recipe, and the network's size."""

    width: int = param(16, "channels of the first stage, a multiple of 8; doubled with every stage", low=8)
    depth: int = param(1, "transformer blocks per stage", low=1)


class ChangeFormer(NetSegmenter[ChangeFormerParams]):
    """Four stages of a shared transformer encoder, a difference module at each, an MLP decoder.

    Sections 2.1 to 2.3 of the paper: a difference module is two 3×3 convolutions of both dates' features, to which that
    of the next coarser stage is added; all are fused by a 1×1 convolution and enlarged by a transposed one. Differences:
    the encoder is transformers' SegFormer encoder, of which the paper's is a kin; its first stage halves the resolution
    in place of quartering it, so one transposed convolution is enough; 16 channels, doubled with every stage, and 1
    block per stage in place of 64 and 3 or more; no scores of the coarser stages in the loss. A band map comes first
    where there are more than 32 bands.
    """

    card = Card(
        name="changeformer",
        version="3",
        summary="ChangeFormer-like: shared hierarchical transformer, difference modules, MLP decoder",
        paper="""After @inproceedings{bandara2022changeformer, author={Wele Gedara Chaminda Bandara and Vishal M.
            Patel}, title={A Transformer-Based {Siamese} Network for Change Detection}, booktitle={IEEE
            International Geoscience and Remote Sensing Symposium}, pages={207--210}, year={2022},
            doi={10.1109/IGARSS46834.2022.9883686}, eprint={2201.01293}, archiveprefix={arXiv}}""",
        tasks=("change",),
        uses_device=True,
        seconds=60.0,
        params=ChangeFormerParams,
        presets={"tiny": {"steps": 15, "width": 8, "rate": 6e-3}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_builtin.dense.nets.changeformer import SiameseTransformer

        return SiameseTransformer(bands, self.params.width, self.params.depth, classes)
