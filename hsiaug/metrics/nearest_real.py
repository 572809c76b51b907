"""The real sample nearest to each made one, turned the way in which it is nearest, for pictures of
both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.false_colours import some_pixels
from hsiaug.metrics.neighbours import nearest_turned, turn_maps
from hsiaug.metrics.patch_distances import Floats, PatchSpace

GRID = 16
"""Blocks along a side of a tile, at most, by whose means tiles are compared."""
Reduce = Callable[[NDArray[Any]], Floats]
"""Patches (n, B, p, p), or tiles (n, T, B, H, W), as they are compared: (n, k, g, h) float32."""


@dataclass(frozen=True, eq=False)
class RealSamples:
    """Real samples that made ones are compared with.

    Attributes
    ----------
    reduced : Floats
        The samples as ``reduce`` gives them.
    """

    reduced: Floats
    reduce: Reduce

    @classmethod
    def of(cls, x: NDArray[np.float32]) -> RealSamples:
        """Patches (m, B, p, p), in the space of :mod:`hsiaug.metrics.patch_distances`; or tiles (m,
        T, B, H, W), in means over blocks of it.
        """
        space = PatchSpace.fit(some_pixels(x))
        reduce = space.reduce if x.ndim == 4 else _of_tiles(space)
        return cls(reduce(x), reduce)

    def nearest(
        self, synthetic: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(n,) row of the real sample nearest to each made one, however turned, and (n,) which turn
        brings it nearest.

        Turns are those of :func:`hsiaug.metrics.neighbours.turn_maps`: eight of a square.
        """
        reduced = self.reduce(synthetic)
        _, nearest = nearest_turned(reduced, self.reduced)
        return nearest, self._turns(reduced, nearest)

    def turns(self, synthetic: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """(n,) the turn that brings the real samples of some rows nearest to the made ones, one by
        one.
        """
        return self._turns(self.reduce(synthetic), rows)

    def _turns(self, reduced: Floats, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        ways = np.stack(turn_maps(self.reduced[rows]), axis=1)
        apart = np.square(ways - reduced[:, None]).sum(axis=(2, 3, 4))
        turns: NDArray[np.int64] = apart.argmin(axis=1).astype(np.int64)
        return turns


def turn_each(maps: NDArray[Any], turns: NDArray[np.integer]) -> NDArray[Any]:
    """Maps (n, ..., H, W), each turned in its way (n,)."""
    turned = np.stack(turn_maps(maps))
    chosen: NDArray[Any] = turned[turns, np.arange(len(maps))]
    return chosen


def _of_tiles(space: PatchSpace) -> Reduce:
    def reduce(x: NDArray[Any]) -> Floats:
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
