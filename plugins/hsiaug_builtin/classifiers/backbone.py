"""Any image backbone of timm, on principal components."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.api import Card, InputError, defaults, did_you_mean, param
from hsiaug_builtin.named_files import weights_file
from hsiaug_builtin.nets.fitted import NetClassifier
from hsiaug_builtin.nets.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

RANDOM = "random"
"""Weights that no file has."""
SENSIBLE = ("test_resnet", "resnet10t", "lcnet_050", "starnet_s050", "mobilenetv3_small_050")
"""Small enough to be trained on a CPU in a minute, and reading a 9×9 patch as it is."""


@dataclass(frozen=True)
@defaults(batch=32, rate=1e-3)
class TimmParams(Recipe):
    """The recipe, which backbone, and its weights; a file with the checksum of its content, so that
    other weights are other parameters. Raises InputError also where timm has no model of that name,
    or the file is not there.
    """

    backbone: str = param("resnet10t", "name of a timm model")
    components: int = param(30, "principal components that the network sees", low=1)
    weights: str = param(
        RANDOM,
        "what the backbone begins with: random weights, or those of a file (.safetensors, .pt);"
        " nothing is downloaded",
        added=True,
    )

    def __post_init__(self) -> None:
        import timm

        names = timm.list_models()
        if self.backbone not in names:
            near = get_close_matches(self.backbone.partition(".")[0], names, cutoff=0.6)
            raise InputError(
                "timm:NAME must name a model of the installed timm, without a tag of weights",
                value=repr(self.backbone),
                hint=did_you_mean(self.backbone.partition(".")[0], near or SENSIBLE),
            )
        if self.weights != RANDOM:
            object.__setattr__(self, "weights", _file(self.weights)[1])


def _file(weights: str) -> tuple[Path, str]:
    """The file that weights name, and its name with the checksum of its content. Raises InputError
    where it is not there, or holds another content than the checksum says.
    """
    file = weights_file(weights, "weights=")
    if file is None:
        raise InputError(
            "the weights of a backbone must be random, or a file that is there",
            value=repr(weights),
            hint="Correct the path, or leave weights out.",
        )
    return file


class Timm(NetClassifier[TimmParams]):
    """A timm backbone, its first layer as wide as the components.

    Its weights are random, or those of a file, as published for images of three bands: timm then
    repeats the kernels of the first layer for all components, and the last layer is random.

    Most convolutional backbones read a 9×9 patch as it is; where one refuses (vision transformers,
    ConvNeXt), the patch is up-sampled bilinearly to 32×32, or to the next of 64, 112 and 224 that
    it takes. Backbones are made for images of 224×224 and shrink a patch to one pixel in their
    first layers, so expect no more of them than of a network made for patches.
    """

    card = Card(
        name="timm",
        version="1",
        summary=(
            "Any timm backbone on principal components, as timm:NAME; sensible on a CPU:"
            f" {', '.join(SENSIBLE)}; up-sampled to 32×32: test_vit, test_convnext"
        ),
        paper="""@misc{wightman2019timm, author={Ross Wightman}, title={{PyTorch} Image Models},
            howpublished={Software}, year={2019}, doi={10.5281/zenodo.4414861}}; each backbone has
            its own source""",
        variant="backbone",
        uses_device=True,
        seconds=30.0,
        params=TimmParams,
        presets={"tiny": {"backbone": "test_resnet", "steps": 30, "components": 8, "rate": 3e-3}},
    )

    def network(self, channels: int, side: int, classes: int) -> nn.Module:
        """The backbone of that name. Raises PluginError where it reads no patch."""
        from hsiaug_builtin.classifiers.nets import build_backbone

        weights = self.params.weights
        path = None if weights == RANDOM else _file(weights)[0]
        return build_backbone(self.params.backbone, channels, side, classes, path)
