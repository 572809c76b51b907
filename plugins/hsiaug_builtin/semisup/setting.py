"""A semi-supervised training, ready to run: network, labelled and unlabelled batches, and one noise generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from hsiaug.api import PatchSamples, TrainView, derive_seed
from hsiaug_builtin.nets.fitted import FittedNet, training_patches
from hsiaug_builtin.nets.projection import Projection, fit_projection
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.nets.small2d import Net2d
from hsiaug_builtin.nets.training import Draw, Error, batches, criterion
from hsiaug_builtin.semisup.shared import SemiRecipe, usable_samples

__all__ = ["Setting", "set_up", "unlabelled_batches"]


@dataclass(frozen=True, eq=False)
class Setting:
    """net: (n, k, p, p) → scores (n, classes), on the device. unlabelled: ``draw()``.

    error: the supervised loss. noise: on the CPU, for views of unlabelled patches.
    fitted: the classifier of a trained network.
    """

    net: nn.Module
    labelled: Draw
    unlabelled: Callable[[], Tensor]
    error: Error
    noise: Generator
    fitted: Callable[[nn.Module], FittedNet]


def set_up(
    name: str, recipe: SemiRecipe, samples: PatchSamples, view: TrainView, seed: int, device: str
) -> Setting:
    """The network of ``cnn2d`` with its initial weights, its labelled batches, and unlabelled ones.

    Raises PluginError where no sample has weight or the view shows no unlabelled pixel; ``name`` is the classifier's.
    """
    samples = usable_samples(samples, view, name)
    projection = fit_projection(view, recipe.components)
    data, classes = training_patches(samples, projection.patches)
    net = fresh(lambda: Net2d(data.x.shape[1], recipe.width, data.classes), seed).to(device)
    return Setting(
        net=net,
        labelled=batches(data, recipe, seed, device),
        unlabelled=unlabelled_batches(view, projection, recipe.unlabelled, seed, device),
        error=criterion(data, recipe, device),
        noise=Generator().manual_seed(derive_seed("unlabelled views", seed)),
        fitted=lambda net: FittedNet(projection.patches, net, classes, len(view.class_names), device),
    )


def unlabelled_batches(
    view: TrainView, projection: Projection, count: int, seed: int, device: str
) -> Callable[[], Tensor]:
    """``draw()``: ``count`` random unlabelled patches (count, k, p, p), with replacement, drawn on the CPU.

    They are cut from the scene's components, which take far less memory than patches of all bands would.
    """
    windows = _windows(view, projection).to(device)
    coords = torch.from_numpy(view.unlabelled.astype(np.int64))
    order = Generator().manual_seed(derive_seed("unlabelled", seed))

    def draw() -> Tensor:
        rows, columns = coords[torch.randint(len(coords), (count,), generator=order)].to(device).T
        return windows[:, rows, columns].transpose(0, 1)

    return draw


def _windows(view: TrainView, projection: Projection) -> Tensor:
    """(k, H, W, p, p) components of the patch round every pixel, as a view of (k, H + p − 1, W + p − 1) values.

    Mirrored at the scene's edges as TrainView.patches does; NaN where a patch meets a hidden pixel.
    """
    r = view.patch // 2
    scores: NDArray[np.float32] = view.cube @ projection.matrix - projection.offset  # (H, W, k)
    padded = np.pad(scores, ((r, r), (r, r), (0, 0)), mode="reflect") if r else scores
    plane = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))
    return plane.unfold(1, view.patch, 1).unfold(2, view.patch, 1)
