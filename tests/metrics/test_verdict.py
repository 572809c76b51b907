"""The rule by which a difference, and a configuration, is called better or worse, as a table of
cases and as laws.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.metrics.significance import (
    MIN_PAIRS,
    SMALLEST_GAIN,
    Evidence,
    correct,
    judge,
    strongest_control,
    student,
)

POINT = 0.01
NEEDED = ("none", "duplicate", "pseudo", "teacher")


def evidence(points: Sequence[float], p: float | None = None) -> Evidence:
    return Evidence(tuple(POINT * d for d in points), tuple(range(len(points))), p, p, 2.3)


@pytest.mark.parametrize(
    ("points", "p", "word"),
    [
        ([3.0] * 10, 0.002, "better"),
        ([-3.0] * 10, 0.002, "worse"),
        ([3.0] * 10, 0.05, "unclear"),
        ([-3.0] * 10, 0.051, "no gain"),
        # However sure: too small to matter.
        ([0.3] * 10, 0.002, "no gain"),
        ([-0.3] * 10, 0.002, "no gain"),
        ([1.0] * 10, 0.002, "better"),
        ([0.9, 0.8, 0.9, 1.1, 0.7, 0.9, 0.9, 0.8, 0.9, 0.7], 0.002, "no gain"),
        ([0.0] * 10, 1.0, "no gain"),
        # So few splits could not have shown anything.
        ([3.0] * 3, None, "unclear"),
        ([], None, "unclear"),
    ],
)
def test_what_splits_show(points: list[float], p: float | None, word: str) -> None:
    assert evidence(points, p).word == word


def test_the_smallest_gain_that_matters_may_be_another_one() -> None:
    sure = evidence([0.3] * 10, 0.002)
    assert replace(sure, smallest=0.002).word == "better"
    assert SMALLEST_GAIN == POINT


UP, DOWN = evidence([2.0] * 10, 0.004), evidence([-2.0] * 10, 0.004)
LEVEL, FEW = evidence([0.5, -0.5] * 5, 0.8), evidence([2.0] * 3)
WIDE, MISSING = evidence([4.0, -4.0] * 5, 0.8), Evidence()


@pytest.mark.parametrize(
    ("over", "said", "control"),
    [
        ((UP, UP, UP, UP), "better", "none"),
        ((UP, UP, UP, DOWN), "worse", "teacher"),
        ((UP, UP, DOWN, LEVEL), "worse", "pseudo"),
        ((UP, UP, UP, LEVEL), "no gain", "teacher"),
        ((UP, WIDE, UP, UP), "unclear", "duplicate"),
        ((UP, UP, UP, MISSING), "unclear: teacher was not run", "teacher"),
        ((UP, UP, MISSING, UP), "unclear: pseudo was not run", "pseudo"),
        # What is known to be no gain needs no further control.
        ((UP, UP, DOWN, MISSING), "worse", "pseudo"),
        ((UP, UP, UP, FEW), "unclear: 3 of at least 6 splits", "teacher"),
        ((MISSING,) * 4, "unclear: none was not run", "none"),
    ],
)
def test_a_configuration_is_judged_by_all_its_controls(
    over: tuple[Evidence, ...], said: str, control: str
) -> None:
    found = judge(dict(zip(NEEDED, over, strict=True)))
    assert (str(found), found.control) == (said, control)


@pytest.mark.parametrize("sabotaged", NEEDED)
@pytest.mark.parametrize("by", [DOWN, LEVEL, WIDE, FEW, MISSING])
def test_no_control_can_be_left_out(sabotaged: str, by: Evidence) -> None:
    over = dict.fromkeys(NEEDED, UP) | {sabotaged: by}
    assert judge(over).word != "better"
    assert judge(over).control == sabotaged


def test_one_that_is_better_decides_before_one_over_which_the_mean_is_lower() -> None:
    lower = evidence([-9.0, 3.0] * 5, 0.3)
    assert strongest_control({"none": UP, "pseudo": DOWN, "teacher": lower}) == "pseudo"


def with_test(points: list[int]) -> Evidence:
    one = Evidence(tuple(d / 1000 for d in points), tuple(range(len(points))))
    return correct([one])[0] if points else one


CONFIGURATIONS = st.builds(with_test, st.lists(st.integers(-80, 120), max_size=10))
OPPOSITE = {"better": "worse", "worse": "better"}


def turned(one: Evidence) -> Evidence:
    """The same splits with configuration and control exchanged."""
    return replace(one, differences=tuple(-d for d in one.differences))


@given(CONFIGURATIONS)
def test_exchanging_configuration_and_control_exchanges_better_and_worse(one: Evidence) -> None:
    forth, back = one.word, turned(one).word
    if {forth, back} & {*OPPOSITE}:
        assert back == OPPOSITE.get(forth)


@given(CONFIGURATIONS)
def test_a_claim_has_an_interval_above_0_a_gain_that_matters_and_enough_splits(
    one: Evidence,
) -> None:
    if one.word == "better":
        assert one.p_corrected is not None and one.p_corrected < 0.05
        assert len(one.differences) >= MIN_PAIRS and one.mean >= POINT - 1e-12
        assert one.interval is None or one.interval[0] > 0
    if one.word == "no gain":
        assert one.interval is not None and one.interval[1] < POINT
    if len(one.differences) < MIN_PAIRS:
        assert one.word == "unclear"


def test_advice_and_reports_have_the_same_words() -> None:
    points = [0.4, 2.6, 1.2, 2.0, 0.3, 3.1, 0.6, 1.9]
    assert student(evidence(points)).word == correct([evidence(points)])[0].word == "better"


def test_others_widen_the_interval_that_decides() -> None:
    one = evidence((0.4, 2.6, 1.2, 2.0, -0.3, 3.1, 0.6, 1.9))
    others = [evidence([(-1) ** (i >> k) * (1 + i / 9) for i in range(8)]) for k in range(3)]
    (by_itself,), among = correct([one]), correct([one, *others])[0]
    assert by_itself.word == "better" and among.word in ("unclear", "no gain")
    assert by_itself.interval is not None and among.interval is not None
    assert among.interval[0] < 0 < by_itself.interval[0] < by_itself.interval[1] < among.interval[1]
