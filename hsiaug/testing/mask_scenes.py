"""The image–mask pairs that plugins for masks are checked on: squares on plain ground, one per tile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.pairs import PairSet, Place
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import TileSplit
from hsiaug.seeds import derive_seed
from hsiaug.testing.scenes import LOW, NAMES, NOISE, SPAN, class_spectra, facts
from hsiaug.testing.task_kit import Case

__all__ = ["make_places"]

TILE, BANDS, ROWS = 16, 8, 2
"""Side of a tile in pixels, the smallest that the built-in networks read; bands; rows of tiles in a place."""

TRAIN = ((1, 3), (2, 4), (3, 1), (4, 2), (1, 3), (1, 1), (3, 1), (1, 1), (2, 1), (3, 2))
TEST = ((3, 1), (4, 2), (1, 3), (2, 4), (2, 2), (2, 1))
"""For each tile, the class of its ground and that of its square. Class 4 is in few, so that it shows where class 4 is
asked for; two tiles have a single class, and no change."""

SQUARE = slice(4, 13)
"""Rows and columns of the square in its tile."""

CORNER = (slice(2, 9), slice(2, 9))
"""Pixels of a tile that keep their label where most are ignored: some of the square and some of the ground."""


def make_places(
    dates: int,
    sizes: Mapping[int, int] | None = None,
    *,
    constant: bool = False,
    bare: bool = False,
    labelled: Sequence[int] | None = None,
) -> Case[PairSet, TileSplit]:
    """A place of training and one of test, of five and three columns of tiles. The last row of each tile is ignored.

    dates: 1 = four classes; 2 = what changes when the squares appear. sizes: training pixels of some class ids, of which
    the others are ignored. constant, bare: as for scenes. labelled: training tiles that keep the
    labels of a corner, where all else is to be ignored. The same arguments give the same case.
    """
    rng = np.random.default_rng(derive_seed("conformance", "places"))
    places = [
        _place("one", TRAIN, dates, constant, rng),
        _place("other", TEST, dates, constant, rng),
    ]
    mask = places[0].mask.copy()
    if labelled is not None:
        mask = _corners(mask, labelled)
    for c, size in (sizes or {}).items():
        mask.ravel()[np.flatnonzero(mask == c)[size:]] = 0
    places[0] = replace(places[0], mask=mask, part="train")
    places[1] = replace(places[1], part="test")
    names = NAMES if dates == 1 else ("unchanged", "changed")
    pairs = PairSet(
        "conformance",
        tuple(places),
        **facts(names, BANDS, "A square of {}.", bare=bare),
    )
    corners = [[(where, *corner) for corner in _tiles(place.mask.shape)] for where, place in enumerate(places)]
    split = TileSplit(pairs, tuple(corners[0]), tuple(corners[1]), parse_protocol("places"), TILE, 0, TILE)
    return Case("segmentation" if dates == 1 else "change", pairs, split)


def _place(
    name: str, cells: Sequence[tuple[int, int]], dates: int, constant: bool, rng: np.random.Generator
) -> Place:
    """Tiles row by row."""
    shape = (ROWS * TILE, len(cells) // ROWS * TILE)
    ground, cover = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    for (row, column), (below, square) in zip(_tiles(shape), cells, strict=True):
        tile = (slice(row, row + TILE), slice(column, column + TILE))
        ground[tile] = cover[tile] = below
        cover[tile][SQUARE, SQUARE] = square
    mask = cover if dates == 1 else 1 + (cover != ground).astype(np.int16)
    mask = mask.copy()
    mask[TILE - 1 :: TILE] = 0
    spectra = class_spectra(len(NAMES), BANDS)
    images = np.stack([spectra[seen - 1].transpose(2, 0, 1) for seen in (ground, cover)[-dates:]])
    images = LOW + SPAN * (images + rng.normal(0, NOISE, images.shape))
    if constant:
        images[:, -2:] = np.array([LOW, 0.0])[:, None, None]
    return Place(name, images.astype(np.float32), mask)


def _tiles(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """First row and column of each tile, row by row."""
    return [(row, column) for row in range(0, shape[0], TILE) for column in range(0, shape[1], TILE)]


def _corners(mask: NDArray[np.int16], labelled: Sequence[int]) -> NDArray[np.int16]:
    """The mask with labels in a corner of some tiles alone."""
    kept = np.zeros_like(mask)
    for row, column in (_tiles(mask.shape)[tile] for tile in labelled):
        tile = (slice(row, row + TILE), slice(column, column + TILE))
        kept[tile][CORNER] = mask[tile][CORNER]
    return kept
