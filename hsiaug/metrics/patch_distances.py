"""How near whole patches lie to real ones, however they are turned: are made patches copies of
those that were seen?

Patches are compared by means over square blocks of the leading principal components of z-scored
spectra, which are not whitened. Distances are Euclidean, the least under the eight symmetries of
the square. A real patch is trivially near to the patches that share pixels with it: these never
count as its neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import row_blocks
from hsiaug.metrics.neighbours import nearest_turned, rank_nearer
from hsiaug.metrics.spectra import Space, fit_space

Floats = NDArray[np.float32]
Distances = NDArray[np.float64]
Ints = NDArray[np.integer]

AXES = 12
"""Principal components that patches are compared by, at most."""
COPY = 0.1
"""A patch is a copy when a real one lies within this part of the usual distance of real ones of its
class. Of two patches one pixel apart the distance is about half the usual one.
"""


def block_side(patch: int) -> int:
    """Side of the blocks that a patch is averaged over: the smallest divisor of its side above 1.

    Parameters
    ----------
    patch : int
        Side of the patch in pixels.

    Returns
    -------
    int
        3 for 9 and 15, 5 for 5, 1 for 1.
    """
    return next((q for q in range(2, patch + 1) if patch % q == 0), 1)


def block_means(x: NDArray[Any]) -> Floats:
    """Means of patches over blocks of :func:`block_side` pixels.

    Parameters
    ----------
    x : (n, k, p, p) array
        Patches.

    Returns
    -------
    (n, k, g, g) float32
        The means, g = p / block_side(p).
    """
    n, k, side, _ = x.shape
    q = block_side(side)
    averages = np.kron(
        np.eye(side // q, dtype=np.float32), np.full((q, 1), 1 / q, dtype=np.float32)
    )
    # As a product, which takes a tenth of the time of means over two axes.
    means = x.reshape(n, k, side**2).astype(np.float32, copy=False) @ np.kron(averages, averages)
    return np.asarray(means).reshape(n, k, side // q, side // q)


@dataclass(frozen=True, eq=False)
class PatchSpace:
    """What patches are compared by.

    Attributes
    ----------
    axes : (B, k) float32
        Of spectra in scene units.
    offset : (k,) float32
    """

    axes: Floats
    offset: Floats

    @classmethod
    def fit(cls, spectra: NDArray[Any]) -> "PatchSpace":
        """The space of real spectra (n, B)."""
        return cls.of(fit_space(np.asarray(spectra, dtype=np.float64), AXES))

    @classmethod
    def of(cls, space: Space) -> "PatchSpace":
        """The same as a space of spectra."""
        axes = space.axes / space.std[:, None]
        return cls(axes.astype(np.float32), (space.mean @ axes).astype(np.float32))

    def scores(self, spectra: NDArray[Any]) -> Floats:
        """Spectra (..., B), or a cube (H, W, B) → (..., k) float32."""
        out = np.empty((*spectra.shape[:-1], len(self.offset)), dtype=np.float32)
        # Row by row: a large cube is read from disk, and never whole.
        for row, scores in zip(spectra, out, strict=True):
            scores[...] = row @ self.axes - self.offset
        return out

    def maps(self, x: NDArray[Any]) -> Floats:
        """Patches (n, B, p, p) → (n, k, p, p) float32: the scores of every pixel."""
        return np.moveaxis(self.scores(np.moveaxis(x, 1, 3)), 3, 1)

    def reduce(self, x: NDArray[Any]) -> Floats:
        """Patches (n, B, p, p) → (n, k, g, g) float32: :func:`block_means` of their scores."""
        scores = [self.scores(np.moveaxis(block_means(some), 1, 3)) for _, some in row_blocks(x)]
        return np.moveaxis(np.concatenate(scores), 3, 1)


def overlap(at: Ints, others: Ints, side: int) -> NDArray[np.bool_]:
    """(n, m) whether patches of ``side`` pixels round the pixels ``at`` (n, 2) and ``others`` (m,
    2) share a pixel.
    """
    down, across = (np.abs(at[:, axis, None] - others[:, axis]) < side for axis in (0, 1))
    return np.asarray(down & across)


def nearest_patches(
    x: Floats, to: Floats, at: Ints | None = None, to_at: Ints | None = None, side: int = 0
) -> Distances:
    """Distance of each patch, turned in every way, to the nearest of others.

    Parameters
    ----------
    x : (n, k, g, g) float32
        Reduced patches (see :meth:`PatchSpace.reduce`).
    to : (m, k, g, g) float32
        Reduced patches that they are compared with.
    at, to_at : (n, 2) and (m, 2) integers, or None
        Pixels in the middle of patches of ``side`` pixels: those that overlap are no neighbours.
    side : int
        Side of the patches in pixels, where their places are given.

    Returns
    -------
    (n,) float64
        inf where a patch has no neighbour.
    """
    if at is None or to_at is None:
        return nearest_turned(x, to)[0]
    return nearest_turned(x, to, lambda rows: overlap(at[rows], to_at, side))[0]


def share_nearer(
    synthetic: Distances, synthetic_y: Ints, real: Distances, real_y: Ints
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
    synthetic: Distances, synthetic_y: Ints, real: Distances, real_y: Ints
) -> float | None:
    """Share of made distances below :data:`COPY` of the median of the real ones of their class;
    else as above.
    """
    return _share(
        lambda a, b: float((a <= COPY * np.median(b)).sum()), synthetic, synthetic_y, real, real_y
    )


def _share(
    count: Callable[[Distances, Distances], float],
    synthetic: Distances,
    synthetic_y: Ints,
    real: Distances,
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
    """Real patches that made ones are compared with. All patches are reduced: (·, k, g, g).

    Attributes
    ----------
    training : array of floating
        Those of training pixels.
    pool : array of floating
        Unlabelled ones that a generator may have seen; may be empty.
    y : (r,) int64
        Class ids of left-out real patches.
    to_training, to_pool : (r,) float
        Their distances, inf where there is none: a left-out patch that shares a pixel with a
        training patch has none to training.
    fresh : (2,) float
        Share of real patches that lie nearer to the pool than left-out ones, where either half
        of the squares of a chequerboard is taken as made, the other as the pool; NaN where
        nothing can be compared.
    """

    training: NDArray[np.floating]
    pool: NDArray[np.floating]
    y: NDArray[np.int64]
    to_training: Distances
    to_pool: Distances
    fresh: Distances

    @classmethod
    def of(
        cls,
        training: tuple[NDArray[np.floating], Ints],
        pool: tuple[NDArray[np.floating], Ints],
        left_out: tuple[NDArray[np.floating], Ints],
        y: NDArray[np.int64],
        side: int,
    ) -> "PatchReference":
        """Compare left-out real patches with those of training pixels and of the pool.

        Parameters
        ----------
        training, pool, left_out : ((·, k, g, g) float, (·, 2) integer)
            Reduced patches, and the pixels in the middle of them.
        y : (r,) int64
            Class ids of the left-out patches.
        side : int
            Side of the patches in pixels.
        """
        x, at = left_out
        pool_x, pool_at = pool
        to_training = nearest_patches(x, training[0])
        to_training[overlap(at, training[1], side).any(axis=1)] = np.inf
        squares, half = ((middle // (2 * side)).sum(axis=1) % 2 for middle in (pool_at, at))
        parts = [(pool_x[squares == h], pool_at[squares == h]) for h in (0, 1)]
        apart = [nearest_patches(x, others, at, others_at, side) for others, others_at in parts]
        shares = [
            share_nearer(d[half != h], y[half != h], d[half == h], y[half == h])
            for h, d in enumerate(apart)
        ]
        fresh = np.array(shares, dtype=np.float64)
        return cls(training[0], pool_x, y, to_training, np.minimum(*apart), fresh)

    def measure(
        self, x: Floats, y: NDArray[np.int64]
    ) -> tuple[dict[str, float | None], dict[str, float | None]]:
        """Shares of generated patches that lie nearer to real ones than left-out real patches do.

        Parameters
        ----------
        x : (n, k, g, g) float32
            Generated patches, reduced.
        y : (n,) int64
            Their class ids.

        Returns
        -------
        measured, real : dict of str to float or None
            Shares, 0..1, of the generated patches, and what real patches have in their place.
            ``nearer_training`` and ``nearer_pool``: nearer than left-out ones of their class;
            ``copies_training`` and ``copies_pool``. None where no left-out patch of these classes
            can be compared; without a pool its names are left out.
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
                distances = nearest_patches(x, references)
                values[f"nearer_{name}"] = share = share_nearer(distances, y, real, self.y)
                values[f"copies_{name}"] = share_copies(distances, y, real, self.y)
                floors[f"nearer_{name}"] = None if share is None else chance
                floors[f"copies_{name}"] = share_copies(real, self.y, real, self.y)
        return values, floors
