"""SMOTE: it makes what imbalanced-learn makes, and lowers the neighbours of small classes."""

import numpy as np
from imblearn.over_sampling import SMOTE

from hsiaug_builtin.baselines.smote import FittedSmote, Smote


def test_patches_are_what_imbalanced_learn_makes_of_them():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3, 1, 1)).astype(np.float32), np.repeat([1, 2], [30, 10])
    ranks = np.argsort(((x[:, None] - x) ** 2).sum(axis=(2, 3, 4)), axis=1).astype(np.int32)
    made = FittedSmote(x, y, ranks, 3).make(2, 20, np.flatnonzero(y == 2), seed=5)[:, :, 0, 0]

    plain = SMOTE(sampling_strategy={2: 30}, random_state=5, k_neighbors=3)
    expected = plain.fit_resample(x[:, :, 0, 0], y)[0][40:]
    assert np.allclose(sorted(made.tolist()), sorted(expected.tolist()), atol=1e-5)


def test_neighbours_are_lowered_for_small_classes_and_recorded(view, fit):
    notes = fit(Smote, view((20, 4, 2, 6))).sample({1: 3}, guidance=None, seed=0).provenance
    assert notes == {"k": {"2": 3, "3": 1}}
