"""A network of a pixel's whole spectrum, and of the mean of what is next to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Normaliser,
    PatchSamples,
    Plugin,
    Progress,
    TrainView,
    defaults,
    derive_seed,
    param,
    spatial_folds,
)
from hsiaug_builtin.nets.choice import mean_logarithms, strongest
from hsiaug_builtin.nets.fitted import FittedNet, training_patches
from hsiaug_builtin.nets.recipe import Recipe

if TYPE_CHECKING:
    from hsiaug_builtin.classifiers.nets import CentreNet

WINDOWS = (1, 3)
"""Sides in pixels that the mean may be over; of a single pixel the network reads the spectrum alone."""
ASIDE = 150
"""Optimiser steps, at most, of each network that only helps to choose."""
LEAST_SHARE = 1e-6


@dataclass(frozen=True)
@defaults(steps=400, augment="weak")
class CentreCnnParams(Recipe):
    """The recipe, and the network's size."""

    window: int = param(
        0, "side in pixels of the mean beside the centre; 0 = chosen on left-out training pixels", low=0
    )
    width: int = param(96, "channels of the spectral convolution", low=1)
    dropout: float = param(0.3, "share of channels that a step leaves out", low=0, high=0.9)
    members: int = param(3, "networks whose shares are averaged", low=1)


@dataclass(frozen=True, eq=False)
class Window:
    """Z-scored bands of the central ``side``×``side`` pixels of patches; of all where they are smaller."""

    normaliser: Normaliser
    side: int

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, B, p, p) in the view's units → (n, B, side, side)."""
        margin = max(0, (x.shape[-1] - self.side) // 2)
        return self.normaliser.patches(x[:, :, margin : x.shape[-1] - margin, margin : x.shape[-1] - margin])


@dataclass(frozen=True, eq=False)
class FittedCentre(FittedNet):
    """facts: the window and how it was chosen, and the steps of networks that only helped to choose."""

    facts: Mapping[str, object]


class CentreCnn(Plugin[CentreCnnParams]):
    """One 1×1 convolution over all z-scored bands, then the centre's channels beside their mean over a small window.

    A stem that keeps the spectrum, a path for the centre pixel alone, dropout, and the mean of several trainings: where
    labels are few and lie in clumps, a network that reads a patch as a whole learns where they lie. Whether the mean is
    read at all is chosen on two halves of the training pixels that lie apart, from fits on the other half. The paper's
    network has windows of several sizes and residual 1×1 convolutions behind them.
    """

    card = Card(
        name="centre-cnn",
        version="1",
        summary="Small CNN: all bands of the centre pixel beside the mean round it, three trainings averaged",
        paper="""After @article{lee2017contextual, author={Hyungtae Lee and Heesung Kwon}, title={Going Deeper with
            Contextual {CNN} for Hyperspectral Image Classification}, journal={IEEE Transactions on Image Processing},
            volume={26}, number={10}, pages={4843--4855}, year={2017}, doi={10.1109/TIP.2017.2725580}}""",
        uses_device=True,
        seconds=5.0,
        params=CentreCnnParams,
        presets={"tiny": {"steps": 40, "members": 1, "width": 32, "window": 3, "rate": 1e-2}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedCentre:
        """Choose the window on training pixels, then train on all samples."""
        from hsiaug_builtin.classifiers.nets import Averaged

        own, facts = self.params, {}
        window = own.window
        if not window:
            told, aside = self._left_out(view, seed, device, progress)
            scores = mean_logarithms(told, view.y)
            window = WINDOWS[strongest(scores)]
            facts = {"aside_steps": aside}
        read = Window(view.normaliser, window)
        nets = []
        for member in range(own.members):
            net, classes = self._train(samples, read, own, derive_seed("member", member, seed), device, progress)
            nets.append(net)
        net = Averaged(nets).eval()
        return FittedCentre(read, net, classes, len(view.class_names), device, {"window": window, **facts})

    def _train(
        self, samples: PatchSamples, read: Window, own: CentreCnnParams, seed: int, device: str, progress: Progress
    ) -> tuple[CentreNet, NDArray[np.int64]]:
        from hsiaug_builtin.classifiers.nets import CentreNet
        from hsiaug_builtin.nets.seeded import fresh
        from hsiaug_builtin.nets.training import batches, criterion, train

        data, classes = training_patches(samples, read)
        net = fresh(lambda: CentreNet(data.x.shape[1], own.width, read.side, own.dropout, data.classes), seed)
        draw, error = batches(data, own, seed, device), criterion(data, own, device)
        return train(net, draw, error, own, seed=seed, device=device, progress=progress), classes

    def _left_out(
        self, view: TrainView, seed: int, device: str, progress: Progress
    ) -> tuple[NDArray[np.float64], int]:
        """(windows, n) logarithms of the true class's share of training pixels, NaN where one is never left out; and the
        optimiser steps that this took.
        """
        real, own, aside = view.real, replace(self.params, steps=min(self.params.steps, ASIDE)), 0
        told = np.full((len(WINDOWS), len(real)), np.nan)
        # Where samples alone may name classes, training pixels have none.
        fold = spatial_folds(real.coords.astype(np.int64), real.y, view.patch) if real.y.all() else np.array([])
        for k in np.unique(fold[fold >= 0]):
            held, rest = np.flatnonzero(fold == k), real.take(fold != k)
            for i, side in enumerate(WINDOWS):
                read = Window(view.normaliser, side)
                net, classes = self._train(rest, read, own, derive_seed("aside", seed), device, progress)
                aside += own.steps
                fitted = FittedNet(read, net, classes, len(view.class_names), device)
                shares = fitted.predict_proba(real.take(held))[np.arange(len(held)), real.y[held] - 1]
                told[i, held] = np.log(np.maximum(shares, LEAST_SHARE))
        return told, aside
