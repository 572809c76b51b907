"""``cnn2d``: an equal budget for every arm, deterministic by its seed, and no trace in torch's
global state.
"""

import numpy as np

from hsiaug_builtin.nets.projection import fit_projection


def test_components_are_uncorrelated_and_constant_bands_give_none(view):
    toy = view((20, 9, 6), bands=5)
    projection = fit_projection(toy, 30)
    components = projection.patches(toy.cube[toy.visible][:, :, None, None])
    assert components.shape[1] == 4
    assert np.allclose(np.cov(components[:, :, 0, 0].T), np.eye(4), atol=1e-2)


def test_no_more_components_than_asked_for(view):
    assert fit_projection(view((20, 9, 6)), 2).matrix.shape == (6, 2)
