"""What every built-in generator promises, and what each one makes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import hsiaug_builtin.baselines
from hsiaug_builtin.baselines.controls import Duplicate, Nothing
from hsiaug_builtin.baselines.forest_flow import ForestFlow
from hsiaug_builtin.baselines.generative import Cvae, Wgan
from hsiaug_builtin.baselines.mixup import Mixup
from hsiaug_builtin.baselines.noise import Noise
from hsiaug_builtin.baselines.smote import Smote

SIZES = (20, 6, 2, 1)
ADDING = [Duplicate, Noise, Mixup, Smote, Cvae, Wgan, ForestFlow]
INTERPOLATING = [Mixup, Smote]
adding = pytest.mark.parametrize("plugin", ADDING, ids=lambda plugin: plugin.card.name)
interpolating = pytest.mark.parametrize(
    "plugin", INTERPOLATING, ids=lambda plugin: plugin.card.name
)


@cache
def tiny(fit, plugin, view):
    """Fitted under the preset ``tiny``, once per view."""
    return fit(plugin, view, preset="tiny")


def draw(fitted, counts, seed=0):
    return fitted.sample(counts, guidance=None, seed=seed)


def test_this_file_knows_every_generator():
    listed = {entry.name for entry in hsiaug_builtin.baselines.hsiaug_plugins()}
    # What reads unlabelled pixels stands in test_pseudo and test_fill, what makes masks alone in
    # tests/pairs, imblearn in test_by_name.
    elsewhere = {"pseudo", "fill", "duplicate-balanced", "imblearn"}
    assert listed - elsewhere == {plugin.card.name for plugin in [Nothing, *ADDING]}


@adding
def test_a_class_gets_the_same_samples_whatever_else_is_asked_for(view, fit, plugin):
    fitted = tiny(fit, plugin, view(SIZES))
    both = draw(fitted, {1: 8, 2: 9})
    assert np.array_equal(both.x[both.y == 2], draw(fitted, {2: 9}).x)


def test_none_adds_nothing_whatever_is_asked_for(view, fit, tmp_path):
    fitted = fit(Nothing, view(SIZES))
    fitted.save(tmp_path)
    for one in (fitted, Nothing(None).load(tmp_path, device="cpu")):
        samples = draw(one, {1: 50, 4: 3})
        assert samples.x.shape == (0, 6, 3, 3) and len(samples.y) == 0


def test_duplicate_repeats_each_real_sample_equally_often(view, fit):
    real = view(SIZES).real
    samples = draw(fit(Duplicate, view(SIZES)), {1: 50, 4: 3})
    used = [(samples.x == patch).all(axis=(1, 2, 3)).sum() for patch in real.x]
    assert {int(n) for n, c in zip(used, real.y, strict=True) if c == 1} == {2, 3}
    assert [int(n) for n, c in zip(used, real.y, strict=True) if c == 4] == [3]
    assert sum(used) == 53


def test_noise_is_in_proportion_to_each_band_and_spares_constant_bands(view, fit):
    toy = view((1, 20))
    seen = toy.cube[toy.visible].std(axis=0)
    made = draw(fit(Noise, toy, level="0.2"), {1: 4000}).x - toy.real.x[toy.real.y == 1]
    assert np.allclose(made.std(axis=(0, 2, 3)), 0.2 * seen, rtol=0.03)
    assert (made[:, -1] == 0).all()


@interpolating
def test_interpolated_samples_stay_between_the_real_ones_of_their_class(view, fit, plugin):
    toy = view(SIZES)
    samples = draw(fit(plugin, toy), dict.fromkeys(range(1, 5), 60))
    for c in range(1, 5):
        real, made = toy.real.x[toy.real.y == c], samples.x[samples.y == c]
        assert (made >= real.min(axis=0) - 1e-5).all() and (made <= real.max(axis=0) + 1e-5).all()


@interpolating
def test_interpolated_samples_are_new_where_a_class_has_two(view, fit, plugin):
    toy = view(SIZES)
    made = draw(fit(plugin, toy), {3: 10}).x
    assert not any((toy.real.x == patch).all(axis=(1, 2, 3)).any() for patch in made)


@interpolating
def test_a_lone_sample_is_repeated_and_the_record_says_so(view, fit, plugin):
    toy = view(SIZES)
    samples = draw(fit(plugin, toy), {4: 5})
    assert (samples.x == toy.real.x[toy.real.y == 4]).all()
    assert samples.provenance["duplicated"] == [4]


def test_mixup_mixes_two_different_patches_of_a_class(view, fit):
    toy = view((2, 8))
    a, b = toy.real.x[toy.real.y == 1].reshape(2, -1).astype(float)
    made = draw(fit(Mixup, toy), {1: 200}).x.reshape(200, -1)
    share = (made - b) @ (a - b) / ((a - b) @ (a - b))
    assert np.allclose(made, b + share[:, None] * (a - b), atol=1e-5)
    assert share.min() < 0.1 and share.max() > 0.9 and abs(share.mean() - 0.5) < 0.1


def test_a_flow_with_trees_finds_the_two_kinds_of_a_class_and_little_between(view, fit):
    """Two clusters; a Gaussian of their mean and variance has 45 % in the middle."""
    toy = view((60, 3), spread=0.1)
    cube = toy.cube.copy()
    rows = toy.coords[toy.y == 1]
    cube[tuple(rows[:30].T)] += 10
    samples = draw(fit(ForestFlow, replace(toy, cube=cube)), {1: 200})
    heights = (samples.x[:, :, 1, 1].mean(axis=1) - cube[tuple(rows[30:].T)].mean()) / 10
    assert 0.3 < (heights > 0.5).mean() < 0.7
    assert (np.abs(heights - 0.5) < 0.3).mean() < 0.3
