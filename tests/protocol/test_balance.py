"""The sample balance rate λ."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.base.errors import InputError
from hsiaug.protocol.balance import Rate, pool_steps, synthetic_counts

counts = st.dictionaries(st.integers(1, 20), st.integers(1, 200), min_size=1)
rates = st.floats(0, 3, allow_nan=False)


def test_zero_adds_nothing_and_one_fills_every_class_to_the_largest() -> None:
    assert synthetic_counts({1: 10, 2: 3}, Rate(0)) == {1: 0, 2: 0}
    assert synthetic_counts({1: 10, 2: 3}, Rate(1)) == {1: 0, 2: 7}
    assert synthetic_counts({1: 10, 2: 3}, Rate(0.5)) == {1: 0, 2: 2}
    assert synthetic_counts({1: 10, 2: 3}, Rate(1.5)) == {1: 5, 2: 12}


def test_indian_pines_at_five_percent_asks_for_1450() -> None:
    real = dict(enumerate((3, 71, 42, 12, 24, 37, 3, 24, 3, 49, 123, 30, 10, 63, 19, 5), start=1))

    assert sum(synthetic_counts(real, Rate(1)).values()) == 1450


def test_times_adds_so_many_for_each_real_sample_of_a_class() -> None:
    assert synthetic_counts({1: 10, 2: 3}, Rate(0, 3)) == {1: 30, 2: 9}
    assert synthetic_counts({1: 10, 2: 3}, Rate(1, 0.5)) == {1: 5, 2: 9}
    assert not Rate(0) and Rate(0, 1) and str(Rate(0.5, 3)) == "0.5x3" and str(Rate(1)) == "1"
    assert Rate(0.5, 3).in_prose == "λ = 0.5, M = 3"
    assert Rate(1).in_prose == "λ = 1"


@given(counts, rates, rates)
def test_a_trial_uses_the_first_samples_of_each_class_of_the_blocks(real, lam, times):
    blocks = pool_steps(real, Rate(lam, times))

    assert all(0 <= block.used[c] <= block.counts[c] for block in blocks for c in real)
    used = {c: sum(block.used[c] for block in blocks) for c in real}
    assert used == synthetic_counts(real, Rate(lam, times))
    of_lambda = [block for block in blocks if isinstance(block.label, int)]
    assert of_lambda == pool_steps(real, Rate(lam))


@given(counts, rates)
def test_the_pool_holds_at_least_what_lambda_asks_and_at_most_a_quarter_more(real, lam):
    pooled = {c: sum(block.counts[c] for block in pool_steps(real, Rate(lam))) for c in real}
    a_quarter_more = synthetic_counts(real, Rate(lam + 0.25))

    assert all(
        n <= pooled[c] <= a_quarter_more[c] for c, n in synthetic_counts(real, Rate(lam)).items()
    )


@given(counts, rates, rates)
def test_a_larger_lambda_only_adds_blocks(real: dict[int, int], one: float, other: float) -> None:
    fewer, more = sorted(
        ([block.counts for block in pool_steps(real, Rate(lam))] for lam in (one, other)), key=len
    )

    assert more[: len(fewer)] == fewer


@pytest.mark.parametrize("lam", [-0.1, math.nan, math.inf])
def test_lambda_must_be_a_number_from_zero_on(lam: float) -> None:
    with pytest.raises(InputError, match="`lam`"):
        synthetic_counts({1: 2}, Rate(lam))
