"""From samples to a fitted segmenter: all that a network for tiles does beside naming its network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, DenseSamples, DenseView, Progress, Tiles
from hsiaug_dense.inputs import BandScale, fit_scale, lesson_of
from hsiaug_dense.recipe import DenseRecipe

__all__ = ["BuildDense", "FittedDense", "NetSegmenter"]

BuildDense = Callable[[int, int], Any]
Own = TypeVar("Own", bound=DenseRecipe)


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


class NetSegmenter(Generic[Own]):
    """A classifier of tiles that is a network: a subclass has a card, and says in :meth:`network` which one."""

    card: ClassVar[Card]

    def __init__(self, params: Own) -> None:
        self.params = params

    def network(self) -> BuildDense:
        """``(bands, classes) → module`` from (n, T, B, H, W) to scores (n, classes, H, W).

        It is given sides that are a multiple of its attribute ``multiple``.
        """
        raise NotImplementedError

    def fit(
        self, samples: DenseSamples, view: DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedDense:
        """Train on bands z-scored by the view's real tiles, which with ``centre`` lose each tile's mean at each date."""
        build = self.network()

        from hsiaug_dense.nets.blocks import Padded
        from hsiaug_dense.training import train
        from hsiaug_nets.seeded import fresh

        real, classes = view.real.images, len(view.class_names)
        lesson, scale = lesson_of(samples, classes), fit_scale(real, self.params.centre)
        net = fresh(lambda: Padded(build(view.bands, len(lesson.classes))), seed)
        net = train(net, lesson, real, scale, self.params, seed=seed, device=device, progress=progress)
        return FittedDense(scale, net, lesson.classes, classes, device)
