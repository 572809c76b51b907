"""Splits of the dense tasks: which tiles train and which are tested. No pixel is ever in both."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, SplitError
from hsiaug.pairs import PairSet, Place
from hsiaug.protocol.protocols import Protocol
from hsiaug.protocol.split import THIN, Audit
from hsiaug.scene import Descriptions
from hsiaug.seeds import derive_seed
from hsiaug.tiles import DenseSamples, DenseView

__all__ = ["BlindTiles", "Tile", "TileSplit", "cut", "dense_view", "draw_tiles", "real_samples", "side_by_side"]

ENOUGH = 100
"""Training tiles below which the stride is halved, down to an eighth of the tile."""

SMALLEST = 16
"""Pixels: the shortest side of a tile. Networks that halve it four times have nothing left of a shorter one."""

DRAWS = 60
"""Random assignments of blocks, of which the best is taken."""

Scalar = TypeVar("Scalar", bound=np.generic)

Tile = tuple[int, int, int]
"""Number of the place, first row, first column."""

Side = list[NDArray[np.bool_]]
"""A mask of pixels for each place."""


@dataclass(frozen=True, eq=False)
class BlindTiles:
    """What a process that runs plugins is told of a split: no label of a test tile.

    masks: (n, side, side) int16 of the training tiles. patch: that side in pixels.
    """

    train: tuple[Tile, ...]
    test: tuple[Tile, ...]
    masks: NDArray[np.int16]
    patch: int


@dataclass(frozen=True, eq=False)
class TileSplit:
    """Training and test tiles of one draw, of side ``patch``.

    Training tiles may overlap one another; test tiles too, where a block is no multiple of the tile: each test pixel
    is scored once. Raises SplitError when a pixel would be in a training and in a test tile.
    """

    pairs: PairSet
    train: tuple[Tile, ...]
    test: tuple[Tile, ...]
    protocol: Protocol
    patch: int
    seed: int
    stride: int

    def __post_init__(self) -> None:
        if self.shared:
            raise SplitError(
                "training and test tiles must not share a pixel",
                value=f"{self.shared} shared",
                hint="Draw them apart.",
            )

    @property
    def masks(self) -> NDArray[np.int16]:
        """(n, side, side) int16: those of the training tiles."""
        return _stack([place.mask for place in self.pairs.places], self.train, self.patch)

    @property
    def blind(self) -> BlindTiles:
        """The split without any label of a test tile."""
        return BlindTiles(self.train, self.test, self.masks, self.patch)

    @cached_property
    def trained(self) -> Side:
        """The pixels of training tiles, place by place."""
        return covered(self.pairs, self.train, self.patch)

    @cached_property
    def tested(self) -> Side:
        """The pixels of test tiles, place by place."""
        return covered(self.pairs, self.test, self.patch)

    @cached_property
    def shared(self) -> int:
        """Pixels that lie in a training and in a test tile."""
        return sum(int((a & b).sum()) for a, b in zip(self.trained, self.tested, strict=True))

    @cached_property
    def audit(self) -> Audit:
        """Labelled pixels of each side and class; overlap is 0 by construction, and measured all the same."""
        counts = {
            side: _counts(self.pairs, masks) for side, masks in (("train", self.trained), ("test", self.tested))
        }
        labelled = _counts(self.pairs, [np.ones_like(place.mask, dtype=bool) for place in self.pairs.places])
        ids = range(1, len(self.pairs.class_names) + 1)
        present = [c for c in ids if labelled[c - 1]]
        n_train, n_test = sum(counts["train"]), sum(counts["test"])
        digest = hashlib.sha256(repr((self.patch, self.train, self.test)).encode()).hexdigest()
        side = f"{self.patch}×{self.patch}"
        return Audit(
            sha256=digest,
            protocol=self.protocol.label,
            leaky=self.shared > 0,
            buffer=self.protocol.buffer,
            radius=self.patch // 2,
            n_train=n_train,
            n_test=n_test,
            n_buffered=sum(labelled) - n_train - n_test,
            train_counts=counts["train"],
            test_counts=counts["test"],
            centre_overlap_percent=round(100 * self.shared / max(1, n_test), 2),
            patch_overlap_percent=round(100 * self.shared / max(1, n_test), 2),
            lost_classes=tuple(c for c in present if counts["test"][c - 1] == 0),
            thin_classes=tuple(c for c in present if 0 < counts["test"][c - 1] < THIN),
            untrained_classes=tuple(c for c in present if counts["train"][c - 1] == 0),
            notes=(
                f"{len(self.train)} training tiles of {side}, stride {self.stride}; {len(self.test)} test tiles",
            ),
        )


def covered(pairs: PairSet, tiles: Sequence[Tile], patch: int) -> Side:
    """The pixels that lie in a tile, place by place."""
    masks = [np.zeros(place.mask.shape, dtype=bool) for place in pairs.places]
    for where, row, column in tiles:
        masks[where][row : row + patch, column : column + patch] = True
    return masks


def side_by_side(pairs: PairSet, patch: int) -> list[Tile]:
    """Tiles that together hold every pixel of every place; the last of a row or column overlaps the one before."""

    def starts(length: int) -> list[int]:
        return [*range(0, length - patch, patch), length - patch]

    return [
        (where, row, column)
        for where, place in enumerate(pairs.places)
        for row in starts(place.mask.shape[0])
        for column in starts(place.mask.shape[1])
    ]


def draw_tiles(pairs: PairSet, protocol: Protocol, seed: int, patch: int) -> TileSplit:
    """Draw ``seed`` of a protocol for the dense tasks.

    ``places``: the sides that the data's makers named; every draw has the same test tiles, and all training tiles, or
    with ``places:N`` N of them at random. ``blocks:B``: each place is cut into blocks of about B pixels, the cuts moved
    by up to a quarter of a block at random, for a small scene could else be cut in few ways; half of the blocks, at
    random, are for test. Of 60 such halves the one is taken with most classes of ten pixels or more on both sides, and
    then with most training tiles.
    The buffer keeps training tiles off test blocks: a quarter of a tile (``centre``), half (``patch``) or ``none``.

    ``within:PROTOCOL``: the pixels of the training tiles of that protocol's draw (``all``: every pixel), divided in the
    same way into blocks of two tiles. Neither pixels nor labels outside are read.

    Raises SplitError where there is no tile on a side, InputError for a protocol of the other tasks or a tile that
    does not fit.
    """
    _check_tile(pairs, patch)
    rng = np.random.default_rng(derive_seed("tiles", pairs.drawn_as, *protocol.as_json().values(), seed))
    if protocol.name == "within":
        train, test = _divided(pairs, protocol, patch, seed)
    elif protocol.name == "places":
        train, test = _named(pairs, protocol)
    elif protocol.name == "blocks":
        everywhere = [np.ones(place.mask.shape, dtype=bool) for place in pairs.places]
        train, test = _blocks(pairs, protocol, int(protocol.argument), everywhere, patch, rng)
    else:
        raise InputError(
            "--protocol of a dense task is places, places:N or blocks:B",
            value=repr(protocol.text),
            hint="Use blocks:48, for example, or leave it out.",
        )
    stride, tiles = _train_tiles(train, patch)
    if protocol.name == "places" and protocol.argument:
        wanted = int(protocol.argument)
        if wanted > len(tiles):
            raise SplitError(
                f"protocol {protocol.label} needs {wanted} training tiles of {patch}×{patch}",
                value=f"{len(tiles)} in the places of training",
                hint=f"Ask for at most {len(tiles)}, or for smaller tiles.",
            )
        tiles = [tiles[i] for i in np.sort(rng.permutation(len(tiles))[:wanted])]
    tested = [tile for where, mask in enumerate(test) for tile in _cover(where, mask, patch)]
    for side, found in (("training", tiles), ("test", tested)):
        if not found:
            raise SplitError(
                f"protocol {protocol.label} leaves no {side} tile of {patch}×{patch} pixels of {pairs.name}",
                hint="Choose a smaller --patch, other blocks, or a smaller --buffer.",
            )
    return TileSplit(pairs, tuple(tiles), tuple(tested), protocol, patch, seed, stride)


def dense_view(pairs: PairSet, split: TileSplit | BlindTiles) -> DenseView:
    """What a plugin may see: the training tiles. Everything is copied."""
    return DenseView(
        real=_samples(pairs, split.train, split.masks),
        class_names=pairs.class_names,
        wavelengths=None if pairs.wavelengths is None else pairs.wavelengths.copy(),
        gsd=pairs.gsd,
        units=pairs.units,
        descriptions=Descriptions(pairs.descriptions),
    )


def real_samples(split: TileSplit, tiles: Sequence[Tile]) -> DenseSamples:
    """Tiles of a split with their masks, copied. Of test tiles only for a diagnosis after every fit."""
    masks = _stack([place.mask for place in split.pairs.places], tiles, split.patch)
    return _samples(split.pairs, tiles, masks)


def _samples(pairs: PairSet, tiles: Sequence[Tile], masks: NDArray[np.int16]) -> DenseSamples:
    images = _stack([place.images for place in pairs.places], tiles, masks.shape[1])
    return DenseSamples(
        images=images.astype(np.float32, copy=False),
        masks=masks.astype(np.int64),
        synthetic=np.zeros(len(tiles), dtype=bool),
        weight=np.ones(len(tiles), dtype=np.float32),
        provenance=Descriptions({}),
    )


def _stack(arrays: Sequence[NDArray[Scalar]], tiles: Sequence[Tile], side: int) -> NDArray[Scalar]:
    """(n, ..., side, side): the tiles of one array (..., H, W) for each place, copied."""
    return np.stack([cut(arrays[w], r, c, side) for w, r, c in tiles])


def cut(array: NDArray[Scalar], row: int, column: int, side: int) -> NDArray[Scalar]:
    """The tile of an array (..., H, W)."""
    return array[..., row : row + side, column : column + side].copy()


def _check_tile(pairs: PairSet, patch: int) -> None:
    shortest = min(min(place.mask.shape) for place in pairs.places)
    if not SMALLEST <= patch <= shortest:
        raise InputError(
            f"--patch, the side of a tile, must be {SMALLEST} pixels or more, and fit into {pairs.name}'s {shortest}",
            value=str(patch),
            hint="32 or 64 are usual." if shortest >= SMALLEST else "Leave out the places that are smaller.",
        )


def _named(pairs: PairSet, protocol: Protocol) -> tuple[Side, Side]:
    parts = {place.part for place in pairs.places}
    if not {"train", "test"} <= parts:
        raise InputError(
            f"protocol {protocol.name} needs places of training and of test, which {pairs.name} does not name",
            hint="Use blocks:48, for example.",
        )
    return (
        [np.full(place.mask.shape, place.part == "train") for place in pairs.places],
        [np.full(place.mask.shape, place.part == "test") for place in pairs.places],
    )


def _divided(pairs: PairSet, protocol: Protocol, patch: int, seed: int) -> tuple[Side, Side]:
    """Of ``within``: the training pixels of the outer draw, divided again."""
    outer, number = protocol.outer
    area = [np.ones(place.mask.shape, dtype=bool) for place in pairs.places]
    drawn = pairs.drawn_as
    if outer is not None:
        area = draw_tiles(pairs, outer, number, patch).trained
        known = [np.where(inside, place.mask, 0) for place, inside in zip(pairs.places, area, strict=True)]
        drawn = hashlib.sha256(b"".join(mask.tobytes() for mask in known)).hexdigest()
    rng = np.random.default_rng(derive_seed("tiles", drawn, *protocol.as_json().values(), seed))
    return _blocks(pairs, protocol, 2 * patch, area, patch, rng, cuts=12)


def _blocks(
    pairs: PairSet, protocol: Protocol, size: int, area: Side, patch: int, rng: np.random.Generator, cuts: int = 1
) -> tuple[Side, Side]:
    """The best halves of the blocks that meet ``area``, as far as they lie in it. cuts: how often blocks are cut anew."""
    guard = {"none": 0, "centre": math.ceil(patch / 4), "patch": math.ceil(patch / 2)}[protocol.buffer]
    grids: list[NDArray[np.int64]] = []
    best: tuple[tuple[bool, int, int], Side, Side] | None = None
    for turn in range(DRAWS):
        if turn % (DRAWS // cuts) == 0:
            grids = [_grid(place, size, rng) for place in pairs.places]
        test = _half(grids, area, rng)
        train = [~_grown(mask, guard) & inside for mask, inside in zip(test, area, strict=True)]
        shown = sum(n >= THIN for n in (*_counts(pairs, train), *_counts(pairs, test)))
        tiles = len(_train_tiles(train, patch)[1])
        # In a small area a cut may leave a side without a tile; of whole places that is an error of the blocks' size.
        fits = cuts == 1 or (tiles > 0 and any(_inside(i, mask, patch, 1) for i, mask in enumerate(test)))
        score = (fits, shown, tiles)
        if best is None or score > best[0]:
            best = (score, train, test)
    if best is None:
        raise SplitError(f"protocol {protocol.label} finds no blocks", hint="Choose smaller blocks.")
    return best[1], best[2]


def _half(grids: Sequence[NDArray[np.int64]], area: Side, rng: np.random.Generator) -> Side:
    """The pixels of ``area`` in half of the blocks that meet it, place by place."""
    firsts = np.cumsum([0, *(int(grid.max()) + 1 for grid in grids)])
    numbers = [first + grid for first, grid in zip(firsts, grids, strict=False)]
    blocks = np.unique(np.concatenate([mine[inside] for mine, inside in zip(numbers, area, strict=True)]))
    chosen = np.zeros(firsts[-1], dtype=bool)
    chosen[blocks[rng.permutation(len(blocks))[: max(1, len(blocks) // 2)]]] = True
    return [chosen[mine] & inside for mine, inside in zip(numbers, area, strict=True)]


def _grid(place: Place, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(H, W) number of the block of each pixel: blocks of about ``size`` pixels, at least two across."""
    (rows, _), (columns, across) = (_bands(side, size, rng) for side in place.mask.shape)
    grid: NDArray[np.int64] = rows[:, None] * across + columns[None]
    return grid


