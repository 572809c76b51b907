"""Measures over nearest neighbours, against hand-made point sets."""

import numpy as np
import pytest

from hsiaug.metrics.neighbours import (
    pairwise_mean,
    prdc,
    rank_nearer,
    two_sample_accuracy,
)


def test_prdc_by_hand() -> None:
    # With k = 1 the radii of the real points are 1, 1, 9; those of the fake ones 9.5, 0.5, 0.5.
    real = np.array([[0.0], [1.0], [10.0]])
    fake = np.array([[-9.0], [0.5], [1.0]])
    result = prdc(real, fake, k=1)

    # Real balls: (-1, 1), (0, 2), (1, 19): the fake points lie in 0, 2 and 1 of them.
    assert result["precision"] == pytest.approx(2 / 3)
    assert result["density"] == pytest.approx(3 / 3)
    # Fake balls: (-18.5, 0.5), (0, 1), (0.5, 1.5): the real points 0 and 1 are inside, 10 is not.
    assert result["recall"] == pytest.approx(2 / 3)
    # Nearest fake of each real: 0.5 < 1, 0 < 1, 9 < 9 is false.
    assert result["coverage"] == pytest.approx(2 / 3)


def test_prdc_of_equal_sets_is_full_and_of_far_ones_empty(rng: np.random.Generator) -> None:
    x = rng.normal(size=(60, 3))

    assert [prdc(x, x)[name] for name in ("precision", "recall", "coverage")] == [1, 1, 1]
    assert set(prdc(x, x + 100).values()) == {0}
    assert prdc(x[:2], x[:3])["coverage"] == 1


def test_rank_nearer_counts_pairs_and_halves_ties() -> None:
    # Pairs (made < held): 1<2, 1<3, 2=2 (½), 2<3 of four.
    assert rank_nearer(np.array([1.0, 2.0]), np.array([3.0, 2.0])) == 3.5 / 4


def test_mean_distance_between_points() -> None:
    assert pairwise_mean(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(2)
    assert pairwise_mean(np.zeros((1, 3))) is None


def test_a_classifier_tells_sets_apart_only_where_they_differ(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(150, 3)), rng.normal(size=(150, 3))

    assert two_sample_accuracy(a, b) == pytest.approx(0.5, abs=0.08)
    assert two_sample_accuracy(a, b + 4) == pytest.approx(1, abs=0.02)
    assert two_sample_accuracy(a[:9], b) is None
