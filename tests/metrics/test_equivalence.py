"""What paired draws say where no gain is shown."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.metrics.significance import Evidence, correct, detectable_difference, equivalence


def test_an_interval_within_one_point_is_equivalent() -> None:
    assert equivalence((-0.004, 0.009)) == "equivalent"


def test_an_interval_below_one_point_is_not_better() -> None:
    assert equivalence((-0.06, -0.04)) == equivalence((-0.03, 0.009)) == "not better"


def test_an_interval_that_reaches_one_point_is_open_as_is_none_at_all() -> None:
    assert equivalence((-0.004, 0.01)) == equivalence((0.04, 0.06)) == equivalence(None) == "open"


@given(st.floats(-0.05, 0.05), st.floats(0, 0.05))
def test_equivalence_does_not_depend_on_which_arm_comes_first(mean: float, half: float) -> None:
    forth, back = equivalence((mean - half, mean + half)), equivalence((-mean - half, half - mean))
    assert (forth == "equivalent") == (back == "equivalent")


@given(st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=10))
def test_the_printed_interval_alone_decides_that_a_gain_of_a_point_is_ruled_out(
    differences: list[float],
) -> None:
    (one,) = correct([Evidence.of(dict(enumerate(differences)))])
    if one.shown not in ("above", "below", "too few draws"):
        assert (one.shown == "< 1 point") == (one.interval is not None and one.interval[1] < 0.01)


def test_a_difference_called_detectable_is_mostly_found() -> None:
    from scipy.stats import ttest_1samp

    rng, size = np.random.default_rng(2), detectable_difference(0.02, 12)
    found = np.mean([ttest_1samp(rng.normal(size, 0.02, 12), 0).pvalue < 0.05 for _ in range(400)])
    assert 0.74 < found < 0.86
    assert detectable_difference(0.02, 1) == math.inf
    # Where a single draw stands out, the sign-flip test asks for less than a t test.
    assert detectable_difference(0.02, 7, 2.0) == detectable_difference(0.02, 7)
    assert detectable_difference(0.02, 7, 3.0) > detectable_difference(0.02, 7)
