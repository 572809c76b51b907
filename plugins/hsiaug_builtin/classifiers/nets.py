"""The networks of patches, as plain torch modules from (n, k, p, p) to class scores (n,
classes).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hsiaug.api import PluginError
from hsiaug_builtin.nets.blocks import Residual, convolution, crop
from hsiaug_builtin.nets.state import read_weights

CORE = 5
"""Side in pixels of the centre of a patch that Net3d reads."""
WINDOW = 7
"""Side in pixels of the centre of a patch that ResidualNet and SpectralNet read."""
KERNELS = ((8, 7, 1), (16, 5, 1), (32, 3, 0))
"""HybridNet: kernels, their components, and spatial padding of the three 3D convolutions."""
HEADS = 4
"""SpectralNet: attention heads."""
HIDDEN = 8
"""SpectralNet: hidden width."""
DROPOUT = 0.1
"""SpectralNet: dropout."""
SIDES = (32, 64, 112, 224)
"""Sides in pixels to which a patch is up-sampled, tried in this order where a backbone refuses its
own side.
"""


class Net1d(nn.Module):
    """Class scores of a spectrum (n, B, 1, 1); any number of bands."""

    def __init__(self, bands: int, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        kernel = -(-bands // 9)
        pool = -(-(bands - kernel + 1) // 40)
        self.body = nn.Sequential(
            convolution(
                1, width, kernel, padding=0, axes=1
            ),  # (n, 1, B) → (n, width, B - kernel + 1)
            nn.MaxPool1d(pool, ceil_mode=True),  # about 40 positions of 200 bands
            nn.Flatten(),
        )
        positions = -(-(bands - kernel + 1) // pool)
        self.head = nn.Sequential(
            nn.Linear(width * positions, hidden), nn.ReLU(), nn.Linear(hidden, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(x.flatten(1)[:, None]))
        return scores


class Net3d(nn.Module):
    """Class scores of the central 5×5 pixels of a patch in bands; smaller patches and few bands
    will do.
    """

    def __init__(self, bands: int, side: int, width: int, classes: int) -> None:
        super().__init__()
        side = min(side, CORE)
        spatial = [min(3, side), min(3, side - min(3, side) + 1)]
        spectral = [min(7, bands)]
        spectral.append(min(3, bands - spectral[0] + 1))
        remaining_bands = bands - sum(spectral) + 2
        edge = side - sum(spatial) + 2
        self.body = nn.Sequential(
            convolution(1, width, (spectral[0], spatial[0], spatial[0]), padding=0, axes=3),
            convolution(width, 2 * width, (spectral[1], spatial[1], spatial[1]), padding=0, axes=3),
            nn.Flatten(),
        )
        self.head = nn.Linear(2 * width * remaining_bands * edge * edge, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = crop(x, CORE)[:, None]  # (n, B, 5, 5) → (n, 1, B, 5, 5)
        scores: Tensor = self.head(self.body(x))
        return scores


class HybridNet(nn.Module):
    """Class scores of a patch of components: three 3D convolutions, one 2D, the mean over the
    patch, one linear.

    A kernel that is larger than what it meets shrinks to it, so that small patches and few
    components will do.
    """

    def __init__(self, components: int, side: int, width: int, classes: int) -> None:
        super().__init__()
        depth = components
        channels = 1
        layers: list[nn.Module] = []
        for kernels, spectral, padding in KERNELS:
            k = min(spectral, depth)
            s = min(3, side + 2 * padding)
            layers.append(
                convolution(channels, kernels, (k, s, s), padding=(0, padding, padding), axes=3)
            )
            depth = depth - k + 1
            side = side + 2 * padding - s + 1
            channels = kernels
        self.volume = nn.Sequential(*layers)
        self.plane = convolution(channels * depth, width, min(3, side), padding=0)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.volume(x[:, None])  # (n, k, p, p) → (n, 32, k', p', p')
        x = self.plane(x.flatten(1, 2))  # (n, width, p'', p'')
        scores: Tensor = self.head(x.mean(dim=(2, 3)))
        return scores


class ResidualNet(nn.Module):
    """Class scores of the central 7×7 pixels of a patch in bands: spectral, then spatial residual
    blocks.

    A convolution along the bands of each pixel is a 2D one with a kernel of 7×1 over (bands,
    pixels).
    """

    def __init__(self, bands: int, width: int, features: int, stride: int, classes: int) -> None:
        super().__init__()
        kernel = min(7, bands)
        positions = (bands - kernel) // stride + 1
        self.entry = convolution(1, width, (kernel, 1), stride=(stride, 1), padding=0)
        self.spectral = nn.Sequential(
            Residual(width, width, (7, 1)), Residual(width, width, (7, 1))
        )
        self.collapse = convolution(width, features, (positions, 1), padding=0)
        self.narrow = convolution(features, 24)
        self.spatial = nn.Sequential(Residual(24, 24), Residual(24, 24))
        self.head = nn.Linear(24, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = crop(x, WINDOW)
        n, bands, p, _ = x.shape
        x = self.spectral(self.entry(x.reshape(n, 1, bands, p * p)))  # (n, width, positions, p·p)
        x = self.collapse(x).reshape(n, -1, p, p)  # (n, features, p, p)
        scores: Tensor = self.head(self.spatial(self.narrow(x)).mean(dim=(2, 3)))
        return scores


class SpectralNet(nn.Module):
    """Class scores of the central 7×7 pixels of a patch: a transformer over groups of neighbouring
    bands.

    Token t reads bands t·stride … t·stride + group - 1 of all pixels; a class token is read. From
    the third layer on, a convolution over all tokens joins a layer's input with that of the layer
    before the last.
    """

    def __init__(
        self, bands: int, side: int, group: int, stride: int, width: int, layers: int, classes: int
    ) -> None:
        super().__init__()
        self.group = min(group, bands)
        self.stride = stride
        tokens = (bands - self.group) // stride + 2
        self.embed = nn.Linear(self.group * min(side, WINDOW) ** 2, width)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                HEADS,
                HIDDEN,
                dropout=DROPOUT,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(layers)
        )
        self.fusion = nn.ModuleList(joint(tokens) for _ in range(layers - 2))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = crop(x, WINDOW).flatten(2).unfold(1, self.group, self.stride)  # (n, groups, p·p, group)
        x = self.embed(x.flatten(2))
        x = (
            torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.position
        )  # (n, tokens, width)
        inputs: list[Tensor] = []
        for number, layer in enumerate(self.layers):
            inputs.append(x)
            if number >= 2:
                pair = torch.stack([x, inputs[number - 2]], dim=3)  # (n, tokens, width, 2)
                x = self.fusion[number - 2](pair).squeeze(3)
            x = layer(x)
        scores: Tensor = self.head(x[:, 0])
        return scores


def joint(tokens: int) -> nn.Conv2d:
    """Layer from (n, tokens, width, 2) to (n, tokens, width, 1); at first it passes on the former
    of the two.
    """
    layer = nn.Conv2d(tokens, tokens, (1, 2))
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[:, :, 0, 0] = torch.eye(tokens)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class Backbone(nn.Module):
    """A timm model, and the side in pixels that it reads; patches of another side are resized
    bilinearly.
    """

    def __init__(self, body: nn.Module, side: int) -> None:
        super().__init__()
        self.body = body
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.side:
            x = interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        scores: Tensor = self.body(x)
        return scores


def build_backbone(
    name: str, channels: int, side: int, classes: int, weights: Path | None = None
) -> Backbone:
    """The timm model of that name, on the smallest side that it takes, ``side`` first.

    Parameters
    ----------
    name : str
        Of the model.
    channels, side, classes : int
        Of the patches, and of the scores.
    weights : Path or None
        A file of the model's weights for three bands; None = random ones.

    Raises
    ------
    PluginError
        Where it takes none of the sides, or the file has other weights.
    """
    import timm

    state = None if weights is None else _weights_of(name, weights)
    refusal: Exception | None = None
    for tried in (side, *(larger for larger in SIDES if larger > side)):
        try:
            body = timm.create_model(
                name,
                pretrained=state is not None,
                # timm changes the weights that it is given.
                pretrained_cfg_overlay=state and {"state_dict": dict(state)},
                in_chans=channels,
                num_classes=classes,
                **size_of(name, tried),
            )
            with torch.inference_mode():
                scores = body.eval()(torch.zeros(2, channels, tried, tried))
        except Exception as error:  # each family of models refuses a side in its own way
            refusal = error
            continue
        if scores.shape == (2, classes):
            return Backbone(body, tried)
    raise PluginError(
        f"the timm model {name} must turn patches of {channels} components into {classes} class"
        " scores",
        value=f"{type(refusal).__name__}: {refusal}" if refusal else "another shape of scores",
        hint=(
            f"It takes no patch of side {side} nor any of {SIDES}; choose another, for example"
            " resnet10t."
        ),
    )


def _weights_of(name: str, path: Path) -> dict[str, Tensor]:
    """The weights in a file. Raises PluginError unless it has all of the model but its last layer,
    in their shapes for three bands.
    """
    import timm

    body = timm.create_model(name, pretrained=False, num_classes=0)
    try:
        state = read_weights(path)
        wrong = [
            key
            for key, value in body.state_dict().items()
            if not key.endswith("num_batches_tracked")
            and (key not in state or state[key].shape != value.shape)
        ]
    except Exception as error:  # each format has errors of its own
        found = f"{type(error).__name__}: {error}"[:200]
    else:
        found = f"no fitting {wrong[0]}" if wrong else ""
    if found:
        raise PluginError(
            f"`weights` must be a file with the weights of the timm model {name} for three bands",
            value=f"{path}: {found}",
            hint="Save model.state_dict() of that model, as .safetensors or with torch.save.",
        )
    return state


def size_of(name: str, side: int) -> dict[str, Any]:
    """The argument that tells a model of fixed input size its size."""
    import timm

    fixed = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return {"img_size": side} if fixed is not None and fixed.fixed_input_size else {}


class CentreNet(nn.Module):
    """Class scores of a patch in bands: channels of the centre pixel, and their mean over the
    central window.
    """

    def __init__(self, bands: int, width: int, window: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.window = window
        self.stem = convolution(bands, width, 1)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width if window == 1 else 2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(crop(x, self.window))  # (n, B, p, p) → (n, width, window, window)
        middle = x.shape[2] // 2
        parts = [x[:, :, middle, middle]]
        if self.window > 1:
            parts.append(x.mean(dim=(2, 3)))
        scores: Tensor = self.head(self.drop(torch.cat(parts, dim=1)))
        return scores


class Averaged(nn.Module):
    """Logarithms of the mean of several networks' shares."""

    def __init__(self, nets: list[CentreNet]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, x: Tensor) -> Tensor:
        shares = torch.stack([net(x).softmax(dim=1) for net in self.nets])
        return shares.mean(dim=0).clamp(min=1e-12).log()
