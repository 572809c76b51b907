"""SiamCRNN: a siamese convolutional encoder, and recurrence over the two dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_dense.fitted import NetSegmenter
from hsiaug_dense.recipe import ChangeRecipe

__all__ = ["SiamCrnn", "SiamCrnnParams"]


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
        paper="After Chen, Wu, Du, Zhang and Wang, Change Detection in Multisource VHR Images via Deep Siamese "
        "Convolutional Multiple-Layers Recurrent Neural Network, IEEE TGRS 58(4), 2020, "
        "doi:10.1109/TGRS.2019.2956756",
        tasks=("change",),
        uses_device=True,
        seconds=60.0,
        params=SiamCrnnParams,
        presets={"tiny": {"steps": 40, "width": 4, "hidden": 8}},
    )

    def network(self, bands: int, classes: int) -> Any:
        from hsiaug_dense.nets.siamcrnn import SiameseRecurrent

        return SiameseRecurrent(bands, self.params.width, self.params.hidden, classes)
