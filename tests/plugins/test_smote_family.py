"""SMOTE, Borderline-SMOTE and ADASYN: where they start from, and what happens where they are not defined."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from hsiaug_builtin.baselines._interpolate import Ranked, convex_weights, rank_neighbours
from hsiaug_builtin.baselines.smote import Adasyn, BorderlineSmote, Smote

NEAR = {"sizes": (30, 12, 6, 2), "spread": 3.0}
"""Classes that overlap, so that there are borders."""


def points(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype(np.float32), np.repeat([1, 2], [n - 10, 10])


def sample(fitted, counts):
    return fitted.sample(counts, guidance=None, seed=0)


def test_neighbours_from_ranks_are_the_nearest_neighbours():
    x, y = points()
    rows = np.flatnonzero(y == 2)
    identity = sparse.identity(len(x), format="csr")
    ranked = Ranked(rank_neighbours(x), 4).fit(identity[rows]).kneighbors(identity[rows])
    assert np.array_equal(ranked, NearestNeighbors(n_neighbors=4).fit(x[rows]).kneighbors(x[rows])[1])


@pytest.mark.parametrize(
    ("variant", "plain"),
    [
        ("smote", SMOTE(sampling_strategy={2: 60}, random_state=5, k_neighbors=3)),
        (
            "borderline-smote",
            BorderlineSMOTE(sampling_strategy={2: 60}, random_state=5, k_neighbors=3, m_neighbors=4),
        ),
        ("adasyn", ADASYN(sampling_strategy={2: 66}, random_state=5, n_neighbors=3)),
    ],
    ids=["smote", "borderline-smote", "adasyn"],
)
def test_weights_over_real_samples_are_what_imbalanced_learn_makes_of_the_samples_themselves(variant, plain):
    x, y = points()
    weights = convex_weights(variant, y, rank_neighbours(x), (2, 50), 3, 4, seed=5)
    expected = plain.fit_resample(x, y)[0][len(x) :]
    made = weights @ x
    assert made.shape == (50, 3)
    distance = np.abs(made[:, None] - expected).max(axis=2).min(axis=1)
    assert distance.max() < 1e-5


def test_weights_are_convex_and_join_two_samples_at_most():
    x, y = points()
    weights = convex_weights("smote", y, rank_neighbours(x), (2, 50), 3, 4, seed=5).toarray()
    assert (weights >= 0).all() and np.allclose(weights.sum(axis=1), 1)
    assert ((weights > 0).sum(axis=1) <= 2).all() and (weights[:, y == 1] == 0).all()


def test_neighbours_are_lowered_for_small_classes_and_recorded(view, fit):
    notes = sample(fit(Smote, view((20, 4, 2, 6))), {1: 3}).provenance
    assert notes == {"k": {"2": 3, "3": 1}}


@pytest.mark.parametrize("plugin", [BorderlineSmote, Adasyn], ids=lambda plugin: plugin.card.name)
def test_classes_far_apart_fall_to_plain_smote_and_the_record_says_so(view, fit, plugin):
    samples = sample(fit(plugin, view((20, 12), spread=0.01)), {1: 7, 2: 31})
    assert len(samples) == 38
    assert set(samples.provenance[plugin.card.name]) == {"1", "2"}
    assert all(text.endswith("plain SMOTE") for text in samples.provenance[plugin.card.name].values())


@pytest.mark.parametrize("plugin", [BorderlineSmote, Adasyn], ids=lambda plugin: plugin.card.name)
@pytest.mark.parametrize("count", [1, 2, 37, 400])
def test_classes_that_overlap_get_their_exact_counts_without_a_fall(view, fit, plugin, count):
    samples = sample(fit(plugin, view(**NEAR)), {1: count, 2: count})
    assert [(samples.y == c).sum() for c in (1, 2)] == [count, count]
    assert not {"1", "2"} & set(samples.provenance.get(plugin.card.name, {}))


def test_smote_has_nothing_to_fall_from(view, fit):
    assert "smote" not in sample(fit(Smote, view(**NEAR)), {1: 3}).provenance


def test_any_first_part_of_an_adasyn_draw_starts_from_many_samples():
    x, y = points(200)
    weights = convex_weights("adasyn", y, rank_neighbours(x), (1, 100), 5, 5, seed=5)
    assert len(set(weights[:20].indices)) > 20
