"""Fitting of networks to samples: all that a network classifier does beside naming its network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Patches,
    PatchSamples,
    Plugin,
    PluginError,
    Progress,
    TrainView,
    give_back_files,
)
from hsiaug_builtin.nets.projection import fit_projection
from hsiaug_builtin.nets.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hsiaug_builtin.nets.training import TrainingPatches

Read = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Conversion of samples (n, …) in the data's units to what a network reads."""
Own = TypeVar("Own", bound=Recipe)

BATCH = 512
"""Patches that are predicted at a time."""


def by_class(
    shares: NDArray[Any], classes: NDArray[np.int64], class_count: int
) -> NDArray[np.float32]:
    """(n, C, …) float32 for class ids 1..C of shares (n, k, …) of ``classes`` (k,); 0 for a class
    that is not there.
    """
    spread = np.zeros((len(shares), class_count, *shares.shape[2:]), dtype=np.float32)
    spread[:, classes - 1] = shares
    return spread


def real_samples(samples: PatchSamples, classifier: str) -> PatchSamples:
    """The real samples that count. Raises PluginError where there is none for a classifier of that
    name.
    """
    counted = ~samples.synthetic & (samples.weight > 0)
    number = np.count_nonzero(counted)
    # Where they come first, as in a trial, their patches need not be copied.
    real = samples.take(slice(number) if counted[:number].all() else counted)
    if not len(real):
        raise PluginError(
            f"classifier {classifier} learns from real samples and needs some",
            value=f"0 real, {len(samples)} synthetic",
            hint="Give it the training pixels, or use another classifier.",
        )
    return real


def view_with(view: TrainView, real: PatchSamples) -> TrainView:
    """The view with the training pixels of real samples; itself where it has these, so that what it
    is asked is kept.
    """
    if np.array_equal(view.coords, real.coords) and np.array_equal(view.y, real.y):
        return view
    return replace(view, coords=real.coords, y=real.y)


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A trained network, of patches or of tiles.

    Attributes
    ----------
    net : Module
        The torch module, in evaluation mode on ``device``.
    classes : (k,) int64
        Class ids of its outputs.
    class_count : int
        C of the data.
    """

    read: Read
    net: nn.Module
    classes: NDArray[np.int64]
    class_count: int
    device: str

    def over(
        self,
        x: NDArray[np.float32],
        size: int,
        reading: Callable[[Tensor], Tensor],
        none: NDArray[Any],
    ) -> NDArray[Any]:
        """``reading(net(read(x)))`` of samples x (n, …) in the data's units, ``size`` at a time;
        ``none`` for n = 0.
        """
        import torch

        batches = [none]
        with torch.inference_mode():
            for start in range(0, len(x), size):
                batch = torch.from_numpy(self.read(x[start : start + size])).to(self.device)
                batches.append(reading(self.net(batch)).cpu().numpy())
        return np.concatenate(batches)


class FittedNet(FittedNetwork):
    """A trained network of patches."""

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes that had samples are ever named."""
        return np.asarray(self.classes[self._shares(patches).argmax(axis=1)])

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) softmax for class ids 1..C; 0 for a class that had no sample."""
        return by_class(self._shares(patches), self.classes, self.class_count)

    def _shares(self, patches: Patches) -> NDArray[np.float32]:
        none = np.empty((0, len(self.classes)), dtype=np.float32)
        return self.over(patches.x, BATCH, lambda scores: scores.softmax(dim=1), none)


class NetClassifier(Plugin[Own]):
    """A classifier that is a network of patches: a subclass has a card, and says in :meth:`network`
    which one.

    It reads the view's principal components where its params have a field ``components``, else
    z-scored bands.
    """

    def network(self, channels: int, side: int, classes: int) -> nn.Module:
        """The torch module from (n, channels, side, side) to scores (n, classes)."""
        raise NotImplementedError

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedNet:
        """Read the samples once, build the network with weights from ``seed``, and train it."""
        from hsiaug_builtin.nets.seeded import fresh
        from hsiaug_builtin.nets.training import batches, criterion, train

        components = getattr(self.params, "components", None)
        reading = (
            view.normaliser if components is None else fit_projection(view, components)
        ).patches
        data, classes = training_patches(samples, reading)
        _, channels, side, _ = data.x.shape
        net = fresh(lambda: self.network(channels, side, data.classes), seed)
        next_batch = batches(data, self.params, seed, device)
        error = criterion(data, self.params, device)
        net = train(
            net, next_batch, error, self.params, seed=seed, device=device, progress=progress
        )
        return FittedNet(reading, net, classes, len(view.class_names), device)


def training_patches(
    samples: PatchSamples, reading: Read
) -> tuple[TrainingPatches, NDArray[np.int64]]:
    """Samples as the network reads them, and the class ids (k,) int64 that its outputs stand for.
    While it learns, no sample need be in memory as it was.
    """
    from hsiaug_builtin.nets.training import TrainingPatches

    classes, target = np.unique(samples.y, return_inverse=True)
    x = np.empty((len(samples), *reading(samples.x[:1]).shape[1:]), dtype=np.float32)
    for rows in (slice(start, start + BATCH) for start in range(0, len(x), BATCH)):
        x[rows] = reading(samples.x[rows])
        give_back_files()
    return TrainingPatches(x, target, samples.weight, len(classes)), classes
