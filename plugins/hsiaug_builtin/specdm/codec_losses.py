"""What a codec loses of training pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from hsiaug_builtin.diffusion.angles import mean_angle
from hsiaug_builtin.specdm.drawing import PairCoder
from hsiaug_builtin.specdm.training_pairs import PairRun

BATCH = 64
CHECKED = 512
"""Tiles that the codec is checked on, at most."""


def losses_of(codec: PairCoder, run: PairRun) -> dict[str, float | None]:
    """Facts of a fit."""
    return {
        "reconstruction_accuracy": accuracy(codec, run),
        "reconstruction_angle": lost_angle(codec, run),
    }


@torch.inference_mode()
def accuracy(codec: PairCoder, run: PairRun) -> float:
    """Share of the labelled pixels of training tiles whose class comes back from the latents."""
    right = 0
    labelled = 0
    for _, y, (_, shares) in _decoded(codec, run):
        valid = torch.tensor(run.format.ids, device=y.device)[y] != 0
        named = shares.argmax(dim=1)
        right += int((valid & (named == y)).sum())
        labelled += int(valid.sum())
    return round(right / max(1, labelled), 5)


@torch.inference_mode()
def lost_angle(codec: PairCoder, run: PairRun) -> float | None:
    """Mean spectral angle in degrees between pixels of training tiles and what comes back; None
    without images.
    """
    apart = run.format.apart
    angles = [
        (len(x), mean_angle(apart(x), apart(image), dim=2))
        for x, _, (image, _) in _decoded(codec, run)
        if image.shape[1]
    ]
    if not angles:
        return None
    return round(
        math.degrees(float(sum(n * angle for n, angle in angles)) / sum(n for n, _ in angles)), 3
    )


def _decoded(
    codec: PairCoder, run: PairRun
) -> Iterator[tuple[Tensor, Tensor, tuple[Tensor, Tensor]]]:
    """Images and masks of some training tiles, and what comes back from their latents."""
    pairs = run.pairs
    rows = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(run.seed))[:CHECKED]
    for chunk in torch.split(rows, BATCH):
        x = pairs.x[chunk]
        y = pairs.y[chunk]
        yield x, y, codec.decode(codec.encode(x, run.format.one_hot(y)))
