"""A timm backbone that reads small patches."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hsiaug.api import PluginError

__all__ = ["Backbone", "build_backbone"]

SIDES = (32, 64, 112, 224)
"""Sides in pixels to which a patch is up-sampled, tried in this order where a backbone refuses its own side."""


class Backbone(nn.Module):
    """A timm model, and the side in pixels that it reads; patches of another side are resized bilinearly."""

    def __init__(self, body: nn.Module, side: int) -> None:
        super().__init__()
        self.body, self.side = body, side

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.side:
            x = interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        scores: Tensor = self.body(x)
        return scores


def build_backbone(name: str, channels: int, side: int, classes: int) -> Backbone:
    """The timm model of that name with random weights, on the smallest side that it takes, ``side`` first.

    Raises PluginError where it takes none of them.
    """
    refusal: Exception | None = None
    for tried in (side, *(larger for larger in SIDES if larger > side)):
        try:
            body = timm.create_model(
                name, pretrained=False, in_chans=channels, num_classes=classes, **size_of(name, tried)
            )
            with torch.inference_mode():
                scores = body.eval()(torch.zeros(2, channels, tried, tried))
        except Exception as error:  # each family of models refuses a side in its own way
            refusal = error
            continue
        if scores.shape == (2, classes):
            return Backbone(body, tried)
    raise PluginError(
        f"the timm model {name} must turn patches of {channels} components into {classes} class scores",
        value=f"{type(refusal).__name__}: {refusal}" if refusal else "another shape of scores",
        hint=f"It takes no patch of side {side} nor any of {SIDES}; choose another, for example resnet10t.",
    )


def size_of(name: str, side: int) -> dict[str, Any]:
    """The argument that tells a model of fixed input size its size."""
    fixed = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return {"img_size": side} if fixed is not None and fixed.fixed_input_size else {}
