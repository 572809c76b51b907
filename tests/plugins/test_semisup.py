"""``hsiaug_builtin.semisup``: what unlabelled pixels add, that they come from the view alone, and
what weights do.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

import hsiaug_builtin.semisup
from hsiaug.api import Patches, PluginError
from hsiaug.core.samples import PatchSamples, concatenate
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import Found
from hsiaug_builtin.nets.projection import fit_projection
from hsiaug_builtin.nets.views import strong
from hsiaug_builtin.semisup.discriminant import fit_discriminant
from hsiaug_builtin.semisup.fixmatch import FixMatch, FixMatchParams, ramp, unlabelled_batches
from hsiaug_builtin.semisup.label_spreading import SpectralSpatialSpreading
from hsiaug_builtin.semisup.self_training import SelfTraining
from hsiaug_builtin.teacher.features import fit_local_means

ENTRIES = [
    entry for entry in hsiaug_builtin.semisup.hsiaug_plugins() if entry.name != "teacher"
]  # see test_teacher
PLUGINS = {entry.name: Found(entry, "hsiaug", "0").load() for entry in ENTRIES}

every = pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)
without_net = pytest.mark.parametrize(
    "plugin", [SelfTraining, SpectralSpatialSpreading], ids=lambda p: p.card.name
)


def nowhere(x: np.ndarray) -> Patches:
    return Patches(x, np.full((len(x), 2), -1, dtype=np.int32))


@cache
def fields(scope: str = "scene") -> tuple[Scene, TrainView]:
    """Four classes, the quarters of 32 × 32 pixels, in 12 noisy bands; three training pixels each,
    patches of 1 × 1.

    Three samples say little of a class's mean; its neighbours say more.
    """
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:32, :32]
    labels = (1 + (rows >= 16) + 2 * (columns >= 16)).astype(np.int16)
    cube = rng.normal(size=(5, 12))[labels] + rng.normal(size=(32, 32, 12))
    train = np.zeros(labels.shape, dtype=bool)
    train[7::16, 5:8] = train[7::16, 21:24] = True
    scene = Scene("fields", cube.astype(np.float32), labels, ("a", "b", "c", "d"))
    split = Split(labels, 4, train, ~train, parse_protocol("random:0.05"), 1, 0)
    return scene, train_view(scene, split, scope)


def recall(fitted, scene: Scene, view: TrainView) -> float:
    """Mean recall on the pixels that are unlabelled in ``view``."""
    y = scene.labels[tuple(view.unlabelled.T)]
    found = fitted.predict(nowhere(view.patches(view.unlabelled)))
    return float(np.mean([(found[y == c] == c).mean() for c in np.unique(y[y > 0])]))


@without_net
def test_unlabelled_neighbours_teach_what_few_noisy_samples_cannot(fit, plugin):
    scene, view = fields()
    means, _ = fit_local_means(view, view.unlabelled, 12, (1,))
    known, asked = (
        means.patches(view.patches(coords)) for coords in (view.coords, view.unlabelled)
    )
    alone = (
        fit_discriminant(known, view.y, np.ones(12, dtype=np.float32)).shares(asked).argmax(axis=1)
        + 1
    )
    supervised = (alone == scene.labels[tuple(view.unlabelled.T)]).mean()
    assert supervised < 0.85
    assert recall(fit(plugin, view, samples=view.real), scene, view) > supervised + 0.02


def test_the_unlabelled_loss_makes_weak_and_strong_views_of_unlabelled_pixels_agree(fit, seen):
    x = seen.patches(seen.unlabelled[::7])

    def agreement(strength: float) -> float:
        # A hundred steps of so small a network: no probability comes up to the usual threshold.
        given = {"steps": "100", "rise": "0.2", "strength": str(strength), "threshold": "0.4"}
        fitted = fit(FixMatch, seen, samples=seen.real, preset="tiny", **given)
        components = torch.from_numpy(fitted.read(x))
        with torch.inference_mode():
            calm, shaken = (
                fitted.net(v).argmax(1)
                for v in (components, strong(components, torch.Generator().manual_seed(0)))
            )
        return float((calm == shaken).float().mean())

    assert agreement(1.0) > agreement(0.0) + 0.02


@every
def test_a_view_without_unlabelled_pixels_is_refused(fit, plugin):
    _, view = fields("none")
    with pytest.raises(
        PluginError, match=f"classifier {plugin.card.name} learns from unlabelled pixels"
    ):
        fit(plugin, view, samples=view.real, preset="tiny")


@every
def test_samples_of_no_weight_do_not_even_name_a_class(fit, seen, plugin):
    def spoilt(samples: PatchSamples) -> PatchSamples:
        return concatenate(
            [samples, replace(samples, y=samples.y % 3 + 1, weight=0 * samples.weight)]
        )

    patches, few = nowhere(seen.patches(seen.unlabelled[::9])), seen.real.take(seen.real.y <= 2)
    clean, with_them = (
        fit(plugin, seen, samples=s, preset="tiny").predict(patches) for s in (few, spoilt(few))
    )
    assert np.array_equal(clean, with_them) and set(clean) <= {1, 2}
    with pytest.raises(PluginError, match="none of positive weight"):
        fit(plugin, seen, samples=replace(few, weight=0 * few.weight), preset="tiny")


@every
def test_wrong_samples_harm_less_the_lighter_they_are(fit, toy, seen, plugin):
    wrong = replace(seen.real, y=seen.real.y % 5 + 1)

    def with_wrong(weight: float) -> float:
        light = replace(wrong, weight=np.full(len(wrong), weight, dtype=np.float32))
        return recall(
            fit(plugin, seen, samples=concatenate([seen.real, light]), preset="tiny"), toy, seen
        )

    assert with_wrong(0.02) > with_wrong(20.0) + 0.1


def test_unlabelled_batches_are_patches_of_unlabelled_pixels_in_components(seen):
    projection = fit_projection(seen, 6)
    draw = unlabelled_batches(seen, projection, 40, seed=0, device="cpu")
    batch = np.concatenate([draw().numpy(), draw().numpy()])
    all_of_them = projection.patches(seen.patches(seen.unlabelled)).reshape(
        len(seen.unlabelled), -1
    )
    nearest = np.abs(all_of_them[None] - batch.reshape(80, 1, -1)).max(axis=2).min(axis=1)
    assert batch.shape == (80, 6, 5, 5) and nearest.max() < 1e-3


@every
def test_a_view_that_hides_pixels_trains_on_the_whole_patches_it_shows(fit, toy, plugin):
    hidden = train_view(toy, draw_split(toy, parse_protocol("hidden:0.5:issd"), 0, 5), "scene")
    assert 0 < len(hidden.unlabelled) < (~hidden.visible).sum()
    found = fit(plugin, hidden, samples=hidden.real, preset="tiny").predict(nowhere(hidden.real.x))
    assert (found == hidden.y).mean() > 0.5


def test_the_unlabelled_loss_rises_to_its_full_weight():
    recipe = FixMatchParams(steps=100, strength=2.0, rise=0.5)
    weights = [ramp(step, recipe) for step in range(100)]
    assert weights[0] < 0.03 and np.all(np.diff(weights) >= 0) and weights[49:] == [2.0] * 51
    assert ramp(0, replace(recipe, rise=0.0)) == 2.0


def test_a_network_takes_the_steps_and_the_labelled_batch_of_cnn2d():
    from hsiaug_builtin.classifiers.networks import Cnn2d

    own, plain = build_params(FixMatch.card), build_params(Cnn2d.card)
    for name in ("steps", "batch", "rate", "decay", "components", "width", "augment"):
        assert getattr(own, name) == getattr(plain, name)
