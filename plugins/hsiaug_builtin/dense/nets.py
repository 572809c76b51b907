"""Networks for tiles, as torch modules, and what they share: a band map, padding, both dates as one
batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, pad

from hsiaug_builtin.dense.encoders import known_encoder, make_encoder
from hsiaug_builtin.dense.inputs import RANDOM
from hsiaug_builtin.nets.blocks import Residual, convolution

LEVELS = 4
ENCODER = ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8))
"""Widths of the convolutions of each level of a siamese U-Net, in multiples of the first; pooling
in between.
"""
DECODER = ((1,), (2, 1), (4, 4, 2), (8, 8, 4))
"""The same for the decoder, finest level first."""


DROPPED = 0.3
"""Share of the features of a single pixel that are dropped in training."""
CONTEXT = 0.25
"""Weight of the log shares that know a pixel's surroundings, beside those of its spectrum alone."""


class TileNet(nn.Module):
    """Scores (n, k, H, W) of tiles (n, T, B, H, W) whose sides are a multiple of ``multiple``."""

    multiple: int


class Padded(nn.Module):
    """A network for any tile side of 16 pixels or more: pads by reflection to its ``multiple``,
    crops its scores.
    """

    def __init__(self, net: TileNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """(n, T, B, H, W) → (n, k, H, W)."""
        height, width = x.shape[-2:]
        # Half on either side, because a reflection can be no wider than the tile.
        lack_h = -height % self.net.multiple
        lack_w = -width % self.net.multiple
        top, left = lack_h // 2, lack_w // 2
        if lack_h or lack_w:
            sides = (left, lack_w - left, top, lack_h - top)
            x = torch.stack([pad(date, sides, mode="reflect") for date in x.unbind(1)], dim=1)
        scores: Tensor = self.net(x)
        return scores[..., top : top + height, left : left + width]


def dates_as_tiles(x: Tensor) -> Tensor:
    """(n, T, B, H, W) → (T·n, B, H, W), all tiles of the first date before those of the second;
    ``chunk(T)`` undoes it.

    Both dates then go through a shared network as one batch, and share the statistics of its
    normalisations.
    """
    return torch.cat(x.unbind(1))


class UShaped(TileNet):
    """Scores of every pixel of tiles of one date."""

    multiple = 2 ** (LEVELS - 1)

    def __init__(self, bands: int, width: int, classes: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        self.bands = convolution(bands, width, kernel=1)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(above, level_width), convolution(level_width, level_width))
            for above, level_width in zip([width, *widths], widths, strict=False)
        )
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(2 * level_width, level_width, 2, stride=2)
            for level_width in widths[:-1]
        )
        self.up = nn.ModuleList(
            nn.Sequential(
                convolution(2 * level_width, level_width), convolution(level_width, level_width)
            )
            for level_width in widths[:-1]
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bands(x[:, 0])  # (n, 1, B, H, W) → (n, width, H, W)
        skips = []
        for level, block in enumerate(self.down):
            x = block(max_pool2d(x, 2) if level else x)
            skips.append(x)
        for level in reversed(range(LEVELS - 1)):
            x = self.up[level](torch.cat([skips[level], self.enlarge[level](x)], dim=1))
        scores: Tensor = self.head(x)
        return scores


class SiameseU(TileNet):
    """Scores of change of every pixel of tiles of two dates; skip connections carry |a − b| of both
    dates' features.
    """

    multiple = 2 ** len(ENCODER)

    def __init__(self, bands: int, width: int, classes: int) -> None:
        super().__init__()
        channels = min(bands, 2 * width)
        self.map = _map(bands, channels)
        self.encoder = nn.ModuleList()
        self.enlarge = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for down, up in zip(ENCODER, DECODER, strict=True):
            self.encoder.append(_chain(channels, [width * m for m in down]))
            channels = width * down[-1]
            self.enlarge.append(nn.ConvTranspose2d(channels, channels, 2, stride=2))
            self.decoder.append(_chain(2 * channels, [width * m for m in up]))
        self.head = nn.Conv2d(width, classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.map(dates_as_tiles(x))  # (n, 2, B, H, W) → (2n, channels, H, W)
        skips = []
        for block in self.encoder:
            x = block(x)
            one, two = x.chunk(2)
            skips.append((one - two).abs())
            x = max_pool2d(x, 2)
        x = x.chunk(2)[1]  # as the authors' code has it: the decoder starts from the second date
        for level in reversed(range(len(ENCODER))):
            x = self.decoder[level](torch.cat([self.enlarge[level](x), skips[level]], dim=1))
        scores: Tensor = self.head(x)
        return scores


def _chain(channels: int, widths: list[int]) -> nn.Sequential:
    steps = zip([channels, *widths], widths, strict=False)
    return nn.Sequential(*(convolution(before, after) for before, after in steps))


def _map(bands: int, channels: int) -> nn.Module:
    """A linear map where bands outnumber channels; 3×3 convolutions behind then cost the same for
    any number of bands.
    """
    return nn.Conv2d(bands, channels, 1) if bands > channels else nn.Identity()


def _larger(x: Tensor, like: Tensor) -> Tensor:
    return interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class SinglePixel(nn.Module):
    """Scores (n, k, H, W) of pixels, each by its own spectrum in (n, bands, H, W)."""

    def __init__(self, bands: int, width: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(bands, width, kernel=1),
            nn.Dropout(DROPPED),
            convolution(width, width, kernel=1),
            nn.Dropout(DROPPED),
            nn.Conv2d(width, classes, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layers(x)
        return scores


class ContextAndPixel(TileNet):
    """Scores of a network of segmentation-models-pytorch, and of each pixel's spectrum by itself.

    In training only the first are given; ``single`` is trained by itself, on pixels that differ.
    Afterwards their log shares are added, those of the first times ``CONTEXT``, which is a product
    of experts: the first learns few tiles by heart, and is too sure of what it says elsewhere.

    Parameters
    ----------
    bands : int
        Bands of the data, then of spectra of unit norm; ``single`` reads these alone, as
        brightness differs between places.
    channels : int
        Channels of the map before the network; the hidden layers of ``single`` have twice as
        many.
    weights : str
        Of the encoder.
    single : bool
        Whether there is a path for single pixels.
    """

    multiple = 32

    def __init__(
        self,
        bands: int,
        channels: int,
        classes: int,
        architecture: str,
        encoder: str,
        weights: str = RANDOM,
        single: bool = True,
    ) -> None:
        from segmentation_models_pytorch import create_model

        super().__init__()
        self.bands = convolution(bands, channels, kernel=1)
        with known_encoder(encoder):
            self.context = create_model(
                architecture, encoder, encoder_weights=None, in_channels=channels, classes=classes
            )
        if weights != RANDOM:
            depth = self.context.encoder._depth
            trained = make_encoder(encoder, channels, depth, weights)
            self.context.encoder.load_state_dict(trained.state_dict())
        self.single = SinglePixel(bands // 2, 2 * channels, classes) if single else None

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, 0]  # (n, 1, B, H, W) → (n, B, H, W)
        scores: Tensor = self.context(self.bands(x))
        if self.training or self.single is None:
            return scores
        single: Tensor = self.single(x[:, x.shape[1] // 2 :])
        return CONTEXT * scores.log_softmax(dim=1) + single.log_softmax(dim=1)


class OverDates(nn.Module):
    """A convolutional LSTM over two dates, and its last hidden state (Shi et al., NeurIPS 2015,
    arXiv:1506.04214).

    Without the connections from the cell to the gates.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.see = nn.Conv2d(channels, 4 * hidden, 3, padding=1)
        self.recall = nn.Conv2d(hidden, 4 * hidden, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.see(x).chunk(2)  # (2n, channels, h, w) → gates of n tiles each
        take, _, show, new = first.chunk(4, dim=1)  # nothing to forget yet
        cell = take.sigmoid() * new.tanh()
        gates = second + self.recall(show.sigmoid() * cell.tanh())
        take, keep, show, new = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * cell + take.sigmoid() * new.tanh()
        state: Tensor = show.sigmoid() * cell.tanh()  # (n, hidden, h, w)
        return state


class SiameseRecurrent(TileNet):
    """Scores of change of every pixel of tiles of two dates; at every level an LSTM reads the dates
    in turn.
    """

    multiple = 2**LEVELS

    def __init__(
        self,
        bands: int,
        width: int,
        hidden: int,
        classes: int,
        encoder: str = "",
        weights: str = RANDOM,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        channels = min(bands, 2 * width)
        self.map = _map(bands, channels)
        self.entry = convolution(channels, width)
        self.encoder: Any = None
        if encoder:
            self.encoder = make_encoder(encoder, channels, LEVELS, weights)
            widths = list(self.encoder.out_channels[1:])  # the tiles come first
        else:
            self.stages = nn.ModuleList(
                Residual(above, channels_out, stride=2)
                for above, channels_out in zip([width, *widths], widths, strict=False)
            )
        self.recurrent = nn.ModuleList(OverDates(channels_out, hidden) for channels_out in widths)
        self.smooth = nn.ModuleList(convolution(hidden, hidden) for _ in widths[:-1])
        self.finish = convolution(hidden + 2 * width, hidden)
        self.head = nn.Conv2d(hidden, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.map(dates_as_tiles(x))  # (n, 2, B, H, W) → (2n, channels, H, W)
        fine = self.entry(x)
        states = [
            over_dates(features)
            for features, over_dates in zip(self._levels(x, fine), self.recurrent, strict=True)
        ]
        joined = states[-1]
        for level in reversed(range(LEVELS - 1)):
            joined = self.smooth[level](states[level] + _larger(joined, states[level]))
        scores: Tensor = self.head(
            self.finish(torch.cat([_larger(joined, fine), *fine.chunk(2)], dim=1))
        )
        return scores

    def _levels(self, x: Tensor, fine: Tensor) -> list[Tensor]:
        """Features at each level, of the encoder that is named or of the residual blocks here."""
        if self.encoder is not None:
            return list(self.encoder(x)[1:])
        levels = []
        for stage in self.stages:
            fine = stage(fine)
            levels.append(fine)
        return levels


class SiameseTransformer(TileNet):
    """Scores of change of every pixel of tiles of two dates; differences are learnt of both dates'
    features.
    """

    multiple = 32

    def __init__(
        self,
        bands: int,
        width: int,
        stages: int,
        classes: int,
        encoder: str = "mit_b0",
        weights: str = RANDOM,
    ) -> None:
        super().__init__()
        channels = min(bands, 2 * width)
        self.map = _map(bands, channels)
        self.fine = convolution(2 * channels, width)
        self.encoder = make_encoder(encoder, channels, stages + 1, weights)
        sizes = self.encoder.out_channels[
            2:
        ]  # at strides 4, 8, 16, 32; tiles and a placeholder come before
        self.project = nn.ModuleList(nn.Conv2d(size, width, 1) for size in sizes)
        self.difference = nn.ModuleList(
            nn.Sequential(
                convolution(2 * width, width), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
            )
            for _ in sizes
        )
        self.fuse = convolution(len(sizes) * width, width, kernel=1)
        self.enlarge = nn.Sequential(
            *(
                nn.Sequential(
                    nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), Residual(width, width)
                )
                for _ in range(2)
            )
        )
        self.head = nn.Conv2d(2 * width, classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.map(dates_as_tiles(x))
        features = self.encoder(x)[2:]  # (2n, channels, H, W) → (2n, size, H/4, W/4), …
        changes: list[Tensor] = []
        for stage, project, differ in reversed(
            list(zip(features, self.project, self.difference, strict=True))
        ):
            change = differ(torch.cat(project(stage).chunk(2), dim=1))
            changes.append(change + _larger(changes[-1], change) if changes else change)
        fused = self.fuse(torch.cat([_larger(change, changes[-1]) for change in changes], dim=1))
        fine = self.fine(torch.cat(x.chunk(2), dim=1))
        scores: Tensor = self.head(torch.cat([self.enlarge(fused), fine], dim=1))
        return scores
