"""Are pieces of made tiles copies of pieces of training tiles?

A tile that is put together of training pieces is far from every whole training tile, so
:func:`hsiaug.metrics.dense.fidelity.memory_audit` does not find it. Here pieces of made and of
held-out tiles are cut out at random, and the nearest piece of the training tiles is looked for, at
any place and in any of the eight turns of a square.

Pieces are compared by the six leading principal components of each date, in units in which all
components together have a mean variance of 1. The sixteen likeliest pieces are found along 32
principal directions of pieces, and then compared in full, so a distance may be somewhat too large.
"""

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float32, Float64, Int64
from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.measures import MeasureTable, Values
from hsiaug.metrics.neighbours import turn_maps

SIDES = (5, 9, 17)
"""Pixels of a side of pieces."""
PIECES = 120
"""Pieces of each set of tiles."""
QUANTILE = 0.05
"""Share of held-out pieces that a near piece is nearer than all the others of."""
COMPONENTS, DIRECTIONS, LIKELIEST = 6, 32, 16
SAMPLED = 2000
"""Pieces of training tiles that the directions are taken of."""
CHUNK = 10_000
"""Places of training tiles that are looked at at a time."""


MAX_TILES = 400
"""Real tiles of a set at most whose pieces are compared."""
MEASURES: MeasureTable = {
    f"pieces_{side}": (f"pieces of {side}×{side} nearer than 95 % of held-out ones", "%", "lower")
    for side in SIDES
}
"""Label, unit, and what is good, by the name of a measure."""
NEAR = (
    "Pieces nearer to a training piece, at any place and in any of eight turns, than 95 % of"
    " held-out pieces (5 % would be chance)"
)
"""What the measures say, before their values."""


def random_tiles(count: int, most: int, rng: np.random.Generator) -> Int64:
    """(min(count, most),) ascending places of tiles, drawn at random from ``count`` tiles."""
    return np.sort(rng.permutation(count)[:most])


def near_pieces(train: Float32, held_out: Float32, made: Float32) -> tuple[Values, Values]:
    """Share of made pieces that lie nearer to a training piece than 95 % of held-out ones do, and
    the same share of held-out pieces: 5 % but for equal distances.

    Parameters
    ----------
    train, held_out, made : (n, T, B, H, W) float32
        Images of tiles.

    Returns
    -------
    (Values, Values)
        By the names of :data:`MEASURES`; sides that tiles are too small for are left out.
    """
    rng = np.random.default_rng(derive_seed("measured pieces", 0))
    train, held_out = (
        images[random_tiles(len(images), MAX_TILES, rng)] for images in (train, held_out)
    )
    values, floors = Values(), Values()
    for side, distances in piece_distances(train, held_out, made).items():
        near = np.quantile(distances[0], QUANTILE)
        floors[f"pieces_{side}"], values[f"pieces_{side}"] = (
            float((of_set < near).mean()) for of_set in distances
        )
    return values, floors


def piece_distances(
    train: Float32, held_out: Float32, made: Float32, seed: int = 0
) -> dict[int, tuple[Float64, Float64]]:
    """Distances (n,) of held-out and of made pieces to the nearest training piece, a value, by the
    side of pieces; of images (n, T, B, H, W). Sides that tiles are too small for are left out.
    """
    sides = [side for side in SIDES if side < min(train.shape[-2:])]
    space = components(train)
    known, held_out_maps, made_maps = (
        project(images, *space) for images in (train, held_out, made)
    )
    distances = {}
    for side in sides:
        library = PieceLibrary(known, side, np.random.default_rng(derive_seed("pieces", seed)))
        # Of both sets at the same places, as far as they are as many.
        pieces = [
            cut_pieces(maps, side, derive_seed("pieces", seed, side))
            for maps in (held_out_maps, made_maps)
        ]
        # To look through the library takes most of the time: once for both.
        of_held_out, of_made = np.split(library.nearest(np.concatenate(pieces)), 2)
        distances[side] = of_held_out, of_made
    return distances


