"""The data on which plugins are checked: easy ones of each task, and such as have troubles."""

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

TASKS = ("pixels", "segmentation", "change")
"""The tasks in which plugins can be checked."""
NAMES = ("Meadow", "Maize", "Orchard", "Pond")
"""Names of the classes of a case, of which some may be missing."""
LOW, SPAN = 6000.0, 4000.0
"""Scene units: digital numbers, far from 0 and from a standard deviation of 1, so that samples
which were not brought back to scene units are seen at once.
"""
NOISE = 0.015
"""Standard deviation of pixels round the spectrum of their class, as a share of SPAN."""
SIZES = (16, 8, 5, 3)
"""Training pixels of each class of a scene, unless a check asks for others."""
STRIPE, WIDTH, SCENE_BANDS, PATCH = 6, 22, 16, 5
"""Rows of a stripe of a scene (the last of them without label), columns, bands; side of a patch."""
TEST_FROM = 14
"""Test pixels of a scene start at this column: far from any training patch."""
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


@dataclass(frozen=True, eq=False)
class Case:
    """Data of a task, and the split that plugins see them under."""

    task: str
    data: Scene | PairSet
    split: Split | TileSplit


def easy_case(task: str) -> Case:
    """The case of most checks."""
    return _make_stripes() if task == "pixels" else _make_tiles(_dates(task))


def hardest_cases(task: str) -> list[Case]:
    """All troubles at once, in as few cases as they can be; in the last a class is missing."""
    if task == "pixels":
        return [_make_stripes((12, 2, 1, 0), hard=True)]
    # Of two classes, one must be whole for a recall to tell anything.
    sizes: Sequence[dict[int, int]] = ({}, {2: 2}, {2: 0}) if task == "change" else ({2: 0, 4: 1},)
    return [_make_tiles(_dates(task), s) for s in sizes]


def scramble(case: Case, card: Card) -> Case:
    """The same but for what the card's plugin may not see: all test labels are wrong, hidden
    spectra others, and classes not described unless it reads text.

    Views of masks show no test tile, whatever the scope.
    """
    data = case.data if card.text else replace(case.data, descriptions={})
    split = case.split
    if isinstance(data, Scene) and isinstance(split, Split):
        labels = data.labels.copy()
        cube = data.cube.copy()
        labels[split.test] = _wrong(labels[split.test], len(data.class_names))
        if card.scope != "scene":
            cube[split.test] = cube[split.test][::-1] + np.float32(SPAN)
        altered = replace(data, cube=cube, labels=labels)
        return Case(case.task, altered, replace(split, labels=altered.labels))
    assert isinstance(data, PairSet) and isinstance(split, TileSplit)
    train, test = data.places
    images = test.images[..., ::-1] + np.float32(SPAN)
    pairs = replace(
        data,
        places=(train, replace(test, images=images, mask=_wrong(test.mask, len(data.class_names)))),
    )
    return Case(case.task, pairs, replace(split, pairs=pairs))


def _dates(task: str) -> int:
    return 2 if task == "change" else 1


def _wrong(labels: NDArray[np.int16], classes: int) -> NDArray[np.int16]:
    """Every label of any shape replaced by another of 1..``classes``; 0 stays."""
    # By random steps: a shift of all would keep how often each label occurs.
    steps = np.random.default_rng(derive_seed("scrambled")).integers(1, classes, size=labels.shape)
    return np.where(labels > 0, (labels - 1 + steps) % classes + 1, 0).astype(np.int16)


def _spectra(classes: int, bands: int) -> NDArray[np.float64]:
    """(C, B) of 0..1."""
    grid = np.linspace(0, 1, bands)
    c = np.arange(classes)[:, None]
    return np.asarray(0.2 + 0.15 * c + 0.1 * np.sin(np.pi * (1 + c) * grid))


def _facts(names: Sequence[str], bands: int, description: str, *, hard: bool) -> dict[str, Any]:
    """Metadata of a case.

    Parameters
    ----------
    hard : bool
        No wavelengths, ground sampling distance or descriptions.
    """
    return {
        "class_names": tuple(names),
        "wavelengths": None if hard else np.linspace(450.0, 2350.0, bands),
        "gsd": None if hard else 2.0,
        "units": "digital numbers",
        "descriptions": (
            {} if hard else {name: (description.format(name.lower()),) for name in names}
        ),
    }


def _make_stripes(sizes: Sequence[int] = SIZES, *, hard: bool = False) -> Case:
    """A scene of one stripe of rows per class; training pixels at its left, test pixels at its
    right.

    The same arguments give the same case.

    Parameters
    ----------
    sizes : sequence of int
        Training pixels of class ids 1..C.
    hard : bool
        The last two bands do not vary, the very last being 0, and there are neither
        wavelengths nor descriptions.
    """
    rng = np.random.default_rng(derive_seed("conformance", 0))
    labels = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int16), STRIPE)[:, None].repeat(
        WIDTH, axis=1
    )
    cube = _spectra(len(sizes), SCENE_BANDS)[labels - 1]
    cube = LOW + SPAN * (cube + rng.normal(0, NOISE, cube.shape))
    if hard:
        cube[..., -2:] = LOW, 0.0
    labels[STRIPE - 1 :: STRIPE] = 0
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in enumerate(sizes):
        order = np.arange(size)
        train[c * STRIPE + order % (STRIPE - 1), order // (STRIPE - 1)] = True
    test = labels > 0
    test[:, :TEST_FROM] = False
    facts = _facts(NAMES[: len(sizes)], SCENE_BANDS, "A stripe of {} beside others.", hard=hard)
    scene = Scene("conformance", cube.astype(np.float32), labels, **facts)
    return Case(
        "pixels",
        scene,
        Split(scene.labels, len(sizes), train, test, parse_protocol("issd"), PATCH, 0),
    )


def _make_tiles(dates: int, sizes: Mapping[int, int] | None = None) -> Case:
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
        "conformance", places, **_facts(names, TILE_BANDS, "A square of {}.", hard=hard)
    )
    corners = [
        [(where, *corner) for corner in _tiles(place.mask.shape)]
        for where, place in enumerate(places)
    ]
    split = TileSplit(
        pairs, tuple(corners[0]), tuple(corners[1]), parse_protocol("places"), TILE, 0, TILE
    )
    return Case("segmentation" if dates == 1 else "change", pairs, split)


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
    spectra = _spectra(len(NAMES), TILE_BANDS)
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
