"""A small 2D convolutional network on principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsiaug.api import Card, param
from hsiaug_nets.fitted import NetClassifier
from hsiaug_nets.recipe import Recipe

__all__ = ["Cnn2d", "Cnn2dParams"]


@dataclass(frozen=True)
class Cnn2dParams(Recipe):
    """The recipe, and the network's size."""

    components: int = param(30, "principal components that the network sees", low=1)
    width: int = param(48, "channels of both convolutions", low=1)


class Cnn2d(NetClassifier[Cnn2dParams]):
    """Two 3×3 convolutions with batch normalisation, the mean over the patch, one linear layer.

    The input is the patch in whitened principal components of the pixels that the train view shows. Trained by
    AdamW for a fixed number of steps on cross-entropy; batches are drawn from all samples, each as often as its
    weight says, so balance is left to the generator and λ. Patches are turned and mirrored (8 symmetries).
    The same seed gives the same weights on one CPU; on a GPU up to rounding. Like the network of the paper it
    reads components of a patch by two convolutions; normalisation, pooling by the mean, AdamW and the symmetries
    are ours.
    """

    card = Card(
        name="cnn2d",
        version="2",
        summary="Small 2D-CNN on principal components of the patch",
        paper="After Makantasis, Karantzalos, Doulamis and Doulamis, Deep Supervised Learning for Hyperspectral "
        "Data Classification through Convolutional Neural Networks, IGARSS 2015, "
        "doi:10.1109/IGARSS.2015.7326945",
        uses_device=True,
        seconds=5.0,
        params=Cnn2dParams,
        presets={"tiny": {"steps": 40, "width": 16, "components": 8}},
    )

    def network(self, components: int, side: int, classes: int) -> Any:
        from hsiaug_nets.small2d import Net2d

        return Net2d(components, self.params.width, classes)