def components(images: Float32) -> tuple[Float64, Float64]:
    """Mean (B,) and axes (B, d) of spectra, scaled so that all components together have a mean
    variance of 1 per value.
    """
    spectra = np.moveaxis(images, 2, -1).reshape(-1, images.shape[2]).astype(np.float64)
    mean = spectra.mean(axis=0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(spectra.T)))
    axes = vectors[:, ::-1][:, :COMPONENTS]
    usual = max(float(values[::-1][:COMPONENTS].mean()), np.finfo(np.float64).tiny)
    return mean, axes / np.sqrt(usual)


def project(images: Float32, mean: Float64, axes: Float64) -> Float32:
    """(n, T, B, H, W) → (n, T·d, H, W)."""
    scores = np.einsum("ntbhw,bk->ntkhw", images - mean[:, None, None], axes, optimize=True)
    maps: Float32 = scores.reshape(len(images), -1, *images.shape[3:]).astype(np.float32)
    return maps


def cut_pieces(maps: Float32, side: int, seed: int) -> Float32:
    """(m, k, side, side) of random places of maps (n, k, H, W)."""
    rng = np.random.default_rng(seed)
    tile = rng.integers(len(maps), size=PIECES)
    rows, columns = (rng.integers(length - side + 1, size=PIECES) for length in maps.shape[2:])
    places = zip(tile, rows.tolist(), columns.tolist(), strict=True)
    return np.stack([maps[i, :, r : r + side, c : c + side] for i, r, c in places])


class PieceLibrary:
    """All pieces of one side of training tiles maps (n, k, H, W)."""

    def __init__(self, maps: Float32, side: int, rng: np.random.Generator) -> None:
        # Which the command never calls.
        from scipy.linalg import eigh

        self.views = np.lib.stride_tricks.sliding_window_view(maps, (side, side), axis=(2, 3))
        grid = np.indices((len(maps), *self.views.shape[2:4])).reshape(3, -1)
        self.tile, self.row, self.column = grid
        some = self.cut(rng.integers(len(self.tile), size=SAMPLED)).astype(np.float64)
        size = some.shape[1]
        # To compute all directions of the largest pieces would take seconds.
        _, vectors = eigh(np.cov(some.T), subset_by_index=[max(0, size - DIRECTIONS), size - 1])
        self.axes = vectors[:, ::-1].astype(np.float32)

    def cut(self, which: NDArray[np.integer]) -> Float32:
        """(m, k·side²) the pieces of these numbers."""
        found = self.views[self.tile[which], :, self.row[which], self.column[which]]
        return np.ascontiguousarray(found.reshape(len(which), -1))

    def nearest(self, asked: Float32) -> Float64:
        """(m,) distance of pieces (m, k, side, side) to the nearest, in any turn, a value."""
        turned = np.stack(turn_maps(asked), axis=1)
        flat = turned.reshape(*turned.shape[:2], -1)  # (m, turns, k·side²)
        low = flat @ self.axes
        scores = np.full((len(asked), LIKELIEST), -np.inf, dtype=np.float32)
        turns, likely = (np.zeros(scores.shape, dtype=np.int64) for _ in range(2))
        for start in range(0, len(self.tile), CHUNK):
            which = np.arange(start, min(start + CHUNK, len(self.tile)))
            known = self.cut(which) @ self.axes
            found = low @ known.T - np.square(known).sum(axis=1) / 2
            found = found.reshape(len(asked), -1)
            some = min(LIKELIEST, found.shape[1])
            best = np.argpartition(found, -some, axis=1)[:, -some:]
            # The likeliest of those before and of this chunk.
            joined = np.concatenate([scores, np.take_along_axis(found, best, axis=1)], axis=1)
            kept = np.argsort(-joined, axis=1, kind="stable")[:, :LIKELIEST]
            turn, place = np.divmod(best, len(which))
            scores = np.take_along_axis(joined, kept, axis=1)
            turns = np.take_along_axis(np.concatenate([turns, turn], axis=1), kept, axis=1)
            places = np.concatenate([likely, which[place]], axis=1)
            likely = np.take_along_axis(places, kept, axis=1)
        distance = np.empty(len(asked))
        for i in range(len(asked)):
            apart = np.square(self.cut(likely[i]) - flat[i, turns[i]]).mean(axis=1)
            distance[i] = np.sqrt(apart.min())
        return distance
