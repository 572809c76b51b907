"""The made-up data on which plugins are checked: a scene of stripes for plugins of pixels, tiles
with a square each for plugins of masks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.pairs import PairSet, Place
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.registry.card import Card

NAMES = ("Meadow", "Maize", "Orchard", "Pond")
LOW, SPAN = 6000.0, 4000.0
"""Scene units: digital numbers, far from 0 and from a standard deviation of 1, so that samples
which were not brought back to scene units are seen at once.
"""
NOISE = 0.015
"""Standard deviation of pixels round the spectrum of their class, as a share of SPAN."""

STRIPE, WIDTH, SCENE_BANDS, PATCH = 6, 22, 16, 5
"""Rows of a stripe of the scene (the last of them without label), columns, bands; side of a patch.
"""
TEST_FROM = 14
"""Test pixels of the scene start at this column: far from any training patch."""

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
KEPT_TILES, CORNER = 3, slice(2, 9)
"""Of hard data, the training tiles that keep a few labels, which together show every class, and the
rows and columns of a tile that keep them: some of the square and some of the ground.
"""

Sizes = Mapping[int, int]
"""Training pixels of class ids."""

EASY: Sizes = {1: 16, 2: 8, 3: 5, 4: 3}
HARD: Mapping[str, Sequence[Sizes]] = {
    "pixels": ({1: 12, 2: 2, 3: 1, 4: 0},),
    "segmentation": ({2: 0, 4: 1},),
    # Of two classes, one must be whole for a recall to tell anything.
    "change": ({}, {2: 2}, {2: 0}),
}
"""By task, the sizes of classes in each of its hard cases: in the last a class is missing."""


@dataclass(frozen=True, eq=False)
class Case:
    """Data of a task, and the split that plugins see them under."""

    task: str
    data: Any
    split: Any


def easy_case(task: str) -> Case:
    """The case of most checks. The same task gives the same case."""
    return _stripes(EASY, hard=False) if task == "pixels" else _squares(task, None)


def hard_cases(task: str) -> list[Case]:
    """Classes with a few training pixels and one with none, bands that do not vary, neither
    wavelengths nor descriptions, all at once.
    """
    if task == "pixels":
        return [_stripes(sizes, hard=True) for sizes in HARD[task]]
    return [_squares(task, sizes) for sizes in HARD[task]]


def scrambled(case: Case, card: Card) -> Case:
    """A case, the same but for what a plugin of that card may not see: all test labels are wrong,
    hidden spectra others, and classes not described unless it reads text.
    """
    data, split = case.data, case.split
    if not card.text:
        data = replace(data, descriptions={})
    if case.task == "pixels":
        labels, cube = data.labels.copy(), data.cube.copy()
        labels[split.test] = _other_labels(labels[split.test])
        if card.scope != "scene":
            cube[split.test] = cube[split.test][::-1] + np.float32(SPAN)
        data = replace(data, cube=cube, labels=labels)
        return Case(case.task, data, replace(split, labels=data.labels))
    # Views of masks show no test tile, whatever the scope.
    train, test = data.places
    images = test.images[..., ::-1] + np.float32(SPAN)
    mask = _other_labels(test.mask, len(data.class_names))
    data = replace(data, places=(train, replace(test, images=images, mask=mask)))
    return Case(case.task, data, replace(split, pairs=data))


def _other_labels(labels: NDArray[np.int16], classes: int = len(NAMES)) -> NDArray[np.int16]:
    """Every label replaced by another of 1..``classes``; 0 stays."""
    # By random steps: a shift of all would keep how often each label occurs.
    steps = np.random.default_rng(derive_seed("scrambled")).integers(1, classes, size=labels.shape)
    return np.where(labels > 0, (labels - 1 + steps) % classes + 1, 0).astype(np.int16)


def _spectra(bands: int) -> NDArray[np.float64]:
    """(C, B) of 0..1."""
    grid = np.linspace(0, 1, bands)
    c = np.arange(len(NAMES))[:, None]
    return np.asarray(0.2 + 0.15 * c + 0.1 * np.sin(np.pi * (1 + c) * grid))


def _facts(names: Sequence[str], bands: int, description: str, *, hard: bool) -> dict[str, Any]:
    """Metadata of a case."""
    return {
        "class_names": tuple(names),
        "wavelengths": None if hard else np.linspace(450.0, 2350.0, bands),
        "gsd": None if hard else 2.0,
        "units": "digital numbers",
        "descriptions": (
            {} if hard else {name: (description.format(name.lower()),) for name in names}
        ),
    }


def _stripes(sizes: Sizes, *, hard: bool) -> Case:
    """A scene of one stripe of rows per class; training pixels at its left, test pixels at its
    right.
    """
    rng = np.random.default_rng(derive_seed("conformance", 0))
    labels = np.repeat(np.arange(1, len(NAMES) + 1, dtype=np.int16), STRIPE)
    labels = labels[:, None].repeat(WIDTH, axis=1)
    cube = _spectra(SCENE_BANDS)[labels - 1]
    cube = LOW + SPAN * (cube + rng.normal(0, NOISE, cube.shape))
    if hard:
        cube[..., -2:] = LOW, 0.0
    labels[STRIPE - 1 :: STRIPE] = 0
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in sizes.items():
        column, row = np.divmod(np.arange(size), STRIPE - 1)
        train[(c - 1) * STRIPE + row, column] = True
    test = labels > 0
    test[:, :TEST_FROM] = False
    facts = _facts(NAMES, SCENE_BANDS, "A stripe of {} beside others.", hard=hard)
    scene = Scene("conformance", cube.astype(np.float32), labels, **facts)
    protocol = parse_protocol("issd")
    return Case("pixels", scene, Split(scene.labels, len(NAMES), train, test, protocol, PATCH, 0))


def _squares(task: str, sizes: Sizes | None) -> Case:
    """Squares on plain ground, one per tile: a place of training and one of test, of five and three
    columns of tiles. The last row of each tile is ignored.

    Parameters
    ----------
    sizes : mapping of int to int or None
        Of a hard case, the training pixels of some class ids, of which the others are ignored, as
        is all but a corner of a few training tiles; None: an easy one.
    """
    rng = np.random.default_rng(derive_seed("conformance", "places"))
    dates, names = (2, ("unchanged", "changed")) if task == "change" else (1, NAMES)
    hard = sizes is not None
    train = _place("one", TRAIN, dates, hard, rng)
    test = _place("other", TEST, dates, hard, rng)
    mask = train.mask.copy()
    if hard:
        kept = np.zeros(mask.shape, dtype=bool)
        for row, column in _corners(mask.shape)[:KEPT_TILES]:
            kept[row : row + TILE, column : column + TILE][CORNER, CORNER] = True
        mask[~kept] = 0
    for c, size in (sizes or {}).items():
        mask.ravel()[np.flatnonzero(mask == c)[size:]] = 0
    places = (replace(train, mask=mask, part="train"), replace(test, part="test"))
    facts = _facts(names, TILE_BANDS, "A square of {}.", hard=hard)
    pairs = PairSet("conformance", places, **facts)
    sides = [
        tuple((where, *corner) for corner in _corners(place.mask.shape))
        for where, place in enumerate(places)
    ]
    protocol = parse_protocol("places")
    return Case(task, pairs, TileSplit(pairs, sides[0], sides[1], protocol, TILE, 0, TILE))


def _place(
    name: str, cells: Sequence[tuple[int, int]], dates: int, hard: bool, rng: np.random.Generator
) -> Place:
    """Tiles row by row; of two dates, what changes when the squares appear."""
    shape = (ROWS * TILE, len(cells) // ROWS * TILE)
    ground, cover = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    for (row, column), (below, square) in zip(_corners(shape), cells, strict=True):
        tile = (slice(row, row + TILE), slice(column, column + TILE))
        ground[tile] = cover[tile] = below
        cover[tile][SQUARE, SQUARE] = square
    mask = cover.copy() if dates == 1 else 1 + (cover != ground).astype(np.int16)
    mask[TILE - 1 :: TILE] = 0
    spectra = _spectra(TILE_BANDS)
    images = np.stack([spectra[ids - 1].transpose(2, 0, 1) for ids in (ground, cover)[-dates:]])
    images = LOW + SPAN * (images + rng.normal(0, NOISE, images.shape))
    if hard:
        images[:, -2:] = np.array([LOW, 0.0])[:, None, None]
    return Place(name, images.astype(np.float32), mask)


def _corners(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """First row and column of each tile, row by row."""
    return [
        (row, column) for row in range(0, shape[0], TILE) for column in range(0, shape[1], TILE)
    ]
