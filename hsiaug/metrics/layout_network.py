"""A small convolutional network that tells made patches from real ones: a judge of
:mod:`hsiaug.metrics.two_sample`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = 150
BATCH_PIXELS = 5200
"""Pixels of a batch: 64 patches of 9×9."""
MIN_BATCH_PATCHES = 16
MAX_BATCH_PATCHES = 64
WIDTHS = (24, 24, 48)
RATE = 4e-3
TINY = 1e-4
TESTED = 512
"""Patches that are scored at once."""


def network_judge(
    x: NDArray[np.floating], side: NDArray[np.int64], test: NDArray[np.floating], seed: int
) -> NDArray[np.float64]:
    """Learn to tell made maps from real ones, and score others.

    It reads the mean of each map, and what departs from it. Three 3×3 convolutions are followed by
    mean, maximum and deviation over the patch, which keep the size of a patch open. Batches are
    turned at random, and scores are means over the eight ways to turn a patch.

    Parameters
    ----------
    x : (n, k, H, W) floats
        Maps to learn from.
    side : (n,) int64
        0 = real, 1 = made.
    test : (m, k, H, W) floats
        Maps to score.
    seed : int
        The same seed gives the same scores.

    Returns
    -------
    (m,) float64
        Logits: higher where a patch looks made.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    rng = np.random.default_rng(seed)
    split = [_level_and_detail(maps) for maps in (x, test)]
    mean = split[0].mean(axis=(0, 2, 3), keepdims=True)
    scale = split[0].std(axis=(0, 2, 3), keepdims=True)
    scale = np.where(scale > 0, scale, 1)
    learnt, tested = (
        torch.from_numpy(((maps - mean) / scale).astype(np.float32)) for maps in split
    )
    target = torch.from_numpy(side.astype(np.float32))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        trunk, head = _layers(learnt.shape[1], halved=min(x.shape[2:]) >= 4)
        parameters = [*trunk.parameters(), *head.parameters()]
        optimiser = torch.optim.AdamW(parameters, weight_decay=0.05)
        batch = int(
            np.clip(BATCH_PIXELS // (x.shape[2] * x.shape[3]), MIN_BATCH_PATCHES, MAX_BATCH_PATCHES)
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
        for _ in range(STEPS):
            rows = torch.from_numpy(rng.integers(len(learnt), size=batch))
            batch_maps = _turned(learnt[rows], int(rng.integers(8)))
            # Without the level of half of the patches, so that detail is learnt first.
            batch_maps[: batch // 2, : x.shape[1]] = 0
            logits = _logits(trunk, head, batch_maps)
            loss = binary_cross_entropy_with_logits(logits, target[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    trunk.eval()
    with torch.inference_mode():
        parts = torch.split(tested, TESTED)
        ways = [
            torch.cat([_logits(trunk, head, _turned(chunk, way)) for chunk in parts])
            for way in range(8)
        ]
        score: NDArray[np.float64] = torch.stack(ways).mean(dim=0).double().numpy()
    return score


def _level_and_detail(maps: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, 2k, H, W) the mean of each map (n, k, H, W), everywhere, and what departs from it.

    Scaled apart, since in scenes of fields patches differ far more than their pixels do.
    """
    level = np.broadcast_to(maps.mean(axis=(2, 3), keepdims=True), maps.shape)
    return np.concatenate([level, maps - level], axis=1)


def _layers(inputs: int, *, halved: bool) -> tuple[nn.Module, nn.Module]:
    """The convolutions, and the layer that reads what is pooled of them.

    Parameters
    ----------
    halved : bool
        Pixels are pooled in between.
    """
    from torch import nn

    first, second, third = WIDTHS
    trunk = nn.Sequential(
        nn.Conv2d(inputs, first, 3, padding=1),
        nn.BatchNorm2d(first),
        nn.GELU(),
        nn.Conv2d(first, second, 3, padding=1),
        nn.BatchNorm2d(second),
        nn.GELU(),
        nn.AvgPool2d(2) if halved else nn.Identity(),
        nn.Conv2d(second, third, 3, padding=1),
        nn.BatchNorm2d(third),
        nn.GELU(),
        nn.Flatten(2),
    )
    return trunk, nn.Linear(3 * third, 1)


def _logits(trunk: nn.Module, head: nn.Module, x: Tensor) -> Tensor:
    """(n,) of maps (n, k, H, W)."""
    import torch

    pixels = trunk(x)
    # The deviation tells textures whose means are alike.
    pooled = [pixels.mean(dim=2), pixels.amax(dim=2), torch.sqrt(pixels.var(dim=2) + TINY)]
    logits: Tensor = head(torch.cat(pooled, dim=1))[:, 0]
    return logits


def _turned(x: Tensor, way: int) -> Tensor:
    """Maps (n, k, H, W) turned in one of eight ways; of four where they are not square."""
    axes = [axis for axis, bit in ((2, 1), (3, 2)) if way & bit]
    flipped = x.flip(axes) if axes else x
    return flipped.transpose(2, 3) if way & 4 and x.shape[2] == x.shape[3] else flipped
