"""Label equivalents: where a curve over added labels reaches a score, and what lies outside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsiaug.base.errors import InputError
from hsiaug.metrics.label_equivalents import label_equivalent

LABELS = [0, 1, 2, 3, 5, 10, 20]
scores = st.floats(0, 1, width=32).map(lambda x: round(x, 4))
draws = st.integers(1, 8)


def curves(n: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(float, (n, len(LABELS)), elements=scores)


@settings(max_examples=15)
@given(st.data(), draws, st.integers(0, 6))
def test_an_arm_that_is_the_curve_at_k_is_worth_k(data: st.DataObject, n: int, place: int) -> None:
    steps = data.draw(arrays(float, (n, 7), elements=st.floats(0.01, 1)))
    curve = steps.cumsum(axis=1)
    found = label_equivalent(LABELS, curve, curve[:, place])
    assert found.value == pytest.approx(LABELS[place])
    if n >= 6:
        assert (found.low, found.high) == (
            pytest.approx(LABELS[place]),
            pytest.approx(LABELS[place]),
        )


@settings(max_examples=15)
@given(st.data(), draws)
def test_a_better_arm_is_worth_no_less(data: st.DataObject, n: int) -> None:
    curve = data.draw(curves(n))
    arm, gain = (data.draw(arrays(float, n, elements=scores)) for _ in range(2))
    worse, better = (label_equivalent(LABELS, curve, a) for a in (arm, arm + gain))
    assert worse.value <= better.value
    if n >= 6:
        assert worse.low <= better.low and worse.high <= better.high
        assert worse.low <= worse.high


def test_what_lies_outside_the_curve_is_censored_and_flat_stretches_give_their_beginning() -> None:
    curve = np.tile([0.5, 0.6, 0.6, 0.6, 0.7, 0.8, 0.9], (6, 1))
    below, flat, between, above = (
        label_equivalent(LABELS, curve, np.full(6, s)) for s in (0.4, 0.6, 0.65, 0.95)
    )
    assert (below.value, below.high, above.value, above.low) == (-np.inf, -np.inf, np.inf, np.inf)
    assert flat.value == pytest.approx(1) and between.value == pytest.approx(4)
    assert label_equivalent(LABELS, curve[:5], np.full(5, 0.6)).low is None


def test_an_interval_may_end_outside_the_curve() -> None:
    curve = np.tile(np.linspace(0.5, 0.8, 7), (6, 1))
    found = label_equivalent(LABELS, curve, np.array([0.3, 0.9, 0.6, 0.6, 0.6, 0.6]))
    assert (
        found.low == -np.inf and found.value == pytest.approx(2) and found.high == pytest.approx(10)
    )


@pytest.mark.parametrize(
    ("curve", "arm"),
    [(np.ones((2, 3)), np.ones(2)), (np.full((2, 7), np.nan), np.ones(2)), (np.ones((0, 7)), [])],
)
def test_what_cannot_be_compared_is_refused(curve: np.ndarray, arm: np.ndarray) -> None:
    with pytest.raises(InputError, match="finite scores of curve and configuration"):
        label_equivalent(LABELS, curve, np.asarray(arm))