def _bands(side: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """(side,) number of the block of each row or column, and how many there are. Inner cuts move together."""
    count = max(2, round(side / size))
    most = side // count // 4
    moved = np.arange(side) + rng.integers(-most, most + 1)
    return np.clip(moved * count // side, 0, count - 1), count


def _grown(mask: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(mask, size=2 * distance + 1), dtype=bool)


def _counts(pairs: PairSet, side: Side) -> tuple[int, ...]:
    """Pixels of each class, 1 to C, on a side."""
    total = np.zeros(len(pairs.class_names) + 1, dtype=np.int64)
    for place, mask in zip(pairs.places, side, strict=True):
        total += np.bincount(place.mask[mask], minlength=len(total))
    return tuple(int(n) for n in total[1:])


def _train_tiles(side: Side, patch: int) -> tuple[int, list[Tile]]:
    """Stride, and the tiles wholly inside ``side`` on a grid of that stride."""
    found: list[Tile] = []
    stride = max(1, patch // 2)
    for part in (2, 4, 8):
        stride = max(1, patch // part)
        found = [tile for where, mask in enumerate(side) for tile in _inside(where, mask, patch, stride)]
        if len(found) >= ENOUGH:
            break
    return stride, found


def _inside(where: int, mask: NDArray[np.bool_], patch: int, stride: int) -> list[Tile]:
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = np.arange(0, mask.shape[0] - patch + 1, stride)[:, None]
    columns = np.arange(0, mask.shape[1] - patch + 1, stride)[None]
    far = (rows + patch, columns + patch)
    area = sums[far] - sums[rows, far[1]] - sums[far[0], columns] + sums[rows, columns]
    return [(where, int(r * stride), int(c * stride)) for r, c in np.argwhere(area == patch * patch)]


def _cover(where: int, mask: NDArray[np.bool_], patch: int) -> list[Tile]:
    """Tiles inside ``mask`` that together cover every pixel of it that a tile can cover, with little overlap."""
    corners = [(row, column) for _, row, column in _inside(where, mask, patch, 1)]
    left = mask.copy()
    tiles: list[Tile] = []
    # Row by row, each tile whose first pixel is new; the rims that are left, from their own corners.
    for down in (0, patch - 1):
        for right in (0, patch - 1):
            # From that corner's own side, or every step would bring one new pixel only.
            for row, column in sorted(corners, key=lambda c: (-c[0] if down else c[0], -c[1] if right else c[1])):
                if left[row + down, column + right]:
                    tiles.append((where, row, column))
                    left[row : row + patch, column : column + patch] = False
    return sorted(tiles)
