"""Spread, intervals, the paired test and Holm's correction."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t, wilcoxon

from hsiaug.base.errors import InputError
from hsiaug.metrics.significance import (
    MIN_PAIRS,
    holm,
    mean_std,
    paired_wilcoxon,
    smallest_p,
    t_interval,
    told_apart,
)

fractions = st.floats(0, 1)


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
def test_candidates_are_told_apart_by_more_than_one_standard_error(differences: list[float], told: bool) -> None:
    """One fold of ten is no more than its own noise, however large; of a single one nothing is known."""
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


def test_a_higher_level_gives_a_wider_interval() -> None:
    narrow, wide = t_interval([1.0, 2.0, 4.0], level=0.8), t_interval([1.0, 2.0, 4.0], level=0.99)
    assert narrow is not None and wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_level_of_95_is_a_mistake() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        t_interval([1.0, 2.0], level=95)


def test_five_pairs_cannot_reach_05_so_there_is_no_p() -> None:
    assert paired_wilcoxon([1, 2, 3, 4, 5], [0, 0, 0, 0, 0]) is None
    assert smallest_p(5) > 0.05 > smallest_p(MIN_PAIRS)


def test_six_differences_of_one_sign_give_two_in_64() -> None:
    assert paired_wilcoxon([1, 2, 3, 4, 5, 6], [0] * 6) == pytest.approx(2 / 64)


def test_equal_arms_give_one() -> None:
    assert paired_wilcoxon([0.3] * 8, [0.3] * 8) == 1.0


def test_rounding_does_not_break_a_tie() -> None:
    # 0.3 - 0.2 and 0.2 - 0.1 differ in the last bit, and must share their rank.
    assert paired_wilcoxon([0.3, 0.1] * 4, [0.2, 0.2] * 4) == 1.0


def test_the_sides_must_be_pairs() -> None:
    with pytest.raises(InputError, match="as many values on either side"):
        paired_wilcoxon([1.0] * 6, [1.0] * 7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1000, 1000).filter(bool), min_size=6, max_size=30, unique_by=abs))
def test_without_ties_p_is_that_of_scipy(differences: list[int]) -> None:
    ours = paired_wilcoxon(differences, [0] * len(differences))
    assert ours == pytest.approx(float(wilcoxon(differences).pvalue))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-3, 3).filter(bool), min_size=6, max_size=8))
def test_with_ties_p_counts_every_pattern_of_signs(differences: list[int]) -> None:
    ordered = sorted(abs(d) for d in differences)
    rank = {v: sum(i for i, w in enumerate(ordered, 1) if w == v) / ordered.count(v) for v in ordered}
    ranks = [rank[abs(d)] for d in differences]
    centre = sum(ranks) / 2

    def far(signs: tuple[bool, ...]) -> float:
        return abs(sum(r for r, positive in zip(ranks, signs, strict=True) if positive) - centre)

    seen = far(tuple(d > 0 for d in differences))
    patterns = list(product([True, False], repeat=len(ranks)))
    share = sum(far(signs) >= seen for signs in patterns) / len(patterns)
    assert paired_wilcoxon(differences, [0] * len(differences)) == pytest.approx(share)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(fractions, fractions), min_size=6, max_size=20))
def test_p_does_not_depend_on_which_arm_comes_first(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    assert paired_wilcoxon(a, b) == paired_wilcoxon(b, a)


def test_many_pairs_use_the_normal_distribution() -> None:
    differences = [(-1) ** i * (i + 1) + 10 for i in range(60)]
    assert paired_wilcoxon(differences, [0] * 60) == pytest.approx(float(wilcoxon(differences).pvalue))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]) == []


def test_holm_of_a_number_that_is_no_p_is_a_mistake() -> None:
    with pytest.raises(InputError, match="p-value"):
        holm([0.5, math.nan])


@given(st.lists(fractions, max_size=20))
def test_holm_never_lowers_a_p_never_passes_one_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    ranked = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@given(st.lists(fractions, min_size=1, max_size=20))
def test_holm_multiplies_the_smallest_p_by_the_number_of_tests(p_values: list[float]) -> None:
    assert min(holm(p_values)) == pytest.approx(min(1.0, min(p_values) * len(p_values)))
