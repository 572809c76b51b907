"""Fitting of segmenters to samples: all that a network for tiles does beside naming its network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import DenseSamples, DenseView, Plugin, Progress, Tiles
from hsiaug_builtin.dense.inputs import DenseRecipe, fit_scale, training_tiles
from hsiaug_builtin.nets.fitted import FittedNetwork, by_class

if TYPE_CHECKING:
    from hsiaug_builtin.dense.nets import TileNet

PIXELS = 2**16
"""Pixels that are predicted at a time: the activations then take some hundred MB."""
SINGLE_RATE = 2e-3
"""Learning rate of a path for single pixels."""


AnyRecipe = TypeVar("AnyRecipe", bound=DenseRecipe)


@dataclass(frozen=True, eq=False)
class FittedDense(FittedNetwork):
    """A trained network of tiles; ``read`` is the :class:`hsiaug_builtin.dense.inputs.BandScale` of
    its view.
    """

    def predict(self, tiles: Tiles) -> NDArray[np.int64]:
        """(n, H, W) class ids; only classes that had a labelled pixel are ever named, never 0."""
        none = np.empty((0, *tiles.side), dtype=np.int64)
        outputs = self.over(tiles.images, _batch(tiles), lambda scores: scores.argmax(dim=1), none)
        return np.asarray(self.classes[outputs])

    def predict_proba(self, tiles: Tiles) -> NDArray[np.float32]:
        """(n, C, H, W) softmax for class ids 1..C; 0 for a class that had no labelled pixel."""
        none = np.empty((0, len(self.classes), *tiles.side), dtype=np.float32)
        shares = self.over(tiles.images, _batch(tiles), lambda scores: scores.softmax(dim=1), none)
        return by_class(shares, self.classes, self.class_count)


class NetSegmenter(Plugin[AnyRecipe]):
    """A classifier that is a network of tiles: a subclass has a card, and says in :meth:`network`
    which one.

    Attributes
    ----------
    unit : bool
        Whether it reads spectra divided by their norm too, as further bands.
    """

    unit: ClassVar[bool] = False

    def network(self, bands: int, classes: int) -> TileNet:
        """Return the network, from (n, T, bands, H, W) to scores (n, classes, H, W).

        Parameters
        ----------
        bands : int
            Those that are read.
        """
        raise NotImplementedError

    def fit(
        self, samples: DenseSamples, view: DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedDense:
        """Train on bands z-scored by the view's real tiles, which with ``centre`` lose each tile's
        mean at each date.
        """
        from hsiaug_builtin.dense.nets import ContextAndPixel, Padded
        from hsiaug_builtin.dense.training import batches, criterion, settle, single_pixels
        from hsiaug_builtin.nets.seeded import fresh
        from hsiaug_builtin.nets.training import train

        params = self.params
        real = view.real.images
        classes = len(view.class_names)
        data = training_tiles(samples, classes)
        scale = fit_scale(real, params.centre, self.unit)
        net = fresh(lambda: Padded(self.network(len(scale.mean), len(data.classes))), seed)
        next_batch = batches(data, scale, params.batch, seed, device)
        error = criterion(data, params, device)
        net = train(net, next_batch, error, params, seed=seed, device=device, progress=progress)
        settle(net, real, scale, seed, device)
        if isinstance(net.net, ContextAndPixel) and net.net.single is not None:
            # Not settled: statistics of pixels without a label, which may be of other materials,
            # cost up to 20 mIoU.
            synthetic_too = getattr(params, "single", "real") == "all"
            pixels = single_pixels(data, scale, seed, device, synthetic=synthetic_too)
            budget = replace(params, rate=SINGLE_RATE)
            train(
                net.net.single, pixels, error, budget, seed=seed, device=device, progress=progress
            )
        return FittedDense(scale, net, data.classes, classes, device)


def _batch(tiles: Tiles) -> int:
    height, width = tiles.side
    return max(1, PIXELS // (height * width))
