"""Spread, intervals, and the sign-flip test with its correction for many arms."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, t

from hsiaug.base.errors import InputError
from hsiaug.metrics.significance import (
    ALPHA,
    EXACT_DRAWS,
    MIN_PAIRS,
    FlipTest,
    max_t,
    mean_std,
    t_interval,
    told_apart,
)


def test_std_divides_by_n_minus_one() -> None:
    assert mean_std([1.0, 2.0, 3.0, 4.0]) == pytest.approx((2.5, math.sqrt(5 / 3), 4))


def test_one_value_has_a_mean_and_no_std() -> None:
    assert mean_std([0.7]) == (0.7, None, 1)


@pytest.mark.parametrize(
    ("differences", "told"),
    [
        ([0.0] * 9, False),
        ([0.5], False),
        ([0.2] + [0.0] * 9, False),
        ([0.1, -0.1, 0.1], False),
        ([0.1, 0.1, 0.0], True),
    ],
)
def test_candidates_are_told_apart_by_more_than_one_standard_error(
    differences: list[float], told: bool
) -> None:
    """One fold of ten is no more than its own noise, however large; of a single one nothing is
    known.
    """
    assert told_apart(differences) is told and told_apart([-d for d in differences]) is told


@pytest.mark.parametrize("values", [[], [0.5, math.nan], [math.inf]])
def test_what_is_missing_is_never_averaged(values: list[float]) -> None:
    with pytest.raises(InputError, match="finite numbers, at least one"):
        mean_std(values)


def test_t_interval_of_four_values() -> None:
    half = t.ppf(0.975, 3) * math.sqrt(5 / 3) / 2
    assert t_interval([1.0, 2.0, 3.0, 4.0]) == pytest.approx((2.5 - half, 2.5 + half))


def test_one_value_has_no_interval() -> None:
    assert t_interval([0.7]) is None


def family(*comparisons: list[float]) -> list[dict[object, float]]:
    return [dict(enumerate(one)) for one in comparisons]


def alone(*differences: float) -> FlipTest:
    return max_t(family(list(differences)))[0]


def test_five_draws_cannot_reach_05_so_there_is_no_p() -> None:
    assert alone(1, 2, 3, 4, 5)[:2] == (None, None)
    assert 2 / 2**5 > ALPHA > 2 / 2**MIN_PAIRS


def test_six_differences_of_one_sign_give_two_in_64() -> None:
    assert alone(1, 2, 3, 4, 5, 6).p == alone(-1, -2, -3, -4, -5, -6).p == 2 / 64


@pytest.mark.parametrize("arms", [1, 12, 60])
def test_six_draws_decide_however_many_arms_there_are(arms: int) -> None:
    """Arms of one run are correlated: with equal differences, sixty are corrected as one."""
    assert [one.corrected for one in max_t(family(*[[3, 4, 5, 4, 3, 5]] * arms))] == [2 / 64] * arms


def test_equal_arms_give_one() -> None:
    assert alone(*[0.0] * 8)[:2] == (1.0, 1.0)


def test_rounding_does_not_break_a_tie() -> None:
    # 0.3 - 0.2 and 0.2 - 0.1 differ in the last bit.
    assert alone(*[0.3 - 0.2, 0.1 - 0.2] * 4).p == 1.0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-9, 9).filter(bool), min_size=6, max_size=9))
def test_p_is_that_of_a_permutation_test_of_the_mean(differences: list[int]) -> None:
    scipy = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert alone(*differences).p == pytest.approx(scipy.pvalue)


columns = st.integers(6, 8).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(-9, 12), min_size=n, max_size=n), min_size=1, max_size=4
    )
)


@settings(max_examples=25, deadline=None)
@given(columns)
def test_p_counts_every_pattern_of_signs_step_by_step(comparisons: list[list[float]]) -> None:
    """By the definition: of the hypotheses not rejected yet, how often one is as far out as the
    farthest.
    """
    n = len(comparisons[0])

    def far(one: list[float], signs: tuple[int, ...]) -> float:
        length = math.sqrt(sum(d * d for d in one))
        return abs(sum(s * d for s, d in zip(signs, one, strict=True))) / length if length else 0.0

    left, least = sorted(comparisons, key=lambda one: -far(one, (1,) * n)), 0.0
    expected = {}
    while left:
        seen, patterns = far(left[0], (1,) * n) - 1e-9, list(product((1, -1), repeat=n))
        least = max(
            least, sum(max(far(one, s) for one in left) >= seen for s in patterns) / len(patterns)
        )
        expected[tuple(left.pop(0))] = least
    found = max_t(family(*comparisons))
    assert [one.corrected for one in found] == pytest.approx(
        [expected[tuple(one)] for one in comparisons]
    )


@given(columns)
def test_the_interval_leaves_out_zero_exactly_where_p_is_below_05(
    comparisons: list[list[float]],
) -> None:
    for one, test in zip(comparisons, max_t(family(*comparisons)), strict=True):
        mean, std, n = mean_std(one)
        beyond = (
            test.critical is not None
            and abs(mean) > test.critical * (std or 0) / math.sqrt(n) + 1e-6
        )
        assert beyond == (test.corrected is not None and test.corrected < ALPHA) or std == 0


@given(columns)
def test_a_correction_never_lowers_p_and_ignores_signs_and_order(
    comparisons: list[list[float]],
) -> None:
    found = max_t(family(*comparisons))
    assert all(
        one.p <= one.corrected <= 1
        for one in found
        if one.p is not None and one.corrected is not None
    )
    assert max_t(family(*comparisons[::-1])) == found[::-1]
    assert max_t(family(*[[-d for d in one] for one in comparisons])) == found


def test_a_missing_draw_counts_in_no_sum() -> None:
    """A draw that failed is as one of equal scores, but n is smaller; five draws are not tested
    beside ten.
    """
    whole, part = max_t([{i: i + 1.0 for i in range(10)}, {i: 2.0 + i for i in range(2, 9)}])
    assert part.p == 2 / 2**7 and whole.p == 2 / 2**10
    many, few = max_t([{i: i + 1.0 for i in range(10)}, {i: 2.0 + i for i in range(5)}])
    assert few[:2] == (None, None) and many.corrected is not None


def test_more_draws_than_are_counted_give_the_same_random_patterns_each_time() -> None:
    many = [0.5 + math.sin(7 * i) for i in range(EXACT_DRAWS + 8)]
    scipy = permutation_test((many,), np.mean, permutation_type="samples", n_resamples=10**5, rng=0)
    assert alone(*many) == alone(*many) and alone(*many).p == pytest.approx(scipy.pvalue, abs=0.01)


def test_below_six_draws_the_interval_is_students_with_bonferronis_correction() -> None:
    found = max_t(family([1.0, 2.0, 3.0], [2.0, 3.0, 1.0]))
    assert [one.critical for one in found] == pytest.approx([t.ppf(1 - 0.025 / 2, 2)] * 2)
    assert max_t(family([1.0])) == [FlipTest(None, None, None)]


def test_nothing_to_test_is_nothing_and_a_missing_number_is_a_mistake() -> None:
    assert max_t([]) == []
    for bad in ([], [1.0, math.nan]):
        with pytest.raises(InputError, match="finite numbers, at least one"):
            max_t(family(bad))


def test_noise_is_shown_in_one_of_twenty_runs_at_most() -> None:
    """Twelve arms that share their control, seven draws: the size of the whole table, not of each
    arm.
    """
    rng = np.random.default_rng(0)
    shown = 0
    for _ in range(400):
        table = rng.normal(size=(7, 12)) + rng.normal(size=(7, 1))
        shown += any(
            one.corrected is not None and one.corrected < ALPHA
            for one in max_t(family(*table.T.tolist()))
        )
    assert shown / 400 <= 0.05 + 0.02
