"""Do made tiles have the layout of real ones, and do their masks lie on it?

Held-out tiles are test tiles, masks included: a diagnosis after every fit, never a means to choose
one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import Indexable
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.extractor import Blocks, fit_axes, one_hot
from hsiaug.metrics.dense.layout_extractor import LAYOUT_EXTRACTOR, layout_blocks
from hsiaug.metrics.dense.mask_layout import CHANGED
from hsiaug.metrics.dense.tile_maps import (
    date_maps,
    date_space,
    join_dates,
    mask_statistics,
    random_tiles,
)
from hsiaug.metrics.image_damages import permute_masks, shuffle_blocks
from hsiaug.metrics.layout import LayoutMaps, edge_threshold, layout_maps
from hsiaug.metrics.layout_measures import (
    JUDGES,
    LayoutJudge,
    MappedSide,
    TestDesign,
    layout_measures,
)
from hsiaug.metrics.layout_statistics import (
    STATISTICS,
    TOLD,
    statistics_by_column,
)
from hsiaug.metrics.measures import Measures, MeasureTable, Values
from hsiaug.metrics.patch_distances import block_means
from hsiaug.metrics.spatial_folds import spatial_cells
from hsiaug.metrics.spectra import Space, at_most, frechet_between
from hsiaug.metrics.two_sample import match_made

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

TILES = 120
"""Tiles of a set that are compared at most."""
WINDOW = 16
"""Side in pixels of the windows that classifiers see; whole tiles where these are smaller."""
WINDOWS = 60
"""Windows of a kind in a cell at most."""
REPEATS = 5
"""Draws of tiles that distances are averaged over."""
TESTED = 300
"""Windows of each side of a two-sample test at most."""
BLOCK = 4
"""Side of the blocks that are shuffled, as the worst generator's were."""

_ID = f"({LAYOUT_EXTRACTOR})"
MEASURES: MeasureTable = {
    **TOLD,
    "fd_layout": (f"Fréchet distance of layout {_ID}", "", "as held-out"),
    "fd_layout_1": (f"Fréchet distance of layout, date 1 {_ID}", "", "as held-out"),
    "fd_layout_2": (f"Fréchet distance of layout, date 2 {_ID}", "", "as held-out"),
    "fd_layout_mask": (f"Fréchet distance of layout, masks {_ID}", "", "as held-out"),
    "change": ("change inside the mask / outside", "", "as held-out"),
    "change_rank": ("changed pixels differ more than unchanged ones", "%", "as held-out"),
    "mask_edges": ("image gradient at mask edges, mean percentile", "%", "as held-out"),
    "beside_edges": ("image gradient elsewhere, mean percentile", "%", "as held-out"),
    **STATISTICS,
}
"""Label, unit, and what is good, by the name of a measure; the order of the table."""


def dense_layout(
    train: DenseSamples,
    held_out: DenseSamples,
    synthetic: DenseSamples,
    places: NDArray[np.integer],
    *,
    classes: int,
    judges: Mapping[str, LayoutJudge] = JUDGES,
) -> Measures:
    """Compare the layout of made tiles and masks with that of real ones.

    Parameters
    ----------
    train, held_out, synthetic : DenseSamples
        Real training, real held-out and made tiles of one shape, in the data's units.
    places : (n, 3) integers
        Where each held-out tile lies: its image, and its first row and column.
    classes : int
        Number of classes C.
    judges : mapping of name to LayoutJudge
        Classifiers of the two-sample test.

    Returns
    -------
    Measures
        "shuffled" are held-out tiles whose 4×4 blocks are shuffled, and where masks are asked for,
        held-out tiles with the masks of others.
    """
    rng = np.random.default_rng(derive_seed("dense layout", 0))
    train_tiles, held_out_tiles, synthetic_tiles = (
        tiles.take(random_tiles(len(tiles), TILES, rng)) for tiles in (train, held_out, synthetic)
    )
    space = date_space(train_tiles, rng)
    mixed = replace(held_out_tiles, images=shuffle_blocks(held_out_tiles.images, BLOCK, 1.0, rng))
    moved = replace(held_out_tiles, masks=permute_masks(held_out_tiles.masks, 1.0, rng))
    sets = {
        "made": synthetic_tiles,
        "held_out": held_out_tiles,
        "training": train_tiles,
        "shuffled": mixed,
    }
    maps = {name: date_maps(tiles, space) for name, tiles in sets.items()}
    joined = {name: join_dates(dates) for name, dates in maps.items()}
    columns = statistics_by_column(joined, edge_threshold(joined["training"].scores))
    for name, column in _distances(sets, maps, classes, rng).items():
        columns[name] |= column
    for name, tiles in (sets | {"shuffled": moved}).items():
        columns[name] |= mask_statistics(
            tiles, maps["held_out" if name == "shuffled" else name], space
        )
    design = _design(held_out, synthetic, places, space, classes, rng)
    few = "too few separate blocks of held-out tiles for a two-sample test"
    notes = (few,) if design is None else ()
    return layout_measures(MEASURES, columns, len(synthetic_tiles), design, judges, notes)


