"""Sets of tiles on which plugins of masks are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.pairs import PairSet, Place, Side
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import IGNORE, DenseSamples, DenseView, PairCounts
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import TileSplit, draw_tiles, real_samples
from hsiaug.registry.card import Card
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.testing.core import require
from hsiaug.testing.task_cases import (
    LOW,
    NAMES,
    NOISE,
    OF_EACH,
    SPAN,
    Case,
    Items,
    case_facts,
    class_spectra,
    noisy,
    scrambled_labels,
    wrong_ids,
)

TILE, TILE_BANDS, ROWS = 16, 8, 2
"""Side of a tile in pixels, the smallest that the built-in networks read; bands; rows of tiles in a
place.
"""
TRAIN = ((1, 3), (2, 4), (3, 1), (4, 2), (1, 3), (1, 1), (3, 1), (1, 1), (2, 1), (3, 2))
TEST = ((3, 1), (4, 2), (1, 3), (2, 4), (2, 2), (2, 1))
"""Classes of the ground and of the square of each tile. Class 4 is in few, so that it shows where
class 4 is asked for; two tiles have a single class, and no change.
"""
SQUARE = slice(4, 13)
"""Rows and columns of the square in its tile."""
CORNERS = (0, 1, 2)
"""Training tiles that keep a few labels where most pixels are ignored; together they show every
class.
"""
CORNER = (slice(2, 9), slice(2, 9))
"""Pixels of a tile that keep their label where most are ignored: some of the square and some of the
ground.
"""
SHOWN, MANY = 0.6, 20
"""Least share of so many pairs of a class that must show it; 0.3 of the training tiles show class
4.
"""
FEW = 2
"""Labels of a class in masks that a classifier may lose, as nothing was asked of it but to go on.
"""


class RepeatedPairs:
    """A generator that gives real pairs once more."""

    card = Card(
        name="kit-repeats",
        version="1",
        summary="The conformance kit's generator",
        tasks=("segmentation", "change"),
    )

    def __init__(self, params: object) -> None: ...

    def fit(self, view: DenseView, **_: object) -> Self:
        self.repeated = DenseSamples.made(noisy(view.real.images), view.real.masks)
        return self

    def sample(self, counts: PairCounts, **_: object) -> DenseSamples:
        return self.repeated.take(np.resize(np.arange(len(self.repeated)), counts.total))


@dataclass(frozen=True)
class TileCases:
    """Squares on plain ground; the functions are those of :class:`PixelCases`.

    Attributes
    ----------
    hardest_sizes : sequence of mapping
        Labels of class ids of each of the hardest cases.
    """

    task: str
    dates: int
    hardest_sizes: Sequence[Mapping[int, int]]
    classes_have_spectra: bool = True
    generator: ClassVar = RepeatedPairs

    def easy(self) -> Case:
        return self._case(None)

    def hardest(self) -> list[Case]:
        return [self._case(sizes) for sizes in self.hardest_sizes]

    def _case(self, sizes: Mapping[int, int] | None) -> Case:
        split = _make_tiles(self.dates, sizes)
        return Case(self.task, split.pairs, split)

    def scrambled(self, case: Case, card: Card) -> Case:
        """Views of masks show no test tile, whatever the scope."""
        data, split = case.data, case.split
        train, test = data.places
        images = test.images[..., ::-1] + np.float32(SPAN)
        mask = scrambled_labels(test.mask, len(data.class_names))
        pairs = replace(data, places=(train, replace(test, images=images, mask=mask)))
        return Case(case.task, pairs, replace(split, pairs=pairs))

    def drawn(self, protocol: SplitProtocol, scene: Scene, seed: int) -> TileSplit:
        return draw_tiles(_halves(scene), protocol, seed, TILE)

    def request(self, trained: Sequence[int]) -> PairCounts:
        return PairCounts(8, {trained[0]: 0, trained[-1]: 3})

    def of_classes(self, counts: Mapping[int, int]) -> PairCounts:
        return PairCounts(sum(counts.values()), counts)

    def many(self, trained: Sequence[int]) -> PairCounts:
        return PairCounts(OF_EACH, {})

    def count_errors(self, samples: DenseSamples, expected: PairCounts) -> str:
        """Pairs are counted whatever they show; of one class alone, most of them must show it."""
        if len(samples) != expected.total:
            return f"{len(samples)} pairs in place of {expected.total}"
        parts = [c for c, _ in expected.parts()]
        if len(parts) != 1 or parts[0] is None or len(samples) < MANY:
            return ""
        share = float((samples.labels == parts[0]).any(axis=(1, 2)).mean())
        few = f"{share:.0%} of {len(samples)} pairs show class {parts[0]}, asked for"
        return "" if share >= SHOWN else few

    def inspect_labels(self, samples: DenseSamples, classes: int) -> None:
        y, confidence = samples.masks, samples.confidence
        allowed = np.arange(IGNORE, classes + 1)
        require(np.isin(y, allowed).all(), f"masks with ids {y.min()}..{y.max()}")
        if confidence is not None:
            require(confidence.dtype == np.float32, f"confidence {confidence.dtype}")
            # The shape is for the samples themselves to check.
            require(
                ((confidence >= 0) & (confidence <= 1)).all(),
                f"a confidence of {confidence.min():.3g}..{confidence.max():.3g}",
            )

    def of_class(self, samples: DenseSamples, c: int) -> NDArray[np.float32]:
        return np.asarray(samples.spectra[samples.masks == c])

    def visible(self, view: DenseView) -> NDArray[np.float32]:
        return np.asarray(view.real.images)

    def probes(self, case: Case, card: Card) -> tuple[Items, NDArray[np.int64]]:
        test = real_samples(case.split, case.split.test)
        return test.without_labels(), test.masks

    def judged_ids(self, y: NDArray[np.int64]) -> list[int]:
        ids, numbers = np.unique(y, return_counts=True)
        judged: list[int] = ids[(ids != IGNORE) & (numbers > FEW)].tolist()
        return judged

    def least(self, classes: int) -> float:
        """A quarter above what naming one class everywhere gives, unless there is one only."""
        return 1 / classes + 0.25 if classes > 1 else 0.0

    def repeat(self, real: DenseSamples) -> DenseSamples:
        """Each pair once."""
        return DenseSamples.made(noisy(real.images), real.masks)

    def mislabel(self, real: DenseSamples, classes: int) -> DenseSamples:
        repeated = self.repeat(real)
        masks = wrong_ids(repeated.masks, classes)
        wrong = replace(repeated, weight=np.zeros_like(repeated.weight), masks=masks)
        return concatenate([wrong] * 2)


def _halves(scene: Scene) -> PairSet:
    """The scene as two places, one of training and one of test."""
    pairs = PairSet.of(scene)
    middle = scene.shape[0] // 2
    (place,) = pairs.places

    def half(name: str, side: Side, rows: slice) -> Place:
        return Place(name, place.images[:, :, rows].copy(), place.mask[rows].copy(), side)

    train = half("one", "train", slice(middle))
    test = half("other", "test", slice(middle, None))
    return replace(pairs, places=(train, test))


def _make_tiles(dates: int, sizes: Mapping[int, int] | None = None) -> TileSplit:
    """Squares on plain ground, one per tile: a place of training and one of test, of five and three
    columns of tiles.

    The last row of each tile is ignored.

    The same arguments give the same case.

    Parameters
    ----------
    dates : int
        1 = four classes; 2 = what changes when the squares appear.
    sizes : mapping of int to int or None
        Of a hard case, the training pixels of some class ids, of which the others are
        ignored, as is all but a corner of a few training tiles; None: an easy one.
    """
    rng = np.random.default_rng(derive_seed("conformance", "places"))
    hard = sizes is not None
    train = _place("one", TRAIN, dates, hard, rng)
    test = _place("other", TEST, dates, hard, rng)
    mask = np.zeros_like(train.mask) if hard else train.mask.copy()
    for row, column in [_tiles(mask.shape)[tile] for tile in CORNERS] if hard else ():
        tile = (slice(row, row + TILE), slice(column, column + TILE))
        mask[tile][CORNER] = train.mask[tile][CORNER]
    for c, size in (sizes or {}).items():
        mask.ravel()[np.flatnonzero(mask == c)[size:]] = 0
    names = NAMES if dates == 1 else ("unchanged", "changed")
    places = (replace(train, mask=mask, part="train"), replace(test, part="test"))
    pairs = PairSet(
        "conformance", places, **case_facts(names, TILE_BANDS, "A square of {}.", hard=hard)
    )
    corners = [
        [(where, *corner) for corner in _tiles(place.mask.shape)]
        for where, place in enumerate(places)
    ]
    return TileSplit(
        pairs, tuple(corners[0]), tuple(corners[1]), parse_protocol("places"), TILE, 0, TILE
    )


def _place(
    name: str, cells: Sequence[tuple[int, int]], dates: int, hard: bool, rng: np.random.Generator
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
    spectra = class_spectra(len(NAMES), TILE_BANDS)
    images = np.stack([spectra[ids - 1].transpose(2, 0, 1) for ids in (ground, cover)[-dates:]])
    images = LOW + SPAN * (images + rng.normal(0, NOISE, images.shape))
    if hard:
        images[:, -2:] = np.array([LOW, 0.0])[:, None, None]
    return Place(name, images.astype(np.float32), mask)


def _tiles(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """First row and column of each tile, row by row."""
    return [
        (row, column) for row in range(0, shape[0], TILE) for column in range(0, shape[1], TILE)
    ]
