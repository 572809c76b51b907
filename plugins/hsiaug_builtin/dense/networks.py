"""Networks that label every pixel of a tile, or what changed between two; :mod:`hsiaug_builtin.dense.nets` has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.api import Card, defaults, param
from hsiaug_builtin.dense.fitted import NetSegmenter
from hsiaug_builtin.dense.inputs import DenseRecipe

if TYPE_CHECKING:
    from hsiaug_builtin.dense.nets import TileNet


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

    def network(self, bands: int, classes: int) -> TileNet:
        from hsiaug_builtin.dense.nets import UShaped

        return UShaped(bands, self.params.width, classes)


@dataclass(frozen=True)
@defaults(steps=300, class_weights=True, dice=1.0)
class FcSiamParams(DenseRecipe):
    """The recipe, with losses for few pixels and dates and places brought to one light; and the network's size.

    ``centre`` was chosen on OSCD's training cities alone, ``benchmarks/change_centre.py``.
    """

    centre: bool = param(
        True, "take each band's mean off each date of each tile: season and haze differ between dates and places"
    )
    width: int = param(16, "channels at full resolution; doubled with every level", low=1)


class FcSiamDiff(NetSegmenter[FcSiamParams]):
    """A U-Net whose encoder sees each date by itself; skip connections carry |a − b| of their features.

    Levels, convolutions and channels are those of figure 1c of the paper, and the decoder starts from the second date,
    as in the authors' code. A band map comes first where there are more than 32 bands. Up-convolutions have kernels of
    2 in place of 3; each date loses its mean in the tile (``centre``), where the authors' code standardises whole
    images; the loss with Dice, AdamW and the lack of dropout are ours.
    """

    card = Card(
        name="fc-siam-diff",
        version="3",
        summary="FC-Siam-diff: siamese U-Net, difference of both dates' features",
        paper="""@inproceedings{daudt2018fcsiam, author={Rodrigo Caye Daudt and Bertrand Le Saux and Alexandre Boulch},
            title={Fully Convolutional {Siamese} Networks for Change Detection}, booktitle={IEEE International
            Conference on Image Processing}, pages={4063--4067}, year={2018}, doi={10.1109/ICIP.2018.8451652},
            eprint={1810.08462}, archiveprefix={arXiv}}""",
        tasks=("change",),
        uses_device=True,
        seconds=70.0,
        params=FcSiamParams,
        presets={"tiny": {"steps": 40, "width": 4}},
    )

    def network(self, bands: int, classes: int) -> TileNet:
        from hsiaug_builtin.dense.nets import SiameseU

        return SiameseU(bands, self.params.width, classes)