def _distances(
    sets: Mapping[str, DenseSamples],
    maps: Mapping[str, list[LayoutMaps]],
    classes: int,
    rng: np.random.Generator,
) -> dict[str, Values]:
    """Fréchet distances to training tiles, by column; of training tiles themselves, that of one
    half to the other.
    """
    dates = len(maps["training"])
    columns: dict[str, Values] = {name: {} for name in sets}
    kinds = {f"fd_layout_{t + 1}" if dates > 1 else "fd_layout": t for t in range(dates)}
    shuffled = shuffle_blocks(sets["held_out"].masks, BLOCK, 1.0, rng)
    for name, t in {**kinds, "fd_layout_mask": None}.items():
        blocks = {}
        for column, tiles in sets.items():
            masks = shuffled if column == "shuffled" else tiles.masks
            if t is None:
                blocks[column] = layout_blocks(one_hot(masks, classes), "mask")
            else:
                blocks[column] = layout_blocks(maps[column][t].scores, "image")
        for column, value in distances_to_training(blocks, rng).items():
            columns[column][name] = value
    return columns


def distances_to_training(
    blocks: Mapping[str, Blocks], rng: np.random.Generator
) -> dict[str, float | None]:
    """Fréchet distances of sets to the training set, all of one size: that of the smallest, or half
    the training set.

    Means over five draws.

    Parameters
    ----------
    blocks : mapping of name to Blocks
        Features of each set; one is called "training".
    rng : Generator
        Chooses the tiles.

    Returns
    -------
    dict of str to float or None
        "training" is the distance of its two halves. None for fewer than two tiles.
    """
    axes = fit_axes(blocks["training"])
    scores = {name: axes.scores(values) for name, values in blocks.items()}
    size = min(len(scores["training"]) // 2, *(len(values) for values in scores.values()))
    if size < 2:
        return dict.fromkeys(blocks)
    rounds = []
    for _ in range(REPEATS):
        order = rng.permutation(len(scores["training"]))
        half = scores["training"][order[:size]]
        other_half = scores["training"][order[size : 2 * size]]
        others = scores | {"training": other_half}
        some = [values[rng.permutation(len(values))[:size]] for values in others.values()]
        rounds.append(frechet_between([half, *some]))
    return dict(zip(scores, np.mean(rounds, axis=0).tolist(), strict=True))


def _design(
    held_out: DenseSamples,
    synthetic: DenseSamples,
    places: NDArray[np.integer],
    space: Space,
    classes: int,
    rng: np.random.Generator,
) -> TestDesign | None:
    """The sides of the two-sample test of windows; None where there are too few blocks."""
    side = min(WINDOW, *held_out.side)
    every = _grid_of_windows(places, held_out.side, side)
    every_kind = _kinds(every.masks(held_out))
    where = np.column_stack([places[every.tile, 0], places[every.tile, 1:] + every.at])
    cells = spatial_cells(where, every_kind, side, rng)
    if cells is None:
        return None
    cells = cells.take(at_most(cells.corners(), WINDOWS, rng))
    windows = every.take(cells.rows)
    real = replace(cells, rows=np.arange(len(cells)))
    real_maps = windows.maps(held_out, space, classes)
    synthetic_windows = _random_windows(synthetic, side, rng)
    synthetic_kinds = _kinds(synthetic_windows.masks(synthetic))
    synthetic_maps = synthetic_windows.maps(synthetic, space, classes)
    reduced = block_means(real_maps.scores), synthetic_kinds, block_means(synthetic_maps.scores)
    matched = match_made(real, *reduced, rng, TESTED)
    if matched is None:
        return None
    first, second, synthetic_side = matched
    mixed = replace(held_out, images=shuffle_blocks(held_out.images, BLOCK, 1.0, rng))
    damaged = windows.take(second.rows).maps(mixed, space, classes)
    return TestDesign(
        halves=(
            MappedSide(first, real_maps.take(first.rows)),
            MappedSide(second, real_maps.take(second.rows)),
        ),
        made=MappedSide(synthetic_side, synthetic_maps.take(synthetic_side.rows)),
        shuffled=MappedSide(second, damaged),
        training=None,
    )


@dataclass(frozen=True, eq=False)
class _Windows(Indexable):
    """Square windows of tiles.

    Attributes
    ----------
    tile : (m,) int64
        The tile that each is cut from.
    at : (m, 2) int64
        Its first row and column in that tile.
    side : int
        Pixels.
    """

    tile: Ints
    at: Ints
    side: int

    def _cut(self, arrays: NDArray[Scalar]) -> list[NDArray[Scalar]]:
        """The windows of arrays (n, …, H, W)."""
        return [
            arrays[i, ..., row : row + self.side, column : column + self.side]
            for i, (row, column) in zip(self.tile, self.at.tolist(), strict=True)
        ]

    def masks(self, tiles: DenseSamples) -> Ints:
        """(m, side, side) windows of masks."""
        cut = self._cut(tiles.masks)
        return np.stack(cut) if cut else np.empty((0, self.side, self.side), dtype=np.int64)

    def maps(self, tiles: DenseSamples, space: Space, classes: int) -> LayoutMaps:
        """Components of each date and classes of the mask, as channels of one map."""
        images = np.stack(self._cut(tiles.images))
        dates = [layout_maps(images[:, date], space) for date in range(tiles.dates)]
        masks = one_hot(self.masks(tiles), classes)
        scores = [date.scores for date in dates]
        residuals = [date.residual[:, None] for date in dates[1:]]
        return LayoutMaps(
            scores=np.concatenate([*scores, *residuals, masks], axis=1),
            residual=dates[0].residual,
            across=dates[0].across,
        )


def _random_windows(tiles: DenseSamples, side: int, rng: np.random.Generator) -> _Windows:
    """A window of each of some tiles, anywhere in it."""
    chosen = rng.permutation(len(tiles))[: 4 * TESTED]
    starts = [rng.integers(length - side + 1, size=len(chosen)) for length in tiles.side]
    return _Windows(chosen, np.column_stack(starts), side)


def _grid_of_windows(places: NDArray[np.integer], shape: tuple[int, int], side: int) -> _Windows:
    """Windows on the grid of ``side`` pixels of an image.

    No two windows share a pixel, also where tiles overlap.
    """
    tiles = []
    starts = []
    taken_places = set()
    for i, (image, row, column) in enumerate(places.tolist()):
        for r in range(-row % side, shape[0] - side + 1, side):
            for c in range(-column % side, shape[1] - side + 1, side):
                key = (image, row + r, column + c)
                if key not in taken_places:
                    taken_places.add(key)
                    tiles.append(i)
                    starts.append((r, c))
    return _Windows(
        np.array(tiles, dtype=np.int64), np.array(starts, dtype=np.int64).reshape(-1, 2), side
    )


def _kinds(masks: Ints) -> Ints:
    """(n,) what windows are matched by: of change, whether any pixel changed; else the most
    frequent class.
    """
    kinds: Ints = masks.reshape(len(masks), -1).max(axis=1, initial=0)
    largest = int(kinds.max(initial=1))
    if largest > CHANGED:
        kinds = np.stack(
            [(masks == c).sum(axis=(1, 2)) for c in range(largest + 1)], axis=1
        ).argmax(axis=1)
    return kinds
