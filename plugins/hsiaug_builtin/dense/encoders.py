"""Encoders of segmentation-models-pytorch, with random weights or with those that a user names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from hsiaug.api import PluginError
from hsiaug_builtin.dense.inputs import IMAGENET, RANDOM, file_of_weights
from hsiaug_builtin.nets.state import read_weights


def make_encoder(name: str, channels: int, depth: int, weights: str) -> Any:
    """An encoder, whose first layer reads ``channels``.

    Weights of three channels are repeated for more, and scaled, as segmentation-models-pytorch does
    it.

    Parameters
    ----------
    name : str
        As segmentation-models-pytorch has it, as resnet101; tu-NAME for one of timm.
    depth : int
        Levels that halve the resolution.
    weights : str
        RANDOM, IMAGENET or the path of a file, perhaps with its checksum.

    Raises
    ------
    PluginError
        For a name that there is not, and weights that cannot be had or do not fit.
    """
    from segmentation_models_pytorch.encoders import get_encoder

    published: str | bool | None = weights if weights == IMAGENET else None
    if published and name.startswith("tu-"):
        published = True  # of timm: the weights that its name stands for
    inputs = channels if weights in (RANDOM, IMAGENET) else 3
    with known_encoder(name):
        encoder = get_encoder(name, in_channels=inputs, depth=depth, weights=None)
    if published:
        try:
            encoder = get_encoder(name, in_channels=inputs, depth=depth, weights=published)
        except Exception as error:
            rule = f"the weights imagenet of encoder {name} must be downloaded from huggingface.co"
            reason = f"{type(error).__name__}: {error}"[:200]
            hint = "Connect this machine, or name a file with them: weights=FILE.safetensors."
            raise PluginError(rule, value=reason, hint=hint) from error
    if weights not in (RANDOM, IMAGENET):
        _load(encoder, name, file_of_weights(weights))
        encoder.set_in_channels(channels, pretrained=True)
    return encoder


@contextmanager
def known_encoder(name: str) -> Iterator[None]:
    """Raise PluginError where a library knows no such encoder, or not for this network."""
    try:
        yield
    except Exception as error:
        rule = "`encoder` must be one of segmentation-models-pytorch, or tu-NAME of timm"
        hint = "For example resnet18, resnet101, mit_b0 or tu-convnext_tiny."
        raise PluginError(rule, value=f"{name}: {error}"[:200], hint=hint) from error


def _load(encoder: nn.Module, name: str, path: Path) -> None:
    """Take the weights in a file, all of which the encoder must have."""
    rule = f"`weights` must be a file with the weights of encoder {name} for three bands"
    hint = "Save encoder.state_dict() of that encoder, as .safetensors or with torch.save."
    try:
        of_encoder = set(encoder.state_dict())
        state = {
            key: value
            for stored, value in read_weights(path).items()
            if (key := stored.removeprefix("encoder.")) in of_encoder
        }
        encoder.load_state_dict(state)
    except Exception as error:
        raise PluginError(rule, value=f"{path}: {error}"[:300], hint=hint) from error
