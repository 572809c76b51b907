"""``cnn2d``: an equal budget for every arm, deterministic by its seed, and no trace in torch's
global state.
"""

import numpy as np
import pytest

from hsiaug.api import Patches
from hsiaug_builtin.classifiers.networks import Cnn2d
from hsiaug_builtin.nets.projection import fit_projection


def nowhere(x) -> Patches:
    return Patches(x, np.full((len(x), 2), -1, dtype=np.int32))


def tiny(fit, view, samples=None, **params):
    return fit(
        Cnn2d, view, samples=view.real if samples is None else samples, preset="tiny", **params
    )


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
    assert shares.shape == (len(toy.y), len(sizes)) and np.allclose(
        shares.sum(axis=1), 1, atol=1e-5
    )
    assert (shares[:, [c - 1 for c in range(1, len(sizes) + 1) if c not in toy.counts]] == 0).all()


def test_no_patches_give_no_labels(view, fit):
    toy = view((5, 4))
    assert tiny(fit, toy, steps="2").predict(nowhere(toy.real.x[:0])).shape == (0,)


def test_components_are_uncorrelated_and_constant_bands_give_none(view):
    toy = view((20, 9, 6), bands=5)
    projection = fit_projection(toy, 30)
    components = projection.patches(toy.cube[toy.visible][:, :, None, None])
    assert components.shape[1] == 4
    assert np.allclose(np.cov(components[:, :, 0, 0].T), np.eye(4), atol=1e-2)


def test_no_more_components_than_asked_for(view):
    assert fit_projection(view((20, 9, 6)), 2).matrix.shape == (6, 2)
