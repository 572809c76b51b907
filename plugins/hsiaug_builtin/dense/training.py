"""Training on tiles by a budget of steps: batches drawn by weight, turned with their masks,
cross-entropy and Dice.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot
from torch.optim.swa_utils import update_bn

from hsiaug.api import derive_seed
from hsiaug_builtin.dense.inputs import (
    IGNORED,
    BandScale,
    DenseRecipe,
    TrainingTiles,
    heaviest_distinct,
    unit_norm,
)
from hsiaug_builtin.nets.seeded import seeded, to_device
from hsiaug_builtin.nets.training import Error, NextBatch
from hsiaug_builtin.nets.views import turn_batch

SETTLED, SETTLED_BATCH = 512, 32
"""Real tiles that batch normalisations are settled on, at most, and how many at once."""

GRID = (16, 32)
"""Single pixels that are drawn for a step, laid out as a tile, so that a loss of tiles can be
taken.
"""


def settle(
    net: nn.Module, real: NDArray[np.float32], scale: BandScale, seed: int, device: str
) -> None:
    """Take what batch normalisations know of the data from real tiles (n, T, B, H, W) alone; then
    it is in evaluation mode.

    While the network is trained they average over real and synthetic tiles, but what is to be named
    is real, and statistics of another domain cost more than the synthetic tiles bring (Wu and
    Johnson, Rethinking "Batch" in BatchNorm, 2021, arXiv:2105.07576, sections 3 and 5).
    """
    # Shuffled, as neighbours in one batch are alike, and their variance too small.
    settling = np.random.default_rng(seed).permutation(len(real))[:SETTLED]
    # Twice where it is one: brought down to a single pixel by a network it has no variance.
    settling = np.resize(settling, max(len(settling), 2))
    batches_of_rows = np.array_split(settling, -(-len(settling) // SETTLED_BATCH))

    def tiles() -> Iterator[Tensor]:
        for step, rows in enumerate(batches_of_rows):
            x = scale(real[rows])
            yield turn_batch(torch.from_numpy(x.reshape(len(x), -1, *x.shape[-2:])), step).reshape(
                x.shape
            )

    with seeded(seed, device):
        update_bn(tiles(), net, torch.device(device))
    net.eval()


def batches(data: TrainingTiles, scale: BandScale, size: int, seed: int, device: str) -> NextBatch:
    """Z-scored tiles (size, T, B, H, W) and their targets (size, H, W) int64.

    Tiles are drawn on the CPU, with replacement and in proportion to their weight, which has the
    same expected gradient as to weight their losses. Each is shown, with its mask, under one of the
    square's eight symmetries.
    """
    order = torch.Generator().manual_seed(seed)
    chances = torch.from_numpy(data.weight)

    def next_batch(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.multinomial(chances, size, replacement=True, generator=order).numpy()
        tiles, target = scale(data.images[rows]), data.target[rows]
        # As one stack of layers, so that a mask cannot be turned otherwise than its image.
        layers = np.concatenate(
            [tiles.reshape(size, -1, *tiles.shape[-2:]), target[:, None]], axis=1, dtype=np.float32
        )
        shown = turn_batch(torch.from_numpy(layers), step)
        x = shown[:, :-1].reshape(tiles.shape)
        return to_device(x, device), to_device(shown[:, -1].long(), device)

    return next_batch


def single_pixels(
    data: TrainingTiles, scale: BandScale, seed: int, device: str, *, synthetic: bool = False
) -> NextBatch:
    """Labelled pixels of tiles of one date, as one tile (1, B, *GRID) of z-scored unit-norm
    spectra, and their targets (1, *GRID) int64.

    They are those of real tiles; synthetic tiles lend only classes that no real tile shows, unless
    ``synthetic`` asks for all of their pixels. A
    spectrum by itself needs no generator, and spectra that went through an autoencoder are blurred:
    beside real ones they cost up to 9 mIoU on splits of the Houston crop. Of pixels with the same
    spectrum and label one is kept, with the largest weight, in proportion to which they are drawn,
    since tiles overlap.
    """
    bands = data.images.shape[2]
    labelled = data.target != IGNORED
    is_synthetic = np.broadcast_to(data.synthetic[:, None, None], labelled.shape)
    classes_of_real = np.unique(data.target[labelled & ~is_synthetic])
    if not synthetic:
        labelled &= ~is_synthetic | ~np.isin(data.target, classes_of_real)
    spectra = unit_norm(data.images)[:, 0].transpose(0, 2, 3, 1)[labelled]
    target = data.target[labelled]
    weight = np.broadcast_to(data.weight[:, None, None], labelled.shape)[labelled]
    distinct = heaviest_distinct(np.column_stack([spectra, target.astype(np.float32)]), weight)
    x = torch.from_numpy((spectra[distinct] - scale.mean[bands:]) / scale.std[bands:])
    y = torch.from_numpy(target[distinct])
    chosen = torch.from_numpy(weight[distinct])
    size = GRID[0] * GRID[1]
    chooser = torch.Generator().manual_seed(derive_seed("single pixels", seed))

    def next_batch(step: int) -> tuple[Tensor, Tensor]:
        drawn = torch.multinomial(chosen, size, replacement=True, generator=chooser)
        tile = x[drawn].T.reshape(1, bands, *GRID)
        return to_device(tile, device), to_device(y[drawn].reshape(1, *GRID), device)

    return next_batch


def criterion(data: TrainingTiles, recipe: DenseRecipe, device: str) -> Error:
    """Mean cross-entropy of the labelled pixels, plus ``recipe.dice`` times the Dice loss.

    With ``recipe.class_weights`` it is a weighted mean, by 1/√share of each pixel's class.
    """
    weight = None
    if recipe.class_weights:
        # The tiles of one phase may lack a class, whose weight then counts for no pixel.
        shares = np.maximum(data.share, np.finfo(np.float32).tiny)
        weight = torch.tensor(1 / np.sqrt(shares), dtype=torch.float32, device=device)

    def error(scores: Tensor, target: Tensor) -> Tensor:
        loss = cross_entropy(scores, target, weight=weight, ignore_index=IGNORED)
        return loss + recipe.dice * dice_loss(scores, target) if recipe.dice else loss

    return error


def dice_loss(scores: Tensor, target: Tensor) -> Tensor:
    """1 − the soft Dice coefficient 2·Σpg / (Σp + Σg), mean over the classes that the batch shows.

    Milletari, Navab and Ahmadi, V-Net, 3DV 2016, arXiv:1606.04797, section 3, has squares in the
    denominator; here it is without. The sums run over all labelled pixels of the batch, not tile by
    tile: many tiles show no change.

    Parameters
    ----------
    scores : (n, k, H, W) Tensor
    target : (n, H, W) int64 Tensor
        IGNORED where there is no label.
    """
    labelled = target != IGNORED
    truth = one_hot(target.clamp(min=0), scores.shape[1]).movedim(-1, 1) * labelled[:, None]
    guess = scores.softmax(dim=1) * labelled[:, None]
    area = truth.sum(dim=(0, 2, 3))
    overlap = (guess * truth).sum(dim=(0, 2, 3))
    dice = 2 * overlap / (guess.sum(dim=(0, 2, 3)) + area).clamp(min=1)
    shown = (area > 0).float()
    return 1 - (dice * shown).sum() / shown.sum().clamp(min=1)
