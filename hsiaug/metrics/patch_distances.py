"""How near whole patches lie to real ones, however they are turned: are made patches copies of
those that were seen?

Patches are compared by means over square blocks of the leading principal components of z-scored
spectra, which are not whitened. Float64 are Euclidean, the least under the eight symmetries of
the square. A real patch is trivially near to the patches that share pixels with it: these never
count as its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Bools, Float32, Float64, Int64, row_blocks
from hsiaug.metrics.false_colours import some_pixels
from hsiaug.metrics.neighbours import nearest_turned, rank_nearer, turn_maps
from hsiaug.metrics.spectra import Space, fit_space

Ints = NDArray[np.integer]

AXES = 12
"""Principal components that patches are compared by, at most."""
COPY = 0.1
"""A patch is a copy when a real one lies within this part of the usual distance of real ones of its
class. Of two patches one pixel apart the distance is about half the usual one.
"""


def block_means(x: AnyArray) -> Float32:
    """Means of patches over square blocks, whose side is the smallest divisor of theirs above 1.

    Parameters
    ----------
    x : (n, k, p, p) array
        Patches.

    Returns
    -------
    (n, k, g, g) float32
        The means, g = p / side of a block.

    See Also
    --------
    PatchSpace : reduces patches to such means.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import block_means
    >>> block_means(np.ones((2, 3, 9, 9))).shape
    (2, 3, 3, 3)
    """
    n, k, side, _ = x.shape
    q = next((q for q in range(2, side + 1) if side % q == 0), 1)
    averages = np.kron(
        np.eye(side // q, dtype=np.float32), np.full((q, 1), 1 / q, dtype=np.float32)
    )
    # As a product, which takes a tenth of the time of means over two axes.
    means = x.reshape(n, k, side**2).astype(np.float32, copy=False) @ np.kron(averages, averages)
    return np.asarray(means).reshape(n, k, side // q, side // q)


@dataclass(frozen=True, eq=False)
class PatchSpace:
    """Principal components of real spectra, in which patches are compared.

    Scores of a spectrum are ``spectrum @ axes - offset``; over the real spectra each has mean 0 and
    standard deviation 1.

    Attributes
    ----------
    axes : (B, k) float32
        Principal axes, scaled so that scores have standard deviation 1. Spectra are in the units of
        the scene.
    offset : (k,) float32
        Scores of the mean spectrum before centring.

    See Also
    --------
    PatchReference : compares patches in this space.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import PatchSpace
    >>> spectra = np.random.default_rng(0).random((100, 20))
    >>> space = PatchSpace.fit(spectra)
    >>> space.maps(np.zeros((4, 20, 9, 9))).shape[2:]
    (9, 9)
    """

    axes: Float32
    offset: Float32

    @classmethod
    def fit(cls, spectra: AnyArray) -> PatchSpace:
        """The space of real spectra (n, B)."""
        return cls.of(fit_space(np.asarray(spectra, dtype=np.float64), AXES))

    @classmethod
    def of(cls, space: Space) -> PatchSpace:
        """The same as a space of spectra."""
        axes = space.axes / space.std[:, None]
        return cls(axes.astype(np.float32), (space.mean @ axes).astype(np.float32))

    def scores(self, spectra: AnyArray) -> Float32:
        """Spectra (..., B), or a cube (H, W, B) → (..., k) float32."""
        out = np.empty((*spectra.shape[:-1], len(self.offset)), dtype=np.float32)
        # Row by row: a large cube is read from disk, and never whole.
        for row, scores in zip(spectra, out, strict=True):
            scores[...] = row @ self.axes - self.offset
        return out

    def maps(self, x: AnyArray) -> Float32:
        """Patches (n, B, p, p) → (n, k, p, p) float32: the scores of every pixel."""
        return np.moveaxis(self.scores(np.moveaxis(x, 1, 3)), 3, 1)

    def reduce(self, x: AnyArray) -> Float32:
        """Patches (n, B, p, p) → (n, k, g, g) float32: :func:`block_means` of their scores."""
        scores = [self.scores(np.moveaxis(block_means(some), 1, 3)) for _, some in row_blocks(x)]
        return np.moveaxis(np.concatenate(scores), 3, 1)


def overlap(at: Ints, others: Ints, side: int) -> Bools:
    """(n, m) whether patches of ``side`` pixels round the pixels ``at`` (n, 2) and ``others`` (m,
    2) share a pixel.
    """
    down, across = (np.abs(at[:, axis, None] - others[:, axis]) < side for axis in (0, 1))
    return np.asarray(down & across)


def nearest_apart(x: Float32, at: Ints, to: Float32, to_at: Ints, side: int) -> Float64:
    """(n,) distance of each reduced patch (n, k, g, g) at its place (n, 2) to the nearest of others
    of ``side`` pixels that shares no pixel with it; inf without one.
    """
    return nearest_turned(x, to, lambda rows: overlap(at[rows], to_at, side))[0]


def share_nearer(
    synthetic: Float64, synthetic_y: Ints, real: Float64, real_y: Ints
) -> float | None:
    """P(a made distance < a real one of its class) + ½ P(equal), over the made; None where no class
    has both.

    Parameters
    ----------
    synthetic, real : (n,) float
        And (m,) distances, of which those that are not finite are left out.
    synthetic_y, real_y : Ints
        Class ids.
    """
    return _share(lambda a, b: len(a) * rank_nearer(a, b), synthetic, synthetic_y, real, real_y)


def share_copies(
    synthetic: Float64, synthetic_y: Ints, real: Float64, real_y: Ints
) -> float | None:
    """Share of made distances below :data:`COPY` of the median of the real ones of their class;
    else as above.
    """
    return _share(
        lambda a, b: float((a <= COPY * np.median(b)).sum()), synthetic, synthetic_y, real, real_y
    )


def _share(
    count: Callable[[Float64, Float64], float],
    synthetic: Float64,
    synthetic_y: Ints,
    real: Float64,
    real_y: Ints,
) -> float | None:
    """What is counted of the made distances of each class, beside the real ones, as a share of
    them.
    """
    parts = [
        tuple(d[(y == c) & np.isfinite(d)] for d, y in ((synthetic, synthetic_y), (real, real_y)))
        for c in np.intersect1d(synthetic_y, real_y)
    ]
    pairs = [(a, b) for a, b in parts if len(a) and len(b)]
    return sum(count(a, b) for a, b in pairs) / sum(len(a) for a, _ in pairs) if pairs else None


@dataclass(frozen=True, eq=False)
class PatchReference:
    """Real patches to compare synthetic ones with. All patches are reduced: (·, k, g, g).

    Attributes
    ----------
    training : array of floating
        Patches of training pixels.
    pool : array of floating
        Unlabelled patches that a generator may have seen; may be empty.
    y : (r,) int64
        Class ids of held-out real patches.
    to_training, to_pool : (r,) float
        Their distances, inf if there is none: a held-out patch that shares a pixel with a training
        patch has no distance to training.
    fresh : (2,) float
        Fraction of real patches closer to the pool than held-out ones, with one half of the squares
        of a chequerboard as synthetic and the other as pool; NaN if nothing can be compared.

    See Also
    --------
    PatchSpace : reduces patches.
    """

    training: NDArray[np.floating]
    pool: NDArray[np.floating]
    y: Int64
    to_training: Float64
    to_pool: Float64
    fresh: Float64

    @classmethod
    def of(
        cls,
        training: tuple[NDArray[np.floating], Ints],
        pool: tuple[NDArray[np.floating], Ints],
        left_out: tuple[NDArray[np.floating], Ints],
        y: Int64,
        side: int,
    ) -> PatchReference:
        """Compare held-out real patches with those of training pixels and of the pool.

        Parameters
        ----------
        training, pool, left_out : ((·, k, g, g) float, (·, 2) integer)
            Reduced patches, and their centre pixels.
        y : (r,) int64
            Class ids of the held-out patches.
        side : int
            Side of the patches in pixels.

        Returns
        -------
        PatchReference
            The distances of the held-out patches.
        """
        x, at = left_out
        pool_x, pool_at = pool
        to_training, _ = nearest_turned(x, training[0])
        to_training[overlap(at, training[1], side).any(axis=1)] = np.inf
        squares, half = ((middle // (2 * side)).sum(axis=1) % 2 for middle in (pool_at, at))
        parts = [(pool_x[squares == h], pool_at[squares == h]) for h in (0, 1)]
        apart = [nearest_apart(x, at, others, others_at, side) for others, others_at in parts]
        shares = [
            share_nearer(d[half != h], y[half != h], d[half == h], y[half == h])
            for h, d in enumerate(apart)
        ]
        fresh = np.array(shares, dtype=np.float64)
        return cls(training[0], pool_x, y, to_training, np.minimum(*apart), fresh)

    def measure(
        self, x: Float32, y: Int64
    ) -> tuple[dict[str, float | None], dict[str, float | None]]:
        """Fractions of synthetic patches that are closer to real ones than held-out real patches
        are.

        Parameters
        ----------
        x : (n, k, g, g) float32
            Synthetic patches, reduced.
        y : (n,) int64
            Their class ids.

        Returns
        -------
        measured, real : dict of str to float or None
            Fractions, 0..1, of the synthetic patches, and of real patches for comparison:
            ``nearer_training`` and ``nearer_pool``, closer than held-out ones of their class;
            ``copies_training`` and ``copies_pool``. None if no held-out patch of these classes can
            be compared; without a pool its names are missing.
        """
        values: dict[str, float | None] = {}
        floors: dict[str, float | None] = {}
        defined = self.fresh[np.isfinite(self.fresh)]
        fresh = float(defined.mean()) if len(defined) else None
        for name, references, real, chance in (
            ("training", self.training, self.to_training, 0.5),
            ("pool", self.pool, self.to_pool, fresh),
        ):
            if len(references):
                distances, _ = nearest_turned(x, references)
                values[f"nearer_{name}"] = share = share_nearer(distances, y, real, self.y)
                values[f"copies_{name}"] = share_copies(distances, y, real, self.y)
                floors[f"nearer_{name}"] = None if share is None else chance
                floors[f"copies_{name}"] = share_copies(real, self.y, real, self.y)
        return values, floors


GRID = 16
"""Blocks along a side of a tile, at most, by whose means tiles are compared."""
Reduce = Callable[[AnyArray], Float32]
"""Patches (n, B, p, p), or tiles (n, T, B, H, W), as they are compared: (n, k, g, h) float32."""


@dataclass(frozen=True, eq=False)
class RealSamples:
    """Real samples that made ones are compared with.

    Attributes
    ----------
    reduced : Float32
        The samples as ``reduce`` gives them.
    """

    reduced: Float32
    reduce: Reduce

    @classmethod
    def of(cls, x: Float32) -> RealSamples:
        """Patches (m, B, p, p), in the space of :mod:`hsiaug.metrics.patch_distances`; or tiles (m,
        T, B, H, W), in means over blocks of it.
        """
        space = PatchSpace.fit(some_pixels(x))
        reduce = space.reduce if x.ndim == 4 else _of_tiles(space)
        return cls(reduce(x), reduce)

    def nearest(self, synthetic: Float32) -> tuple[Int64, Int64]:
        """(n,) row of the real sample nearest to each made one, however turned, and (n,) which turn
        brings it nearest.

        Turns are those of :func:`hsiaug.metrics.neighbours.turn_maps`: eight of a square.
        """
        reduced = self.reduce(synthetic)
        _, nearest = nearest_turned(reduced, self.reduced)
        return nearest, self._turns(reduced, nearest)

    def turns(self, synthetic: Float32, rows: NDArray[np.integer]) -> Int64:
        """(n,) the turn that brings the real samples of some rows nearest to the made ones, one by
        one.
        """
        return self._turns(self.reduce(synthetic), rows)

    def _turns(self, reduced: Float32, rows: NDArray[np.integer]) -> Int64:
        ways = np.stack(turn_maps(self.reduced[rows]), axis=1)
        apart = np.square(ways - reduced[:, None]).sum(axis=(2, 3, 4))
        turns: Int64 = apart.argmin(axis=1).astype(np.int64)
        return turns


def turn_each(maps: AnyArray, turns: NDArray[np.integer]) -> AnyArray:
    """Maps (n, ..., H, W), each turned in its way (n,)."""
    turned = np.stack(turn_maps(maps))
    chosen: AnyArray = turned[turns, np.arange(len(maps))]
    return chosen


def _of_tiles(space: PatchSpace) -> Reduce:
    def reduce(x: AnyArray) -> Float32:
        n, dates, bands, height, width = x.shape
        down, across = (
            next(g for g in range(GRID, 0, -1) if length % g == 0) for length in (height, width)
        )
        blocks = x.reshape(n, dates, bands, down, height // down, across, width // across).mean(
            axis=(4, 6)
        )
        scores = space.scores(np.moveaxis(blocks, 2, 4))
        return np.moveaxis(scores, 4, 2).reshape(n, -1, down, across)

    return reduce
