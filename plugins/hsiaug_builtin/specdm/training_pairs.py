"""Training pairs as tensors: who is drawn how often, and in which turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from hsiaug.api import DenseView, PluginError, Progress, check_memory
from hsiaug_builtin.diffusion.training import TrainingRun
from hsiaug_builtin.nets.seeded import normal
from hsiaug_builtin.nets.views import SYMMETRIES, symmetry
from hsiaug_builtin.specdm.losses import Losses
from hsiaug_builtin.specdm.params import (
    LdmParams,
    QuiltParams,
    TrainedParams,
    levels_of,
)
from hsiaug_builtin.specdm.tileformat import TileFormat


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a :class:`TileFormat`.

    Attributes
    ----------
    x : (n, T·B, P, P) float32 Tensor
    y : (n, P, P) int64 Tensor
        Indices of ids.
    weight : (n,) float64 Tensor
        How often each is drawn.
    shares : (n, K) float32 Tensor
        Each id's share of the tile.
    """

    x: Tensor
    y: Tensor
    weight: Tensor
    shares: Tensor

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class PairRun(TrainingRun):
    """Shared by all stages of a fit on pairs."""

    format: TileFormat
    pairs: Pairs
    params: TrainedParams
    losses: Losses

    @classmethod
    def of(
        cls,
        view: DenseView,
        params: TrainedParams,
        losses: Losses,
        *,
        seed: int,
        device: str,
        progress: Progress,
        checkpoint: Path | None,
        images: TileFormat | None = None,
    ) -> PairRun:
        """What a training on the tiles of a view needs.

        Parameters
        ----------
        images : TileFormat or None
            The format of the images, where it is there already.

        Raises
        ------
        PluginError
            For tiles that cannot be learnt from, or too many for the memory.
        """
        check_room(view, params)
        real = view.real
        form = TileFormat.of(real, len(view.class_names), smallest(view, params))
        form = form if images is None else replace(images, ids=form.ids)
        shares = form.shares(real.masks)
        pairs = Pairs(
            x=form.images(real.images).to(device),
            y=form.masks(real.masks).to(device),
            weight=(
                draw_weights(torch.from_numpy(shares), form.ids)
                if _balanced(params)
                else torch.ones(len(shares)).double()
            ),
            shares=torch.from_numpy(shares.astype(np.float32)),
        )
        return cls(
            seed=seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
            format=form,
            pairs=pairs,
            params=params,
            losses=losses,
        )

    def of_stages(self, steps: Mapping[str, int]) -> Self:
        """The same run, whose progress counts the steps of all stages together.

        Parameters
        ----------
        steps : mapping of str to int
            Optimiser steps of each stage by its note, in their order.
        """
        starts = dict(zip(steps, accumulate(steps.values(), initial=0), strict=False))
        whole = sum(steps.values())

        def progress(done: int, total: int, note: str = "") -> None:
            self.progress(starts[note] + done, whole, note)

        return replace(self, progress=progress)

    def rows(self, rng: torch.Generator) -> tuple[Tensor, list[int]]:
        """A batch: rows (b,) int64, rare classes more often, and a turn for each."""
        rows = torch.multinomial(
            self.pairs.weight, self.params.network.batch, replacement=True, generator=rng
        )
        turns = torch.randint(SYMMETRIES, (len(rows),), generator=rng)
        return rows, turns.tolist() if turned(self.params) else [0] * len(rows)

    def cut(self, data: Tensor, rows: Tensor, turns: list[int]) -> Tensor:
        """``data`` (n, …, P, P) of a batch of :meth:`rows`."""
        return torch.stack(
            [symmetry(data[row], turn) for row, turn in zip(rows.tolist(), turns, strict=True)]
        )

    def noise(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Normal numbers of a shape."""
        return normal(like.shape, rng, self.device)


def check_room(view: DenseView, params: TrainedParams) -> None:
    """Refuse tiles whose training does not fit into memory, before any of it starts: the tiles as
    tensors, their masks class by class, both once more while they are encoded, and their latents at
    all levels.

    Raises
    ------
    PluginError
        Names what is needed and what is free.
    """
    tiles = view.real.images
    channels = tiles.shape[1] * tiles.shape[2]
    classes = len(view.class_names) + 1
    values = 2 * (channels + classes) + 2 * (6 * tiles.shape[1] + classes)
    training = 64 * params.network.local_tokens * max(params.network.local_width)
    needed = 4 * (len(tiles) * tiles.shape[3] * tiles.shape[4] * values + training)
    check_memory(
        f"training on {len(tiles):,} tiles of {tiles.shape[3]}×{tiles.shape[4]} pixels",
        needed,
        hint="Take fewer training tiles, smaller ones or fewer bands, or free memory.",
        error=PluginError,
    )


def turned(params: TrainedParams) -> bool:
    """Whether tiles are learnt in eight turns; those of ``quilt`` always are."""
    return isinstance(params, QuiltParams) or params.turns


def _balanced(params: TrainedParams) -> bool:
    return isinstance(params, QuiltParams) or params.balanced


def smallest(view: DenseView, params: TrainedParams) -> int:
    """Pixels that the side of a tensor is a multiple of."""
    if isinstance(params, LdmParams):
        return 1 << levels_of(view.patch) - 1
    return params.factor_of(view.patch) << len(params.network.levels) - 1


def draw_weights(shares: Tensor, ids: tuple[int, ...]) -> Tensor:
    """(n,) max over the classes c in a tile of 1/√(share of c in all tiles), from shares (n, K) per
    tile.

    Ignored pixels do not count; a tile that has no others weighs as the least of the rest.
    """
    labelled = torch.tensor([c != 0 for c in ids])
    overall = shares[:, labelled].mean(dim=0)
    weight = ((shares[:, labelled] > 0) / (overall / overall.sum()).sqrt()).amax(dim=1)
    return torch.where(weight > 0, weight, weight[weight > 0].min())
