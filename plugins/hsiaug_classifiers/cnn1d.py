"""A 1D convolutional network on the centre spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_nets.fitted import NetClassifier
from hsiaug_nets.recipe import Recipe

__all__ = ["Cnn1d", "Cnn1dParams"]


@dataclass(frozen=True)
class Cnn1dParams(Recipe):
    """The recipe, and the network's size."""

    width: int = param(20, "kernels of the convolution", low=1)
    hidden: int = param(100, "units of the hidden linear layer", low=1)
    augment: str = param(
        "none", "online augmentation: none, weak (gain, offset) or strong (also noise, dropped bands)"
    )


class Cnn1d(NetClassifier[Cnn1dParams]):
    """One convolution along the z-scored bands, max pooling, two linear layers.

    After Hu et al.: 20 kernels of length ⌈B/9⌉, pooling to about 40 positions, 100 hidden units. Theirs is trained by
    plain gradient descent with tanh units on spectra scaled to [-1, 1]; batch normalisation, ReLU, AdamW and
    z-scores are ours.
    """

    card = Card(
        name="cnn1d",
        version="1",
        summary="1D-CNN on the centre spectrum",
        paper="After Hu, Huang, Wei, Zhang and Li, Deep Convolutional Neural Networks for Hyperspectral Image "
        "Classification, Journal of Sensors 2015, doi:10.1155/2015/258619",
        input="spectrum",
        uses_device=True,
        seconds=3.0,
        params=Cnn1dParams,
        presets={"tiny": {"steps": 60}},
    )

    def network(self, bands: int, side: int, classes: int) -> Any:
        from hsiaug_classifiers.nets.cnn1d import Net1d

        return Net1d(bands, self.params.width, self.params.hidden, classes)
