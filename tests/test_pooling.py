"""Gains over several scenes: the mean, its interval, and the interval for a new scene."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pooling import pool_scenes
from hsiaug.base.errors import InputError


def draws(mean: float, variance: float, n: int = 20) -> list[float]:
    """Differences with exactly this mean, whose mean has exactly this variance."""
    x = np.linspace(-1, 1, n)
    return list(mean + x * math.sqrt(variance * n) / x.std(ddof=1))


BCG = [  # log risk ratio and variance of 13 vaccine trials: Colditz et al., JAMA 271, 1994
    (-0.8893, 0.3256),
    (-1.5854, 0.1946),
    (-1.3481, 0.4154),
    (-1.4416, 0.0200),
    (-0.2175, 0.0512),
    (-0.7861, 0.0069),
    (-1.6209, 0.2230),
    (0.0120, 0.0040),
    (-0.4694, 0.0564),
    (-1.3713, 0.0730),
    (-0.3394, 0.0124),
    (0.4459, 0.5325),
    (-0.0173, 0.0714),
]


def test_the_mean_of_the_vaccine_trials_is_the_published_one() -> None:
    pooled = pool_scenes([draws(mean, variance) for mean, variance in BCG])
    assert pooled.scenes == 13
    assert pooled.mean == pytest.approx(
        -0.7141, abs=2e-3
    )  # DerSimonian and Laird, as metafor gives it
    assert pooled.interval[0] < pooled.mean < pooled.interval[1] < 0


def test_scenes_that_disagree_promise_a_new_scene_nothing() -> None:
    pooled = pool_scenes([draws(m, 0.0001) for m in (0.075, 0.004, 0.009, 0.0)])
    assert (
        pooled.prediction[0]
        < -0.1
        < pooled.interval[0]
        < 0
        < pooled.interval[1]
        < 0.1
        < pooled.prediction[1]
    )


def test_scenes_that_agree_promise_a_new_scene_what_they_show() -> None:
    pooled = pool_scenes([draws(m, 1e-6) for m in (0.0499, 0.05, 0.0501, 0.05)])
    assert (
        0.04
        < pooled.prediction[0]
        <= pooled.interval[0]
        < 0.05
        < pooled.interval[1]
        <= pooled.prediction[1]
        < 0.06
    )


@given(
    st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(1e-6, 0.01)), min_size=3, max_size=6),
    st.floats(-0.3, 0.3),
)
def test_a_shift_of_every_draw_shifts_the_mean_and_both_intervals(scenes, shift):
    before = pool_scenes([draws(m, v) for m, v in scenes])
    after = pool_scenes([draws(m + shift, v) for m, v in scenes])
    assert after.mean == pytest.approx(before.mean + shift, abs=1e-6)
    for own, moved in ((before.interval, after.interval), (before.prediction, after.prediction)):
        assert moved == pytest.approx((own[0] + shift, own[1] + shift), abs=1e-5)
    assert before.prediction[0] <= before.mean <= before.prediction[1]


@pytest.mark.parametrize("scenes", [[[0.1, 0.2], [0.1, 0.2]], [[0.1, 0.2], [0.1, 0.2], [0.1]]])
def test_two_scenes_or_a_lone_draw_are_not_pooled(scenes: list[list[float]]) -> None:
    with pytest.raises(InputError, match="3 scenes or more"):
        pool_scenes(scenes)
