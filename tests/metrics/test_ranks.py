"""Average ranks over data sets: against Demšar's own worked example, scipy, and what ranks must satisfy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsiaug.metrics.ranks import average_ranks, cliques, critical_difference, friedman_p

DEMSAR = [
    (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
    (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
    (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
    (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
    (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
]  # fmt: skip
"""Table 6 of Demšar 2006: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets.

The paper ranks the two 0.975 of the thirteenth apart, so their digits beyond the printed ones differ."""


def test_the_worked_example_of_demsar_comes_out() -> None:
    scores = np.array(DEMSAR)
    assert average_ranks(scores) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, alpha=0.10) == pytest.approx(1.12, abs=0.005)
    assert friedman_p(scores) < 0.05


def test_friedmans_test_is_that_of_scipy_in_the_form_of_iman_and_davenport() -> None:
    from scipy.stats import f, friedmanchisquare

    scores = np.random.default_rng(0).integers(0, 5, (7, 4)).astype(float)
    chi2 = friedmanchisquare(*scores.T).statistic
    assert friedman_p(scores) == pytest.approx(f.sf(6 * chi2 / (7 * 3 - chi2), 3, 18))
    assert friedman_p(np.ones((5, 3))) == 1.0
    assert friedman_p(np.tile([1.0, 2.0, 3.0], (5, 1))) == 0.0


def test_a_clique_holds_what_lies_closer_than_the_distance() -> None:
    assert cliques([1.0, 1.5, 2.4, 4.0], 1.0) == [(0, 1), (1, 2)]
    assert cliques([1.0, 2.0, 3.0], 1.0) == [], "a difference of the distance itself tells apart"
    assert cliques([1.0, 2.0, 3.0], 2.5) == [(0, 2)]


@given(arrays(np.float64, (5, 4), elements=st.integers(0, 3).map(float)), st.integers(1, 5))
def test_ranks_add_up_and_no_clique_lies_in_another(scores: np.ndarray, distance: float) -> None:
    ranks = average_ranks(scores)
    assert ranks.sum() == pytest.approx(4 * 5 / 2)
    found = cliques(sorted(ranks), distance)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(found))
