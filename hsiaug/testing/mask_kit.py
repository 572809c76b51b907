"""Segmentation and change detection as the checks see them."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.pairs import PairSet, Place
from hsiaug.core.tiles import IGNORE, DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import TileSplit, real_samples
from hsiaug.registry.card import Card
from hsiaug.testing.core import require
from hsiaug.testing.reference_plugins import noisy_pairs
from hsiaug.testing.task_kit import LOW, NAMES, NOISE, SPAN, Case, TaskKit, class_spectra, facts, wrong_labels

__all__ = ["MaskKit"]

SHOWN = 0.6
"""Least share of the pairs which a class was asked for that must show it; 0.3 of the training tiles show class 4."""

MANY = 20
"""Pairs of a class of which that share is taken."""

CORNERS = (0, 1, 2)
"""Training tiles that keep a few labels where most pixels are ignored; together they show every class."""

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


class MaskKit(TaskKit[PairSet, TileSplit, DenseView, DenseSamples, Tiles, PairCounts]):
    """:class:`hsiaug.testing.task_kit.TaskKit` for pairs of tiles and masks.

    task: "segmentation", with four classes, or "change".
    """

    spectra, class_ids, items_type = "images", "masks", Tiles
    others = "tiles are of many pixels"
    few = 2
    copies = 2

    def __init__(self, task: str) -> None:
        self.task = task
        self.dates = 2 if task == "change" else 1
        self.troubles = {
            "tiny-classes": {"sizes": {2: 2} if self.dates == 2 else {3: 2, 4: 1}},
            "class-missing": {"sizes": {2: 0}},
            "constant-bands": {"constant": True},
            "bare-scene": {"bare": True},
            "ignored-pixels": {"labelled": CORNERS},
        }

    def case(self, **trouble: Any) -> Case[PairSet, TileSplit]:
        return _tiled(self.dates, **trouble)

    def hardest(self) -> tuple[Case[PairSet, TileSplit], ...]:
        # Of two classes, one must be whole for a recall to tell anything.
        sizes = ({}, {2: 2}, {2: 0}) if self.dates == 2 else ({2: 0, 4: 1},)
        return tuple(_tiled(self.dates, s, constant=True, bare=True, labelled=CORNERS) for s in sizes)

    def scrambled(self, case: Case[PairSet, TileSplit], card: Card) -> Case[PairSet, TileSplit]:
        """Both labels and images of the place of test: views of masks show no test tile, whatever the scope."""
        pairs = case.data
        train, test = pairs.places
        images = test.images[..., ::-1] + np.float32(SPAN)
        other = replace(test, images=images, mask=wrong_labels(test.mask, len(pairs.class_names)))
        pairs = replace(pairs, places=(train, other))
        return Case(self.task, pairs, replace(case.split, pairs=pairs))

    def request(self, trained: Sequence[int]) -> PairCounts:
        return PairCounts(8, {trained[0]: 0, trained[-1]: 3})

    def of_classes(self, counts: Mapping[int, int]) -> PairCounts:
        return PairCounts(sum(counts.values()), counts)

    def miscounted(self, made: DenseSamples, request: PairCounts) -> str:
        """Pairs are counted whatever they show; of one class alone, most of them must show it."""
        if len(made) != request.total:
            return f"{len(made)} pairs in place of {request.total}"
        parts = [c for c, _ in request.parts()]
        if len(parts) == 1 and parts[0] is not None and len(made) >= MANY:
            share = float((made.masks == parts[0]).any(axis=(1, 2)).mean())
            return "" if share >= SHOWN else f"{share:.0%} of {len(made)} pairs show class {parts[0]}, asked for"
        return ""

    def inspect(self, made: DenseSamples, view: DenseView) -> None:
        require(isinstance(made, DenseSamples), f"a {type(made).__name__}")
        shape, found = view.real.images.shape[1:], made.images
        require(found.shape[1:] == shape and found.dtype == np.float32, f"images {found.dtype} {found.shape}")
        require(made.masks.dtype == np.int64, f"masks {made.masks.dtype}")
        known = np.arange(IGNORE, len(view.class_names) + 1)
        require(np.isin(made.masks, known).all(), f"masks with ids {made.masks.min()}..{made.masks.max()}")
        sure = made.confidence
        if sure is not None:
            require(sure.dtype == np.float32, f"confidence {sure.dtype}")
            # The shape is for the samples themselves to check.
            require(((sure >= 0) & (sure <= 1)).all(), f"a confidence of {sure.min():.3g}..{sure.max():.3g}")

    def of_class(self, samples: DenseSamples, c: int) -> NDArray[Any]:
        return np.asarray(samples.images.transpose(0, 3, 4, 1, 2)[samples.masks == c])

    def visible(self, view: DenseView) -> NDArray[Any]:
        return view.real.images

    def moved(self, items: Tiles) -> Tiles:
        raise unittest.SkipTest("tiles have no location")

    def probes(self, case: Case[PairSet, TileSplit], card: Card) -> tuple[Tiles, NDArray[Any]]:
        test = real_samples(case.split, case.split.test)
        return self.items(test), test.masks

    def least(self, classes: int) -> float:
        """A quarter above what naming one class everywhere gives, unless there is one only."""
        return 1 / classes + 0.25 if classes > 1 else 0.0

    def repeated(self, real: DenseSamples) -> DenseSamples:
        return noisy_pairs(real)

    def single(self, real: DenseSamples, c: int) -> DenseSamples:
        """Tiles that show the class; what else they show is ignored."""
        masks = np.where(real.masks == c, c, IGNORE)
        return replace(real, masks=masks).take((masks == c).any(axis=(1, 2)))


def _tiled(
    dates: int,
    sizes: Mapping[int, int] | None = None,
    *,
    constant: bool = False,
    bare: bool = False,
    labelled: Sequence[int] | None = None,
) -> Case[PairSet, TileSplit]:
    """Squares on plain ground, one per tile: a place of training and one of test, of five and three columns of tiles.

    The last row of each tile is ignored.

    dates: 1 = four classes; 2 = what changes when the squares appear. sizes: training pixels of some class ids, of which
    the others are ignored. constant, bare: as for scenes. labelled: training tiles that keep the
    labels of a corner, where all else is to be ignored. The same arguments give the same case.
    """
    rng = np.random.default_rng(derive_seed("conformance", "places"))
    train = _place("one", TRAIN, dates, constant, rng)
    test = _place("other", TEST, dates, constant, rng)
    mask = train.mask.copy() if labelled is None else _corners(train.mask, labelled)
    for c, size in (sizes or {}).items():
        mask.ravel()[np.flatnonzero(mask == c)[size:]] = 0
    names = NAMES if dates == 1 else ("unchanged", "changed")
    places = (replace(train, mask=mask, part="train"), replace(test, part="test"))
    pairs = PairSet("conformance", places, **facts(names, BANDS, "A square of {}.", bare=bare))
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
