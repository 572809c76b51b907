"""What paired draws say where no gain is shown."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.metrics.verdict import detectable_difference, equivalence

SMALL = [0.002, -0.001, 0.0, 0.001, -0.002, 0.001, 0.0, -0.001]


def test_draws_that_hardly_differ_are_equivalent() -> None:
    assert equivalence(SMALL) == "equivalent"


def test_an_arm_that_loses_is_not_better() -> None:
    assert equivalence([d - 0.05 for d in SMALL]) == "not better"


def test_an_arm_that_gains_or_scatters_is_open() -> None:
    assert equivalence([d + 0.05 for d in SMALL]) == "open"
    assert equivalence([40 * d for d in SMALL]) == "open"
    assert equivalence([0.0]) == "open"


@given(st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=30))
def test_equivalence_does_not_depend_on_which_arm_comes_first(differences: list[float]) -> None:
    forth, back = equivalence(differences), equivalence([-d for d in differences])
    assert (forth == "equivalent") == (back == "equivalent")


def test_the_two_one_sided_tests_are_those_of_scipy() -> None:
    from scipy.stats import ttest_1samp

    rng = np.random.default_rng(4)
    for n in (5, 12, 20):
        d = rng.normal(0.002, 0.01, n)
        above = ttest_1samp(d, -0.01, alternative="greater").pvalue < 0.05
        below = ttest_1samp(d, 0.01, alternative="less").pvalue < 0.05
        assert (equivalence(list(d)) == "equivalent") == (above and below)
        assert (equivalence(list(d)) == "open") == (not below)


def test_a_difference_called_detectable_is_mostly_found() -> None:
    from scipy.stats import ttest_1samp

    rng, size = np.random.default_rng(2), detectable_difference(0.02, 12)
    found = np.mean([ttest_1samp(rng.normal(size, 0.02, 12), 0).pvalue < 0.05 for _ in range(400)])
    assert 0.74 < found < 0.86
    assert detectable_difference(0.02, 1) == math.inf
