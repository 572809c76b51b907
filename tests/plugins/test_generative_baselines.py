"""cvae and wgan: components and back, what a sample is made of, and whether they learn a
distribution.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsiaug.api import PluginError
from hsiaug_builtin.baselines._learnt import TrainingComponents, fit_components
from hsiaug_builtin.baselines.generative import Cvae, Wgan

LEARNT = [Cvae, Wgan]
learnt = pytest.mark.parametrize("plugin", LEARNT, ids=lambda plugin: plugin.card.name)
SMALL = {"components": "5", "width": "16"}
TRAINED = {
    Cvae: SMALL | {"latent": "4", "steps": "300", "batch": "32"},
    Wgan: SMALL | {"latent": "8", "steps": "150", "batch": "32", "rate": "2e-3"},
}


def draw(fitted, counts, seed=0):
    return fitted.sample(counts, guidance=None, seed=seed)


def deviations(components, samples):
    middle = samples.x.shape[2] // 2
    return components.of(samples.x, samples.y)[:, :, middle, middle]


def test_components_of_all_directions_lose_nothing(view):
    toy = view((20, 6, 2))
    components = fit_components(toy, 99)
    assert components.axes.shape == (5, 6)  # the constant band has no direction of its own
    one, other = toy.real.x[:2], toy.real.x[2:4]
    y = toy.real.y[:2]
    change = components.change(components.of(other, y) - components.of(one, y))
    assert np.allclose(one + change, other, atol=1e-4)


def test_components_are_counted_from_the_class_mean_in_deviations_within_classes(view):
    toy = view((30, 12, 1))
    z = deviations(fit_components(toy, 5), toy.real)
    for c in (1, 2, 3):
        assert np.allclose(z[toy.real.y == c].mean(axis=0), 0, atol=1e-4)
    assert np.allclose(z.var(axis=0), 1, rtol=1e-3)


def test_a_small_class_is_drawn_more_often_than_it_occurs_and_less_than_equally():
    y = np.repeat([1, 2], [90, 10])
    lesson = TrainingComponents.of(np.zeros((100, 1, 1, 1), dtype=np.float32), y, "cpu")
    _, drawn = lesson.batch(20000, torch.Generator().manual_seed(0), 0)
    assert float((drawn == 2).float().mean()) == pytest.approx(1 / 4, abs=0.02)


def test_a_batch_shows_patches_under_all_symmetries():
    patch = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    lesson = TrainingComponents.of(patch, np.array([1]), "cpu")
    z, _ = lesson.batch(8, torch.Generator().manual_seed(0), 0)
    assert len({tuple(one.flatten().tolist()) for one in z}) == 8


@learnt
def test_samples_are_about_the_class_mean_and_as_spread_as_the_class(view, fit, plugin):
    toy = view((60, 40, 20), patch=1)
    fitted = fit(plugin, toy, **TRAINED[plugin])
    made = draw(fitted, {1: 300, 2: 300, 3: 300})
    z, real = deviations(fitted.components, made), deviations(fitted.components, toy.real)
    for c in (1, 2, 3):
        assert np.abs(z[made.y == c].mean(axis=0)).max() < 0.6
        ratio = np.sqrt(
            z[made.y == c].var(axis=0).mean() / real[toy.real.y == c].var(axis=0).mean()
        )
        assert 0.6 < ratio < 1.5, f"class {c}"


@learnt
def test_what_components_cannot_express_stays_that_of_a_real_patch(view, fit, plugin):
    toy = view((20, 12))
    fitted = fit(plugin, toy, preset="tiny", components="2")
    axes = fitted.components.axes
    rest = np.eye(6) - axes.T @ axes

    def residual(x):
        scaled = toy.normaliser.patches(x)
        return np.einsum("bc,ncij->nbij", rest, scaled)

    real, made = residual(toy.real.x[toy.real.y == 2]), residual(draw(fitted, {2: 24}).x)
    nearest = np.abs(made[:, None] - real).max(axis=(2, 3, 4))
    assert nearest.min(axis=1).max() < 1e-4
    assert np.bincount(nearest.argmin(axis=1)).tolist() == [2] * 12


@learnt
def test_they_change_the_pixels_of_a_patch_one_by_one(view, fit, plugin):
    toy = view((20, 1))
    shift = draw(fit(plugin, toy, preset="tiny"), {2: 4}).x - toy.real.x[toy.real.y == 2]
    assert not np.allclose(shift, shift[:, :, :1, :1], atol=1e-3)


@learnt
def test_a_training_that_diverges_says_so(view, plugin):
    toy = view((20, 6))
    spoilt = replace(toy, cube=np.where(np.isnan(toy.cube), np.nan, toy.cube * np.float32(1e30)))
    made = plugin(plugin.card.params(**plugin.card.presets["tiny"] | {"rate": 1e30}))
    with pytest.raises(PluginError, match="must stay finite"):
        made.fit(spoilt, seed=0, device="cpu", progress=lambda done, total, note="": None)
