"""A 3D convolutional network on the bands of a patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_nets.fitted import NetClassifier
from hsiaug_nets.recipe import Recipe

__all__ = ["Cnn3d", "Cnn3dParams"]


@dataclass(frozen=True)
class Cnn3dParams(Recipe):
    """The recipe, and the network's size."""

    width: int = param(8, "kernels of the first convolution; the second has twice as many", low=1)
    steps: int = param(800, "optimiser steps", low=1)
    batch: int = param(32, "samples per step, drawn with replacement", low=2)
    rate: float = param(1e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)


class Cnn3d(NetClassifier[Cnn3dParams]):
    """Two 3D convolutions, 7×3×3 and 3×3×3, over the z-scored bands of the central 5×5 pixels; one linear layer.

    After Li, Zhang and Shen, whose window of 5×5 pixels, kernels, and lack of pooling it keeps. Theirs has 2 and then
    4 kernels and a hidden linear layer, and is trained by gradient descent; more kernels, batch normalisation, AdamW
    and the symmetries are ours.
    """

    card = Card(
        name="cnn3d",
        version="1",
        summary="3D-CNN on the bands of the central 5×5 pixels",
        paper="After Li, Zhang and Shen, Spectral-Spatial Classification of Hyperspectral Imagery with 3D "
        "Convolutional Neural Network, Remote Sensing 9(1):67, 2017, doi:10.3390/rs9010067",
        uses_device=True,
        seconds=15.0,
        params=Cnn3dParams,
        presets={"tiny": {"steps": 40, "width": 4, "rate": 3e-3}},
    )

    def network(self, bands: int, side: int, classes: int) -> Any:
        from hsiaug_classifiers.nets.cnn3d import Net3d

        return Net3d(bands, side, self.params.width, classes)
