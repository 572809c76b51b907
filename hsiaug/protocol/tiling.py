"""Splits of the dense tasks: which tiles train and which are tested. No pixel is ever in both."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Bools, Float32, Int16, class_counts
from hsiaug.base.errors import InputError, SplitError
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import spread_rows
from hsiaug.core.scene import Descriptions
from hsiaug.core.tiles import DenseSamples, DenseView
from hsiaug.protocol.audit import Audit, audit_of
from hsiaug.protocol.protocols import draw_areas
from hsiaug.protocol.split import Blind, Places, PlaceSides
from hsiaug.registry.protocol_base import SplitProtocol

SMALLEST = 16
"""Pixels: the shortest side of a tile. Networks that halve it four times have nothing left of a
shorter one.
"""

ENOUGH = 100
"""Training tiles below which the stride is halved, down to an eighth of the tile."""

MOST_BYTES = 2**30
"""Bytes (1 GiB) of unlabelled tiles that are shown of a set whose images stay in their files."""

Tile = tuple[int, int, int]
"""Number of the place, first row, first column."""

Side = Sequence[Bools]
"""A mask of pixels for each place."""

Scalar = TypeVar("Scalar", bound=np.generic)
Item = TypeVar("Item")

BlindTiles = Blind[tuple[Tile, ...]]
"""A split of tiles without any label of a test tile."""


@dataclass(frozen=True, eq=False)
class TileSplit:
    """Training and test tiles of one split, of side ``patch``.

    Training tiles may overlap one another; test tiles too, where a block is no multiple of the
    tile: each test pixel is scored once.

    Attributes
    ----------
    fold : tuple of Tile
        The tiles, side by side, that the training tiles were drawn among; empty where these are
        all.

    Raises
    ------
    SplitError
        When a pixel would be in a test tile and in one of the others.
    """

    pairs: PairSet
    train: tuple[Tile, ...]
    test: tuple[Tile, ...]
    protocol: SplitProtocol
    patch: int
    seed: int
    stride: int
    fold: tuple[Tile, ...] = ()

    def __post_init__(self) -> None:
        if self.shared:
            raise SplitError(
                "training and test tiles must not share a pixel",
                value=f"{self.shared} shared",
                hint="Draw them apart.",
            )

    @property
    def train_labels(self) -> Int16:
        """(n, side, side) int16: the masks of the training tiles."""
        return stack_tiles([place.mask for place in self.pairs.places], self.train, self.patch)

    @property
    def blind(self) -> BlindTiles:
        """The split without any label of a test tile."""
        return Blind(self.train, self.test, self.train_labels, self.patch, fold=self.fold)

    @cached_property
    def trained(self) -> TilePixels:
        """The pixels of training tiles, place by place."""
        return TilePixels(self.pairs, self.train, self.patch)

    @cached_property
    def tested(self) -> TilePixels:
        """The pixels of test tiles, place by place."""
        return TilePixels(self.pairs, self.test, self.patch)

    @property
    def tiles_by_place(self) -> list[tuple[str, str, int, int]]:
        """Name and part of each place, and its training and test tiles."""
        train, test = (Counter(where for where, _, _ in side) for side in (self.train, self.test))
        return [
            (place.name, place.part, train[i], test[i]) for i, place in enumerate(self.pairs.places)
        ]

    @property
    def overlap(self) -> str:
        """How much train and test share, in words."""
        return f"{self.shared} pixels lie in a training and in a test tile"

    @property
    def sides(self) -> Places:
        """Mask, tested and trained pixels of every place."""
        return ByPlace(len(self.pairs.places), self._sides_of)

    def _sides_of(self, place: int) -> PlaceSides:
        return self.pairs.places[place].mask, self.tested[place], self.trained[place]

    @cached_property
    def shared(self) -> int:
        """Pixels that lie in a training tile, or one of the fold, and in a test tile."""
        fold = TilePixels(self.pairs, self.fold, self.patch)
        both = self.tested.places & (self.trained.places | fold.places)
        return sum(int(((self.trained[i] | fold[i]) & self.tested[i]).sum()) for i in both)

    @cached_property
    def audit(self) -> Audit:
        """Labelled pixels of each side and class; overlap is 0 by construction, and measured all
        the same. Raises SplitError where no training tile has a labelled pixel.
        """
        tested = self.tested
        in_trained_places = tested.only(tested.places & self.trained.places)
        sides = [
            self.pairs.class_counts,
            *(_counts(self.pairs, side) for side in (self.trained, tested, in_trained_places)),
        ]
        if not sum(sides[1]):
            raise SplitError(
                f"protocol {self.protocol.label} must draw a training tile of {self.pairs.name}"
                " with a labelled pixel",
                value=f"none in the {len(self.train)} of split {self.seed}",
                hint="Ask for more tiles, or for larger ones, or leave out this split.",
            )
        overlap = [round(100 * self.shared / max(1, sum(sides[2])), 2)] * 2
        size = f"{self.patch}×{self.patch}, stride {self.stride}"
        note = f"{len(self.train)} training tiles of {size}; {len(self.test)} test tiles"
        content = repr((self.patch, self.train, self.test)).encode()
        notes = (note, *self.pairs.notes)
        return audit_of(self.protocol, self.patch, sides, overlap, content, notes, "places")


class ByPlace(Sequence[Item]):
    """An item for each place, made when it is asked for.

    A set may have tens of thousands of places, whose masks would fill the memory.

    Parameters
    ----------
    places : int
        How many places there are.
    make : callable
        Makes the item of a place from its number.
    """

    def __init__(self, places: int, make: Callable[[int], Item]) -> None:
        self._numbers = range(places)
        self._make = make

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: Any) -> Any:
        return self._make(self._numbers[place])


class TilePixels(ByPlace[Bools]):
    """The pixels (H, W) of each place that lie in a tile.

    Attributes
    ----------
    places : set of int
        Numbers of the places that have a tile.
    """

    def __init__(self, pairs: PairSet, tiles: Sequence[Tile], patch: int) -> None:
        super().__init__(len(pairs.places), self._mask)
        self._pairs = pairs
        self._patch = patch
        self._corners: dict[int, list[tuple[int, int]]] = {}
        for where, row, column in tiles:
            self._corners.setdefault(where, []).append((row, column))

    @property
    def whole_places(self) -> Set[int]:
        """Numbers of the places that are one tile."""
        size = (self._patch, self._patch)
        return {i for i in self._corners if self._pairs.places[i].mask.shape == size}

    @property
    def places(self) -> Set[int]:
        return self._corners.keys()

    def only(self, places: Set[int]) -> TilePixels:
        """The same without the tiles of other places."""
        tiles = [(i, *corner) for i in places for corner in self._corners[i]]
        return TilePixels(self._pairs, tiles, self._patch)

    def _mask(self, place: int) -> Bools:
        inside = np.zeros(self._pairs.places[place].mask.shape, dtype=bool)
        for row, column in self._corners.get(place, ()):
            inside[row : row + self._patch, column : column + self._patch] = True
        return inside


def side_by_side(pairs: PairSet, patch: int) -> list[Tile]:
    """Tiles that together hold every pixel of every place; the last of a row or column overlaps the
    one before.
    """

    def starts(length: int) -> list[int]:
        return [*range(0, length - patch, patch), length - patch]

    return [
        (where, row, column)
        for where, place in enumerate(pairs.places)
        for row in starts(place.mask.shape[0])
        for column in starts(place.mask.shape[1])
    ]


def draw_tiles(pairs: PairSet, protocol: SplitProtocol, seed: int, patch: int) -> TileSplit:
    """Make the training tiles and test tiles of a split.

    Parameters
    ----------
    pairs : PairSet
        The pairs whose places are divided.
    protocol : SplitProtocol
        A protocol of masks.
    seed : int
        Number of the split.
    patch : int
        Side of the tiles in pixels.

    Returns
    -------
    TileSplit
        Training and test tiles of each place.

    Raises
    ------
    SplitError
        If there is no tile for training or testing.
    InputError
        If the protocol is one of single pixels, or a tile does not fit.

    See Also
    --------
    draw_train : the same for single pixels.
    train_tiles : cuts an area into tiles.
    """
    shortest = min(min(place.mask.shape) for place in pairs.places)
    if not SMALLEST <= patch <= shortest:
        raise InputError(
            (
                f"`patch`, the side of a tile, must be {SMALLEST} pixels or more, and fit into"
                f" {pairs.name}'s {shortest}"
            ),
            value=str(patch),
            hint=(
                "32 or 64 are usual."
                if shortest >= SMALLEST
                else "Leave out the places that are smaller."
            ),
        )
    areas = draw_areas(pairs, protocol, patch, seed)
    stride, tiles = train_tiles(areas.train, patch, areas.overlap)
    fold: tuple[Tile, ...] = ()
    if areas.tiles is not None:
        if areas.tiles > len(tiles):
            raise SplitError(
                f"protocol {protocol.label} needs {areas.tiles} training tiles of {patch}×{patch}",
                value=f"{len(tiles)} in the places of training",
                hint=f"Ask for at most {len(tiles)}, or for smaller tiles.",
            )
        if areas.overlap is None:
            fold = tuple(tile for tile in tiles if not (tile[1] % patch or tile[2] % patch))
        else:
            fold = tuple(_tiles_of_places(areas.train, partial(_inside, patch=patch, stride=patch)))
        order = protocol.rng(pairs, seed).permutation(len(tiles))
        tiles = [tiles[i] for i in np.sort(order[: areas.tiles])]
    # Together they cover every pixel of the test areas that a tile can cover.
    tested = _tiles_of_places(areas.test, partial(cover, patch=patch))
    for side, tiles_of_side in (("training", tiles), ("test", tested)):
        if not tiles_of_side:
            hint = (
                "Choose a smaller `patch`, other blocks, a smaller `buffer`, or folders train and"
                " test of places."
            )
            raise SplitError(
                (
                    f"protocol {protocol.label} leaves no {side} tile of {patch}×{patch} pixels of"
                    f" {pairs.name}"
                ),
                hint=hint,
            )
    return TileSplit(pairs, tuple(tiles), tuple(tested), protocol, patch, seed, stride, fold)


def dense_view(pairs: PairSet, split: TileSplit | BlindTiles) -> DenseView:
    """The training tiles, which is all that a plugin may see. Everything is copied."""
    return DenseView(
        real=_samples(pairs, split.train, split.train_labels),
        class_names=pairs.class_names,
        wavelengths=None if pairs.wavelengths is None else pairs.wavelengths.copy(),
        gsd=pairs.gsd,
        units=pairs.units,
        descriptions=Descriptions(pairs.descriptions),
    )


def unlabelled_tiles(pairs: PairSet, split: TileSplit | BlindTiles) -> DenseView:
    """The tiles that training tiles were drawn among, without any label, as :func:`dense_view` has
    them. Of a set whose images stay in their files some of them, evenly taken, up to MOST_BYTES.
    """
    tiles = split.fold or split.train
    if pairs.in_files:
        most = MOST_BYTES // (4 * pairs.dates * pairs.bands * split.patch**2)
        tiles = tuple(tiles[i] for i in spread_rows(np.arange(len(tiles)), max(1, most)))
    none = np.zeros((len(tiles), split.patch, split.patch), dtype=np.int16)
    return replace(
        dense_view(pairs, Blind(tiles, (), none, split.patch)),
        class_names=(),
        descriptions=Descriptions({}),
    )


def checksum_of_tiles(view: DenseView) -> str:
    """SHA-256 of what tiles show: their values, wavelengths, size and units."""
    nm = None if view.wavelengths is None else view.wavelengths.tobytes()
    digest = hashlib.sha256(repr((view.real.images.shape, view.gsd, view.units, nm)).encode())
    digest.update(view.real.images.data)
    return digest.hexdigest()


def real_samples(split: TileSplit, tiles: Sequence[Tile]) -> DenseSamples:
    """Tiles of a split with their masks, copied. Test tiles are for a diagnosis after every fit
    only.
    """
    masks = stack_tiles([place.mask for place in split.pairs.places], tiles, split.patch)
    return _samples(split.pairs, tiles, masks)


def test_images(pairs: PairSet, split: TileSplit | BlindTiles) -> Float32:
    """Images (n, T, B, P, P) of the test tiles, copied, without any mask: for a diagnosis after a
    fit.
    """
    images = stack_tiles([place.images for place in pairs.places], split.test, split.patch)
    return images.astype(np.float32, copy=False)


def _samples(pairs: PairSet, tiles: Sequence[Tile], masks: Int16) -> DenseSamples:
    images = stack_tiles([place.images for place in pairs.places], tiles, masks.shape[1])
    return DenseSamples(
        images=images.astype(np.float32, copy=False),
        masks=masks.astype(np.int64),
        synthetic=np.zeros(len(tiles), dtype=bool),
        weight=np.ones(len(tiles), dtype=np.float32),
        provenance=Descriptions({}),
    )


def stack_tiles(
    arrays: Sequence[NDArray[Scalar]], tiles: Sequence[Tile], side: int
) -> NDArray[Scalar]:
    """(n, ..., side, side): the tiles of one array (..., H, W) for each place, copied."""
    first = arrays[tiles[0][0]]
    # Filled one by one, as all tiles and a stack of them would take the memory twice.
    stack: NDArray[Scalar] = np.empty((len(tiles), *first.shape[:-2], side, side), first.dtype)
    for tile, (where, row, column) in zip(stack, tiles, strict=True):
        tile[:] = arrays[where][..., row : row + side, column : column + side]
    return stack


def _counts(pairs: PairSet, pixels: TilePixels) -> tuple[int, ...]:
    """Pixels of each class, 1 to C, that lie in a tile."""
    classes = len(pairs.class_names)
    whole = pixels.whole_places
    total = pairs.counts_by_place[sorted(whole)].sum(axis=0)
    for i in pixels.places - whole:
        total += class_counts(pairs.places[i].mask[pixels[i]], classes)
    return tuple(total.tolist())


def train_tiles(side: Side, patch: int, overlap: float | None = None) -> tuple[int, list[Tile]]:
    """Cut an area into training tiles, which may overlap.

    Parameters
    ----------
    side : sequence of (H, W) bool
        For each place, the pixels that tiles may contain.
    patch : int
        Side of the tiles in pixels.
    overlap : float or None
        Fraction of its side that a tile shares with the next; None = a half, and up to seven
        eighths if there are fewer than ENOUGH tiles.

    Returns
    -------
    stride : int
        Pixels from one tile to the next.
    tiles : list of Tile
        All tiles on a grid of that stride that fit.

    See Also
    --------
    fits : whether any tile fits.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import train_tiles
    >>> stride, tiles = train_tiles([np.ones((32, 32), dtype=bool)], 16, overlap=0.5)
    >>> stride, len(tiles)
    (8, 9)
    """
    strides = [max(1, patch // part) for part in (2, 4, 8)]
    if overlap is not None:
        strides = [max(1, round(patch * (1 - overlap)))]
    for stride in strides:
        tiles = _tiles_of_places(side, partial(_inside, patch=patch, stride=stride))
        if len(tiles) >= ENOUGH:
            break
    return stride, tiles


def _tiles_of_places(
    side: Side, corners_of: Callable[[Bools], list[tuple[int, int]]]
) -> list[Tile]:
    """The tiles of all places, from the first row and column of those inside a mask.

    Places that share one array, as thousands of whole places do, are gone through once.
    """
    # Each mask is kept beside its corners: the number of one that is gone may be given to another.
    corners_by_mask: dict[int, tuple[Bools, list[tuple[int, int]]]] = {}
    tiles: list[Tile] = []
    for where, mask in enumerate(side):
        if id(mask) not in corners_by_mask:
            corners_by_mask[id(mask)] = mask, corners_of(mask)
        _, corners = corners_by_mask[id(mask)]
        tiles += [(where, row, column) for row, column in corners]
    return tiles


def fits(mask: Bools, patch: int) -> bool:
    """Whether a whole tile fits into a mask.

    Parameters
    ----------
    mask : (H, W) bool
        Pixels that a tile may contain.
    patch : int
        Side of the tile in pixels.

    Returns
    -------
    bool
        True if it does.

    See Also
    --------
    train_tiles : all tiles that fit.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import fits
    >>> fits(np.ones((8, 8), dtype=bool), 8), fits(np.ones((8, 8), dtype=bool), 9)
    (True, False)
    """
    return bool(_corners(mask, patch, 1).any())


def _inside(mask: Bools, patch: int, stride: int) -> list[tuple[int, int]]:
    if not mask.any():
        return []
    corners = np.argwhere(_corners(mask, patch, stride)) * stride
    return [(row, column) for row, column in corners.tolist()]


def _corners(mask: Bools, patch: int, stride: int) -> Bools:
    """(h, w): whether the tile whose first pixel is ``stride`` times this row and column lies
    wholly inside ``mask`` (H, W).
    """
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = np.arange(0, mask.shape[0] - patch + 1, stride)[:, None]
    columns = np.arange(0, mask.shape[1] - patch + 1, stride)[None]
    far = (rows + patch, columns + patch)
    area = sums[far] - sums[rows, far[1]] - sums[far[0], columns] + sums[rows, columns]
    inside: Bools = area == patch * patch
    return inside


def cover(mask: Bools, patch: int) -> list[tuple[int, int]]:
    """First row and column of tiles inside ``mask`` that together cover every pixel of it that a
    tile can cover, with little overlap.
    """
    if not mask.any():
        return []
    corners = _corners(mask, patch, 1)
    height, width = corners.shape
    uncovered = mask.copy()
    tiles: list[tuple[int, int]] = []
    # Row by row, each tile whose first pixel is new; the rims that are left, from their own
    # corners.
    for down in (0, patch - 1):
        for right in (0, patch - 1):
            # From that corner's own side, or every step would bring one new pixel only.
            for row in reversed(range(height)) if down else range(height):
                pixels = uncovered[row + down, right : right + width]
                while (new := (corners[row] & pixels).nonzero()[0]).size:
                    column = int(new[-1 if right else 0])
                    tiles.append((row, column))
                    uncovered[row : row + patch, column : column + patch] = False
    return sorted(tiles)
