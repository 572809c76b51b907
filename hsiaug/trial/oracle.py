"""An oracle of generated patches: trees that learnt from held-out pixels and their labels.

What it says is a diagnosis after the fit. Nothing may be chosen by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.spectra import Space, at_most, fit_space

AXES = 20
"""Principal components that are read."""
TREES = 200
PIXELS = 300
"""Pixels of a class that are learnt from, at most."""
WINDOW = 3
"""Spectra are means over so many pixels along each side."""
AT_ONCE = 2048
"""Pixels whose windows are read at a time."""
LARGE = 40_000
"""Pixels of a scene from which on layouts are looked for in some squares alone."""
SQUARE = 50
"""Pixels of a side of these."""
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PixelTrees:
    """Trees that name a pixel by the mean spectrum round it.

    Attributes
    ----------
    space : Space
        Components of spectra in scene units.
    trees : ExtraTreesClassifier
        They read these components.
    """

    space: Space
    trees: Any

    @classmethod
    def learn(
        cls, space: Space, x: NDArray[np.float64], y: Ids, number: int = 0, *, trees: int
    ) -> Self:
        """Learn from spectra x (n, B) of classes y (n,).

        Parameters
        ----------
        number : int
            Seeds the trees.
        trees : int
            How many.
        """
        from sklearn.ensemble import ExtraTreesClassifier

        grown = ExtraTreesClassifier(trees, class_weight="balanced", random_state=number)
        return cls(space, grown.fit(space.project(x), y))

    def name(self, x: NDArray[np.float64]) -> Ids:
        """(n,) class ids of mean spectra x (n, B)."""
        return np.asarray(self.trees.predict(self.space.project(x))).astype(np.int64)

    def name_patches(self, x: NDArray[np.float32]) -> Ids:
        """(n, p, p) class ids of the pixels of patches x (n, B, p, p) in scene units."""
        # Which the command never calls.
        from scipy.ndimage import uniform_filter

        n, bands, side, _ = x.shape
        window = 1, 1, min(WINDOW, side), min(WINDOW, side)
        named = np.empty((n, side, side), dtype=np.int64)
        step = max(1, AT_ONCE // side**2)
        for some in (slice(start, start + step) for start in range(0, n, step)):
            means = np.moveaxis(uniform_filter(x[some], window, mode="nearest"), 1, 3)
            flat = means.reshape(-1, bands).astype(np.float64)
            named[some] = self.name(flat).reshape(-1, side, side)
        return named

    def map_scene(self, cube: NDArray[np.float32], places: Mask) -> Ids:
        """(H, W) class ids of the pixels of a scene at places (H, W); -1 elsewhere."""
        named = np.full(places.shape, -1, dtype=np.int64)
        at = np.argwhere(places)
        for start in range(0, len(at), AT_ONCE):
            some = at[start : start + AT_ONCE]
            named[some[:, 0], some[:, 1]] = self.name(window_means(cube, some))
        return named


@dataclass(frozen=True, eq=False)
class Oracle:
    """Trees that learnt from held-out pixels.

    Attributes
    ----------
    judge : PixelTrees
        Learnt from one half of the held-out pixels.
    rates : mapping of int to float
        By class id, the share of the other half that is named rightly.
    scene_map : (H, W) int64
        Names of the scene by trees that learnt from the other half: where real patches of a layout
        lie, without asking who judges them. -1 where the scene was not looked at.
    """

    judge: PixelTrees
    rates: Mapping[int, float]
    scene_map: Ids

    @classmethod
    def of(
        cls, cube: NDArray[np.float32], held_out: NDArray[np.int16], hidden: Mask | None
    ) -> Self:
        """Learn from the held-out pixels of a draw, and name the scene where
        :func:`searched_places` says.

        Parameters
        ----------
        cube : (H, W, B) array
            Of the scene.
        held_out : (H, W) int16
            Class ids of these pixels, 0 elsewhere.
        hidden : (H, W) bool or None
            Pixels that no plugin sees.
        """
        rng = np.random.default_rng(derive_seed("oracle", 0))
        at = rng.permutation(np.argwhere(held_out))
        y = held_out[at[:, 0], at[:, 1]].astype(np.int64)
        half = (len(y) + 1) // 2
        first = at_most(y[:half], PIXELS, rng)
        # A single held-out pixel is in both halves.
        rest = min(half, len(y) - 1)
        second = rest + at_most(y[rest:], PIXELS, rng)
        learnt, others = (window_means(cube, at[rows]) for rows in (first, second))
        space = fit_space(learnt, AXES)
        # The trees of one half are gone before those of the other grow: each take 80 MB.
        other = PixelTrees.learn(space, others, y[second], 1, trees=TREES)
        scene_map = other.map_scene(cube, searched_places(held_out.shape, hidden))
        del other
        judge = PixelTrees.learn(space, learnt, y[first], 0, trees=TREES)
        truth = y[second]
        right = judge.name(others) == truth
        return cls(
            judge,
            {int(c): float(right[truth == c].mean()) for c in np.unique(truth)},
            scene_map,
        )

    @cached_property
    def right(self) -> float:
        """Share of held-out pixels that are named rightly, mean over classes."""
        return float(np.mean(list(self.rates.values())))

    def name_patches(self, x: NDArray[np.float32]) -> Ids:
        """(n, p, p) class ids of the pixels of patches x (n, B, p, p) in scene units."""
        return self.judge.name_patches(x)


def window_means(cube: NDArray[np.float32], at: NDArray[Any]) -> NDArray[np.float64]:
    """(n, B) mean spectra of the windows round pixels at (n, 2) of a cube (H, W, B); beyond its
    edges its outermost pixels are repeated.
    """
    height, width = cube.shape[:2]
    total = np.zeros((len(at), cube.shape[2]), dtype=np.float64)
    reach = range(-(WINDOW // 2), WINDOW // 2 + 1)
    for down in reach:
        rows = np.clip(at[:, 0] + down, 0, height - 1)
        for across in reach:
            total += cube[rows, np.clip(at[:, 1] + across, 0, width - 1)]
    return total / WINDOW**2


def searched_places(shape: tuple[int, ...], hidden: Mask | None = None) -> Mask:
    """(H, W) where layouts are looked for: the whole of a small scene, and of a large one as
    many squares, at random, as have LARGE pixels.

    Parameters
    ----------
    hidden : (H, W) bool or None
        Pixels that are left out.
    """
    places = np.ones(shape, dtype=bool)
    if places.size > LARGE:
        squares = np.zeros((-(-shape[0] // SQUARE), -(-shape[1] // SQUARE)), dtype=bool)
        rng = np.random.default_rng(derive_seed("searched places", 0))
        chosen = rng.permutation(squares.size)[: LARGE // SQUARE**2]
        squares.ravel()[chosen] = True
        places = squares.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)[: shape[0], : shape[1]]
    return places if hidden is None else places & ~hidden
