"""Networks of patches, from spectra to transformers; they are in
:mod:`hsiaug_builtin.classifiers.nets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.api import Card, defaults, param
from hsiaug_builtin.nets.fitted import NetClassifier
from hsiaug_builtin.nets.recipe import AUGMENTS, Recipe

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Cnn1d", "Cnn2d", "Cnn3d", "HybridSn", "SpectralFormer", "Ssrn"]


@dataclass(frozen=True)
class Cnn1dParams(Recipe):
    """The recipe, and the network's size."""

    width: int = param(20, "kernels of the convolution", low=1)
    hidden: int = param(100, "units of the hidden linear layer", low=1)
    augment: str = param(
        "none",
        "online augmentation: none, weak (gain, offset) or strong (also noise, dropped bands)",
        choices=AUGMENTS,
    )


class Cnn1d(NetClassifier[Cnn1dParams]):
    """One convolution along the z-scored bands, max pooling, two linear layers.

    After Hu et al.: 20 kernels of length ⌈B/9⌉, pooling to about 40 positions, 100 hidden units.
    Theirs is trained by plain gradient descent with tanh units on spectra scaled to [-1, 1]; batch
    normalisation, ReLU, AdamW and z-scores are ours.
    """

    card = Card(
        name="cnn1d",
        version="1",
        summary="1D-CNN on the centre spectrum",
        paper="""After @article{hu2015cnn1d, author={Wei Hu and Yangyu Huang and Li Wei and Fan
            Zhang and Hengchao Li}, title={Deep Convolutional Neural Networks for Hyperspectral
            Image Classification}, journal={Journal of Sensors}, year={2015},
            doi={10.1155/2015/258619}}""",
        input="spectrum",
        uses_device=True,
        seconds=3.0,
        params=Cnn1dParams,
        presets={"tiny": {"steps": 60}},
    )

    def network(self, bands: int, side: int, classes: int) -> nn.Module:
        from hsiaug_builtin.classifiers.nets import Net1d

        return Net1d(bands, self.params.width, self.params.hidden, classes)


@dataclass(frozen=True)
@defaults(steps=300)
class Cnn2dParams(Recipe):
    """The recipe, and the network's size."""

    components: int = param(30, "principal components that the network sees", low=1)
    width: int = param(48, "channels of both convolutions", low=1)


class Cnn2d(NetClassifier[Cnn2dParams]):
    """Two 3×3 convolutions without padding, batch normalisation, the mean over the patch, one
    linear layer.

    The input is the patch in whitened principal components of the pixels that the train view shows.
    Trained by AdamW for a fixed number of steps on cross-entropy; batches are drawn from all
    samples, each as often as its weight says, so balance is left to the generator and λ. Patches
    are turned and mirrored (8 symmetries). The same seed gives the same weights on one CPU; on a
    GPU up to rounding. Like the network of the paper it reads components of a patch by two
    convolutions; normalisation, pooling by the mean, AdamW and the symmetries are ours.
    """

    card = Card(
        name="cnn2d",
        version="3",
        summary="Small 2D-CNN on principal components of the patch",
        paper="""After @inproceedings{makantasis2015cnn2d, author={Konstantinos Makantasis and
            Konstantinos Karantzalos and Anastasios Doulamis and Nikolaos Doulamis}, title={Deep
            Supervised Learning for Hyperspectral Data Classification through Convolutional Neural
            Networks}, booktitle={IEEE International Geoscience and Remote Sensing Symposium},
            year={2015}, doi={10.1109/IGARSS.2015.7326945}}""",
        uses_device=True,
        seconds=3.0,
        params=Cnn2dParams,
        presets={"tiny": {"steps": 40, "width": 16, "components": 8}},
    )

    def network(self, components: int, side: int, classes: int) -> nn.Module:
        from hsiaug_builtin.nets.blocks import Net2d

        return Net2d(components, self.params.width, classes)


@dataclass(frozen=True)
@defaults(steps=800, batch=32, rate=1e-3)
class Cnn3dParams(Recipe):
    """The recipe, and the network's size."""

    width: int = param(8, "kernels of the first convolution; the second has twice as many", low=1)


