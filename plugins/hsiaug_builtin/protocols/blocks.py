"""Protocols of areas: ``blocks``, each for training or for test, and ``places``, whose sides the
data's makers named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Areas, Buffer, Card, Draw, InputError, PairSet, Scene, SplitProtocol
from hsiaug_builtin.protocols.halves import best_halves
from hsiaug_builtin.protocols.sampled import DEFAULT_RATIO, by_ratio, training_sizes


class Blocks(SplitProtocol):
    """For single pixels: B×B blocks, with the training pixels of ``issd``.

    For masks: half of the blocks of each place, of about B pixels, are for test
    (:func:`best_halves`), and of the tiles that fit into the others ``blocks:BxN`` takes N at
    random.
    """

    card = Card(
        "blocks",
        "1",
        "Blocks of B×B pixels, each for training or for testing",
        tasks=("pixels", "segmentation", "change"),
    )
    usage = (
        "blocks:B, the side of a block in pixels, as blocks:16; for masks also blocks:BxN, N tiles"
        " of training"
    )
    example = "16"

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        side, cross, tiles = argument.partition("x")
        return cls(cls.number(side) + (f"x{cls.number(tiles)}" if cross else ""), buffer)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        side, cross, _ = self.argument.partition("x")
        if cross:
            raise InputError(
                "a number of training tiles is for masks",
                value=repr(self.text),
                hint=f"Write blocks:{side}.",
            )
        sizes, notes = training_sizes(scene, by_ratio(DEFAULT_RATIO))
        train, dropped = _block_draw(scene.labels, sizes, int(side), self.rng(scene, seed))
        return Draw(train, dropped, notes)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        everywhere = tuple(np.ones(place.mask.shape, dtype=bool) for place in pairs.places)
        side, _, tiles = self.argument.partition("x")
        # As without the number: test tiles are the same at every size of the real set.
        whole = replace(self, argument=side)
        areas = best_halves(pairs, int(side), everywhere, whole, patch, whole.rng(pairs, seed))
        return replace(areas, tiles=int(tiles)) if tiles else areas


class Places(SplitProtocol):
    """Every split has the same test tiles, and all training tiles, or with ``places:N`` N of them
    at random. With ``@OVERLAP`` behind that, training tiles share this part of their side with the
    next.
    """

    card = Card(
        "places",
        "1",
        "Training and test places as the data set defines them",
        tasks=("segmentation", "change"),
    )
    usage = (
        "places, places:N for N training tiles, or places:N@OVERLAP for tiles that overlap, as"
        " places:237@0.6"
    )
    takes = "number"
    usual_argument = ""
    usual_buffer = "none"

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        tiles, at, overlap = argument.partition("@")
        number = cls.number(tiles) if tiles else ""
        return cls(number + (f"@{cls.number(overlap, whole=False)}" if at else ""), buffer)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        if not {"train", "test"} <= {place.part for place in pairs.places}:
            raise InputError(
                f"protocol {self.name} needs places of training and of test, which {pairs.name}"
                " does not name",
                hint="Use blocks:48, for example.",
            )
        shapes = {place.mask.shape for place in pairs.places}
        # One array for all whole places of a size: a set may have tens of thousands.
        whole = {
            (shape, inside): np.full(shape, inside) for shape in shapes for inside in (True, False)
        }
        train, test = (
            tuple(whole[place.mask.shape, place.part == role] for place in pairs.places)
            for role in ("train", "test")
        )
        tiles, _, overlap = self.argument.partition("@")
        return Areas(
            train,
            test,
            tiles=int(tiles) if tiles else None,
            overlap=float(overlap) if overlap else None,
        )


def _block_draw(
    labels: NDArray[np.int16], sizes: Mapping[int, int], side: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Train and dropped pixels: blocks are taken, class by class from the smallest on, until each
    has its pixels.

    A block is for training or for test, never for both: its other labelled pixels are dropped.
    """
    height, width = labels.shape
    down, right = rng.integers(side, size=2)
    across = (width + side - 1) // side + 1
    rows = (np.arange(height) + down) // side
    columns = (np.arange(width) + right) // side
    block = rows[:, None] * across + columns[None, :]
    order = rng.permutation(int(block.max()) + 1)
    chosen = np.zeros(len(order), dtype=bool)
    train = np.zeros(labels.shape, dtype=bool)
    for c in sorted(sizes, key=lambda c: ((labels == c).sum(), c)):
        pixels = np.flatnonzero(labels == c)
        home = block.flat[pixels]
        # Blocks already taken first, then in random order; stable, so a block's pixels stay
        # together.
        queue = pixels[np.lexsort((order[home], ~chosen[home]))][: sizes[c]]
        train.flat[queue] = True
        chosen[block.flat[queue]] = True
    return train, chosen[block] & (labels > 0) & ~train
