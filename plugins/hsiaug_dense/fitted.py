"""From samples to a fitted segmenter: all that a network for tiles does beside naming its network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import DenseSamples, DenseView, Progress, Tiles
from hsiaug_dense.inputs import BandScale, fit_scale, lesson_of
from hsiaug_dense.recipe import DenseRecipe

__all__ = ["FittedDense", "fit_dense"]


@dataclass(frozen=True, eq=False)
class FittedDense:
    """A trained network for tiles.

    scale: from the data's units to the network's input. net: the torch module, in evaluation mode on ``device``.
    classes: (k,) int64 class ids of its outputs. class_count: C of the data.
    """

    scale: BandScale
    net: Any
    classes: NDArray[np.int64]
    class_count: int
    device: str

    def predict(self, tiles: Tiles) -> NDArray[np.int64]:
        """(n, H, W) class ids; only classes that had a labelled pixel are ever named, never 0."""
        from hsiaug_dense.predicting import over

        found = over(self.net, self.scale, tiles.images, self.device, lambda scores: scores.argmax(dim=1))
        return np.asarray(self.classes[np.concatenate([np.empty((0, *tiles.side), dtype=np.int64), *found])])

    def predict_proba(self, tiles: Tiles) -> NDArray[np.float32]:
        """(n, C, H, W) softmax for class ids 1..C; 0 for a class that had no labelled pixel."""
        from hsiaug_dense.predicting import over

        found = over(self.net, self.scale, tiles.images, self.device, lambda scores: scores.softmax(dim=1))
        shares = np.zeros((len(tiles), self.class_count, *tiles.side), dtype=np.float32)
        shares[:, self.classes - 1] = np.concatenate(
            [np.empty((0, len(self.classes), *tiles.side), dtype=np.float32), *found]
        )
        return shares


def fit_dense(
    build: Callable[[int, int], Any],
    recipe: DenseRecipe,
    samples: DenseSamples,
    view: DenseView,
    *,
    seed: int,
    device: str,
    progress: Progress,
) -> FittedDense:
    """Build a network with weights from ``seed``, and train it on ``samples``; real tiles of the view give the scale.

    build: ``(bands, classes) → module`` from (n, T, B, H, W) to scores (n, classes, H, W), for sides that are a
    multiple of its attribute ``multiple``.
    """
    from hsiaug_dense.nets.blocks import Padded
    from hsiaug_dense.training import train
    from hsiaug_nets.seeded import fresh

    lesson, scale = lesson_of(samples, len(view.class_names)), fit_scale(view.real.images, recipe.centre)
    net = fresh(lambda: Padded(build(view.bands, len(lesson.classes))), seed)
    net = train(net, lesson, view.real.images, scale, recipe, seed=seed, device=device, progress=progress)
    return FittedDense(scale, net, lesson.classes, len(view.class_names), device)