class Cnn3d(NetClassifier[Cnn3dParams]):
    """Two 3D convolutions, 7×3×3 and 3×3×3, over the z-scored bands of the central 5×5 pixels; one
    linear layer.

    After Li, Zhang and Shen, whose window of 5×5 pixels, kernels, and lack of pooling it keeps.
    Theirs has 2 and then 4 kernels and a hidden linear layer, and is trained by gradient descent;
    more kernels, batch normalisation, AdamW and the symmetries are ours.
    """

    card = Card(
        name="cnn3d",
        version="1",
        summary="3D-CNN on the bands of the central 5×5 pixels",
        paper="""After @article{li2017cnn3d, author={Ying Li and Haokui Zhang and Qiang Shen},
            title={Spectral-Spatial Classification of Hyperspectral Imagery with {3D} Convolutional
            Neural Network}, journal={Remote Sensing}, volume={9}, number={1}, pages={67},
            year={2017}, doi={10.3390/rs9010067}}""",
        uses_device=True,
        seconds=15.0,
        params=Cnn3dParams,
        presets={"tiny": {"steps": 40, "width": 4, "rate": 3e-3}},
    )

    def network(self, bands: int, side: int, classes: int) -> nn.Module:
        from hsiaug_builtin.classifiers.nets import Net3d

        return Net3d(bands, side, self.params.width, classes)


@dataclass(frozen=True)
@defaults(steps=450, rate=5e-3)
class HybridSnParams(Recipe):
    """The recipe, and the network's size."""

    components: int = param(20, "principal components that the network sees", low=1)
    width: int = param(64, "kernels of the 2D convolution", low=1)
    augment: str = param(
        "weak", "online augmentation, as hsiaug_builtin.nets.views has them", choices=AUGMENTS
    )


class HybridSn(NetClassifier[HybridSnParams]):
    """Three 3D convolutions (8, 16, 32 kernels of 7, 5, 3 × 3×3), one 2D (64 of 3×3), the mean, one
    linear layer.

    The convolutions, their order and the whitened components are those of Roy et al. (table I, and
    their published code). The paper reads 30 components of a window of 25×25 and ends in two hidden
    layers with dropout. Within the budget of steps on a patch of 9×9 these layers fall short (OA
    .92 in place of .95 in tuning on Indian Pines, random:0.05), so here there are 20 components,
    the first two convolutions are padded by one pixel and a mean over the patch takes the hidden
    layers' place. Batch normalisation, AdamW and weak views (symmetries, gain, offset) are ours.
    """

    card = Card(
        name="hybridsn",
        version="1",
        summary="HybridSN: 3D, then 2D convolutions on principal components of the patch",
        paper="""@article{roy2020hybridsn, author={Swalpa Kumar Roy and Gopal Krishna and Shiv Ram
            Dubey and Bidyut B. Chaudhuri}, title={{HybridSN}: Exploring {3-D-2-D} {CNN} Feature
            Hierarchy for Hyperspectral Image Classification}, journal={IEEE Geoscience and Remote
            Sensing Letters}, volume={17}, number={2}, pages={277--281}, year={2020},
            doi={10.1109/LGRS.2019.2918719}}""",
        uses_device=True,
        seconds=35.0,
        params=HybridSnParams,
        presets={"tiny": {"steps": 40, "width": 16, "components": 8}},
    )

    def network(self, components: int, side: int, classes: int) -> nn.Module:
        from hsiaug_builtin.classifiers.nets import HybridNet

        return HybridNet(components, side, self.params.width, classes)


@dataclass(frozen=True)
@defaults(steps=700, batch=32, rate=5e-3)
class SsrnParams(Recipe):
    """The recipe, and the network's size."""

    width: int = param(8, "kernels of the spectral convolutions", low=1)
    features: int = param(64, "features per pixel once the bands are collapsed", low=1)
    stride: int = param(
        8, "bands between positions of the first spectral convolution", unit="bands", low=1
    )


