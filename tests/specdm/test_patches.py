"""Pairs by the posterior mean over patches, and their control without diffusion."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import one_hot

from hsiaug.api import DenseView, PairCounts
from hsiaug.registry.card import build_params
from hsiaug_builtin.specdm.patch_denoiser import (
    MosaicStage,
    PatchDiffusion,
    stages_of,
)
from hsiaug_builtin.specdm.plugin import GaussianPairs, Mosaics
from tests.specdm.conftest import learn

Make = Callable[..., DenseView]
EACH = pytest.mark.parametrize("plugin", [Mosaics, GaussianPairs])


def fit(view: DenseView, plugin: Any = Mosaics, **settings: Any) -> Any:
    texts = {name: str(value) for name, value in settings.items()}
    return learn(plugin(build_params(plugin.card, "tiny", texts)), view)


def neighbours(images: NDArray[np.float32]) -> float:
    """Correlation of values with those to their right, inside tiles."""
    apart = images - images.mean(axis=(-2, -1), keepdims=True)
    products = (apart[..., 1:] * apart[..., :-1]).mean()
    return float(products / np.square(apart).mean())


@EACH
@pytest.mark.parametrize("side", [9, 18])
def test_pairs_of_tiles_that_no_cell_divides_are_drawn(make: Make, plugin: Any, side: int) -> None:
    made = fit(make(6, side, ignored=True), plugin).sample(PairCounts(2), guidance=0, seed=0)
    assert made.images.shape == (2, 1, 10, side, side) and np.isfinite(made.images).all()


def test_pairs_have_the_layout_of_real_ones_and_those_of_gaussians_have_none(
    view: DenseView,
) -> None:
    real = neighbours(view.real.images)
    made = fit(view, sample_steps=8).sample(PairCounts(8), guidance=0, seed=0)
    drawn = fit(view, GaussianPairs).sample(PairCounts(8), guidance=0, seed=0)
    assert neighbours(made.images) == pytest.approx(real, abs=0.05)
    edges = [np.diff(s.masks, axis=2) != 0 for s in (view.real, made, drawn)]
    jumps = [np.abs(np.diff(s.images[:, 0], axis=3)).mean(axis=1) for s in (view.real, made, drawn)]
    beside = [
        jump[edge].mean() / jump[~edge].mean() for jump, edge in zip(jumps, edges, strict=True)
    ]
    assert beside[1] > 0.5 * beside[0] > 2


def test_little_noise_keeps_the_training_tile(make: Make) -> None:
    view = make(12, 32)
    fitted = fit(view, strength=0.02, turns=False, sample_steps=8)
    made = fitted.sample(PairCounts(6), guidance=0, seed=0).masks
    nearest = [max((mask == real).mean() for real in view.real.masks) for mask in made]
    assert np.mean(nearest) > 0.9


def test_noise_is_taken_from_patches_that_are_known() -> None:
    draw = torch.Generator().manual_seed(0)
    image = (torch.rand((4, 1, 16, 16), generator=draw) > 0.5).float()
    mask = one_hot((image[:, 0] > 0.5).long(), 2).movedim(-1, 1).float()
    stage = MosaicStage(cell=1, side=6, stride=1, highest=1.0, nearest=4)
    diffusion = PatchDiffusion(torch.cat([image, mask], dim=1), 2, torch.zeros(2), [stage])
    joint = torch.cat([image, mask], dim=1)[0]
    noised = joint + 0.3 * torch.randn(joint.shape, generator=draw)
    library = diffusion._library(0, torch.arange(4), None)
    clean = diffusion._clean(0, noised, 0.3, library)
    assert (clean - joint).square().mean() < 0.2 * (noised - joint).square().mean()


@pytest.mark.parametrize("side", [5, 9, 16, 18, 32, 47, 48, 64, 100])
def test_the_places_of_every_stage_cover_a_tile(side: int) -> None:
    stages = stages_of(side)
    padded = -(-side // stages[0].cell) * stages[0].cell
    for stage in stages:
        cells = padded // stage.cell
        assert padded % stage.cell == 0 and 2 <= stage.side <= cells
        assert (cells - stage.side) % stage.stride == 0
    assert stages[-1].cell == 1
