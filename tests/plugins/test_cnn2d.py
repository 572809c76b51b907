"""``cnn2d``: an equal budget for every arm, deterministic by its seed, and no trace in torch's global state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsiaug.api import Patches
from hsiaug.core.samples import concatenate
from hsiaug.registry.card import build_params
from hsiaug_builtin.baselines.controls import Duplicate
from hsiaug_builtin.classifiers.networks import Cnn2d
from hsiaug_builtin.nets.projection import fit_projection


def nowhere(x) -> Patches:
    return Patches(x, np.full((len(x), 2), -1, dtype=np.int32))


def tiny(fit, view, samples=None, **params):
    return fit(Cnn2d, view, samples=view.real if samples is None else samples, preset="tiny", **params)


def test_it_learns_classes_that_differ(view, fit):
    toy = view((20, 9, 6), patch=5)
    fitted = tiny(fit, toy)
    assert (fitted.predict(nowhere(toy.real.x)) == toy.y).mean() > 0.9


@pytest.mark.parametrize("patch", [1, 3, 5, 9])
@pytest.mark.parametrize("sizes", [(1, 1), (5, 0, 3), (4, 0), (1, 0)])
def test_it_works_with_any_patch_and_names_only_classes_it_has_seen(view, fit, sizes, patch):
    toy = view(sizes, patch=patch)
    fitted = tiny(fit, toy, steps="3")
    found = fitted.predict(nowhere(toy.real.x))
    assert set(found) <= set(toy.counts) and found.dtype == np.int64
    shares = fitted.predict_proba(nowhere(toy.real.x))
    assert shares.shape == (len(toy.y), len(sizes)) and np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares[:, [c - 1 for c in range(1, len(sizes) + 1) if c not in toy.counts]] == 0).all()


def test_no_patches_give_no_labels(view, fit):
    toy = view((5, 4))
    assert tiny(fit, toy, steps="2").predict(nowhere(toy.real.x[:0])).shape == (0,)


def test_the_same_seed_gives_the_same_predictions_and_another_seed_other_weights(view, fit):
    toy = view((20, 9, 6), spread=2.0)
    patches = nowhere(toy.real.x)
    one, same, other = (tiny(fit, toy, seed=s).predict_proba(patches) for s in (3, 3, 4))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_the_global_random_state_is_neither_read_nor_moved(view, fit):
    toy = view((9, 6))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = tiny(fit, toy, steps="3").predict_proba(nowhere(toy.real.x))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert np.array_equal(one, tiny(fit, toy, steps="3").predict_proba(nowhere(toy.real.x)))


def test_more_samples_do_not_buy_more_steps(view):
    toy = view((20, 9, 6))
    seen = []
    for extra in (0, 200):
        copies = Duplicate(None).fit(toy, seed=0, device="cpu", progress=print)
        samples = concatenate([toy.real, copies.sample({2: extra}, guidance=None, seed=0)])
        told: list[tuple[int, int]] = []
        Cnn2d(build_params(Cnn2d.card, "tiny", {"steps": "7"})).fit(
            samples,
            toy,
            seed=0,
            device="cpu",
            progress=lambda done, total, note="", told=told: told.append((done, total)),
        )
        seen.append(told)
    assert seen[0] == seen[1] and seen[0][-1] == (7, 7)


def test_samples_of_no_weight_count_for_nothing(view, fit):
    toy = view((20, 9), spread=0.1)
    wrong = fit(Duplicate, toy).sample({1: 60}, guidance=None, seed=0)
    wrong = replace(wrong, y=wrong.y + 1, weight=np.zeros(60, dtype=np.float32))
    fitted = tiny(fit, toy, concatenate([toy.real, wrong]))
    assert (fitted.predict(nowhere(toy.real.x)) == toy.y).mean() > 0.9


def test_components_are_uncorrelated_and_constant_bands_give_none(view):
    toy = view((20, 9, 6), bands=5)
    projection = fit_projection(toy, 30)
    components = projection.patches(toy.cube[toy.visible][:, :, None, None])
    assert components.shape[1] == 4
    assert np.allclose(np.cov(components[:, :, 0, 0].T), np.eye(4), atol=1e-2)


def test_no_more_components_than_asked_for(view):
    assert fit_projection(view((20, 9, 6)), 2).matrix.shape == (6, 2)