class Ssrn(NetClassifier[SsrnParams]):
    """Two spectral residual blocks (kernels of 7 bands), the bands collapsed, two spatial ones
    (3×3), the mean.

    Reads the z-scored bands of the central 7×7 pixels. Blocks, their order, kernel sizes, the
    window and the 24 spatial kernels are those of Zhong et al. To train in seconds on a CPU the
    spectral part is narrower than theirs: 8 kernels at every 8th band in place of 24 at every 2nd,
    and 64 features per pixel in place of 128. Spatial convolutions are padded; AdamW, the
    symmetries and the lack of dropout are ours.
    """

    card = Card(
        name="ssrn",
        version="1",
        summary="SSRN: spectral, then spatial residual blocks on the central 7×7 pixels",
        paper="""@article{zhong2018ssrn, author={Zilong Zhong and Jonathan Li and Zhiming Luo and
            Michael Chapman}, title={Spectral-Spatial Residual Network for Hyperspectral Image
            Classification: A {3-D} Deep Learning Framework}, journal={IEEE Transactions on
            Geoscience and Remote Sensing}, volume={56}, number={2}, pages={847--858}, year={2018},
            doi={10.1109/TGRS.2017.2755542}}""",
        uses_device=True,
        seconds=30.0,
        params=SsrnParams,
        presets={
            "tiny": {"steps": 40, "width": 4, "features": 16},
            "paper": {"width": 24, "features": 128, "stride": 2, "steps": 4000, "batch": 16},
        },
    )

    def network(self, bands: int, side: int, classes: int) -> nn.Module:
        from hsiaug_builtin.classifiers.nets import ResidualNet

        params = self.params
        return ResidualNet(bands, params.width, params.features, params.stride, classes)


@dataclass(frozen=True)
@defaults(steps=600, batch=32, rate=2e-3)
class SpectralFormerParams(Recipe):
    """The recipe, and the network's size."""

    group: int = param(8, "neighbouring bands per token", unit="bands", low=1)
    stride: int = param(8, "bands between tokens", unit="bands", low=1)
    head_width: int = param(16, "width of each of the 4 attention heads", low=1)
    layers: int = param(5, "transformer layers", low=2)


class SpectralFormer(NetClassifier[SpectralFormerParams]):
    """Tokens are groups of neighbouring bands of a patch, layers are joined across one, a class
    token is read.

    Groupwise spectral embedding, cross-layer adaptive fusion, the patch of 7×7 pixels, 5 layers, 4
    heads, width 64 and 8 hidden units are those of Hong et al. and their published code. There, one
    token is made per band, 200 in all, from it and its two neighbours; here tokens do not overlap
    (25 of 8 bands), which is what a CPU can bear. AdamW and the symmetries are ours.
    """

    card = Card(
        name="spectralformer",
        version="1",
        summary=(
            "SpectralFormer-like transformer over groups of bands of the central 7×7 pixels; with"
            " few labels no better than nearest neighbours"
        ),
        paper="""After @article{hong2022spectralformer, author={Danfeng Hong and Zhu Han and Jing
            Yao and Lianru Gao and Bing Zhang and Antonio Plaza and Jocelyn Chanussot},
            title={{SpectralFormer}: Rethinking Hyperspectral Image Classification with
            Transformers}, journal={IEEE Transactions on Geoscience and Remote Sensing},
            volume={60}, year={2022}, doi={10.1109/TGRS.2021.3130716}}""",
        uses_device=True,
        seconds=25.0,
        params=SpectralFormerParams,
        presets={
            "tiny": {"steps": 30, "group": 3, "stride": 3, "layers": 3, "head_width": 4},
            "paper": {"group": 3, "stride": 1, "steps": 5000, "batch": 64, "rate": 5e-4},
        },
    )

    def network(self, bands: int, side: int, classes: int) -> nn.Module:
        from hsiaug_builtin.classifiers.nets import HEADS, SpectralNet

        params = self.params
        return SpectralNet(
            bands=bands,
            side=side,
            group=params.group,
            stride=params.stride,
            width=HEADS * params.head_width,
            layers=params.layers,
            classes=classes,
        )
