"""The rule by which a difference is called a gain or a loss, as a table of cases and as laws."""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.metrics.significance import (
    MIN_PAIRS,
    Evidence,
    Finding,
    Verdict,
    correct,
    judge,
    rival_control,
)
from hsiaug.report.answer_texts import TONES
from hsiaug.report.findings import verdict_text
from hsiaug.report.text_templates import labelled

POINT = 0.01


def evidence(points: Sequence[float], p: float | None = None) -> Evidence:
    return Evidence(tuple(POINT * d for d in points), tuple(range(len(points))), p, p, 2.3)


def both(none: Evidence, duplicate: Evidence, **told: int) -> Verdict:
    return judge({"none": none, "duplicate": duplicate}, of=told.pop("of", 10), **told)


@pytest.mark.parametrize(
    ("points", "p", "said"),
    [
        ([3.0] * 10, 0.002, "above"),
        ([-3.0] * 10, 0.002, "below"),
        ([3.0] * 10, 0.05, "open"),
        ([-3.0] * 10, 0.051, "< 1 point"),
        # What every table prints as 0.0 is no gain and no loss, whatever its p.
        ([0.013] * 10, 0.002, "< 1 point"),
        ([-0.013] * 10, 0.002, "< 1 point"),
        ([0.0] * 10, 1.0, "< 1 point"),
        # So few draws could not have shown anything.
        ([3.0] * 3, None, "too few draws"),
        ([-3.0] * 5, None, "too few draws"),
        ([], None, "too few draws"),
    ],
)
def test_what_draws_show(points: list[float], p: float | None, said: str) -> None:
    assert evidence(points, p).shown == said


UP, DOWN = evidence([2.0] * 10, 0.004), evidence([-2.0] * 10, 0.004)
LEVEL, FEW = evidence([0.5, -0.5] * 5, 0.8), evidence([2.0] * 3)
WIDE = evidence([4.0, -4.0] * 5, 0.8)


@pytest.mark.parametrize(
    ("none", "duplicate", "told", "finding", "text"),
    [
        (UP, UP, {}, "helps", "helps"),
        (DOWN, DOWN, {}, "hurts", "hurts"),
        (LEVEL, LEVEL, {}, "equivalent", "equivalent to none (±1)"),
        (WIDE, UP, {}, "open", "above duplicate; open against none (10 draws could show 4.2)"),
        # The first question is whether it is above none at all.
        (
            UP,
            WIDE,
            {},
            "gains",
            "gains: above none; open against duplicate (10 draws could show 4.2)",
        ),
        (UP, FEW, {}, "gains", "gains: above none; 3 draws with duplicate, at least 6 are needed"),
        (UP, LEVEL, {}, "equivalent", "above none; equivalent to duplicate (±1)"),
        (LEVEL, DOWN, {}, "not better", "below duplicate"),
        (UP, DOWN, {}, "not better", "above none; below duplicate"),
        (FEW, FEW, {}, "too few draws", "too few draws (3: at least 6 are needed)"),
        (FEW, UP, {}, "too few draws", "too few draws (3: at least 6 are needed)"),
        (
            DOWN,
            Evidence(),
            {},
            "too few draws",
            "too few draws (none in common: at least 6 are needed)",
        ),
        (Evidence(), Evidence(), {"failed": 5, "of": 5}, "failed", "failed (5 of 5 draws)"),
        (Evidence(), Evidence(), {"failed": 1, "of": 1}, "failed", "failed (1 of 1 draw)"),
        (Evidence(), Evidence(), {"nothing_made": 5, "of": 5}, "nothing made", "nothing made"),
        (
            Evidence(),
            Evidence(),
            {"nothing_made": 4, "failed": 1, "of": 5},
            "failed",
            "failed (1 of 5 draws)",
        ),
        (UP, UP, {"failed": 2, "of": 12}, "helps", "helps"),
    ],
)
def test_an_arm_is_judged_against_both_controls(none, duplicate, told, finding, text):
    found = both(none, duplicate, **told)
    assert (found.finding, verdict_text(found, "OA")) == (finding, text)


@pytest.mark.parametrize(
    ("none", "duplicate", "pseudo", "finding", "text"),
    [
        (UP, UP, UP, "helps", "helps"),
        (UP, UP, LEVEL, "equivalent", "above none; above duplicate; equivalent to pseudo (±1)"),
        (UP, UP, DOWN, "not better", "above none; above duplicate; below pseudo"),
        (
            UP,
            UP,
            WIDE,
            "gains",
            "gains: above none; above duplicate; open against pseudo (10 draws could show 4.2)",
        ),
        (
            UP,
            UP,
            FEW,
            "gains",
            "gains: above none and duplicate; 3 draws with pseudo, at least 6 are needed",
        ),
        (
            UP,
            UP,
            Evidence(),
            "gains",
            "gains: above none and duplicate; no draw in common with pseudo",
        ),
        (FEW, UP, Evidence(), "too few draws", "too few draws (3: at least 6 are needed)"),
        # What is not above none and duplicate does not help, whatever it is beside pseudo.
        (UP, LEVEL, Evidence(), "equivalent", "above none; equivalent to duplicate (±1)"),
        (UP, DOWN, DOWN, "not better", "above none; below duplicate; below pseudo"),
        # Harm is harm to the real samples: beside pseudo-labels that harm as much it is no less.
        (DOWN, DOWN, UP, "hurts", "hurts"),
        (DOWN, DOWN, Evidence(), "hurts", "hurts"),
        (UP, LEVEL, UP, "equivalent", "above none; above pseudo; equivalent to duplicate (±1)"),
    ],
)
def test_a_further_control_must_be_beaten_to_help_and_says_nothing_of_harm(
    none, duplicate, pseudo, finding, text
):
    found = judge({"none": none, "duplicate": duplicate}, of=10, further={"pseudo": pseudo})
    assert (found.finding, verdict_text(found, "OA")) == (finding, text)


def test_an_arm_waits_for_its_rival_the_control_with_the_fewest_draws() -> None:
    further = {"pseudo": evidence([1.0] * 2), "fill": evidence([2.0] * 2)}
    found = judge({"none": UP, "duplicate": FEW}, of=10, further=further)
    assert (found.waits_for, found.draws) == ("pseudo", 2)
    assert rival_control({"duplicate": FEW, **further}) == "pseudo"


def test_an_arm_that_helps_may_lose_in_the_second_metric_by_the_same_rule() -> None:
    main = {"none": UP, "duplicate": UP}
    assert judge(main, {"none": LEVEL, "duplicate": DOWN}, of=10).finding == "helps, at a loss"
    assert judge(main, {"none": LEVEL, "duplicate": UP}, of=10).finding == "helps"
    assert (
        judge(main, {"none": evidence([-5.0] * 10, 0.2), "duplicate": LEVEL}, of=10).finding
        == "helps"
    )


def test_a_control_that_is_shown_above_decides_before_one_over_which_the_mean_is_lower() -> None:
    lower = evidence([-9.0, 3.0] * 5, 0.3)
    found = judge({"none": UP, "duplicate": UP}, of=10, further={"pseudo": DOWN, "teacher": lower})
    assert found.hardest == "pseudo" and found.finding == "not better"
    assert verdict_text(found, "OA") == "above none; above duplicate; below pseudo"


def test_every_finding_has_a_meaning() -> None:
    meanings = dict(labelled("meanings.txt", further=[], needed=[]))
    assert (
        set(meanings) == set(get_args(Finding)) == set(TONES) & set(get_args(Finding))
        and "±1 point" in meanings["equivalent"]
    )
    helps = dict(labelled("meanings.txt", further=["pseudo"], needed=["an arm that sees"]))["helps"]
    assert helps.endswith("above duplicate; an arm that sees also above pseudo")


def with_test(points: list[int]) -> Evidence:
    one = Evidence(tuple(d / 1000 for d in points), tuple(range(len(points))))
    return correct([one])[0] if points else one


ARMS = st.builds(with_test, st.lists(st.integers(-80, 120), max_size=10))
UNSHOWN = {"gains", "equivalent", "not better", "open", "too few draws"}
"""Findings of an arm that neither helps nor hurts: they depend on the margin, and on the hardest
control alone.
"""
OPPOSITE = {"above": "below", "below": "above", "helps": "hurts", "hurts": "helps"}


def turned(one: Evidence) -> Evidence:
    """The same draws with arm and control exchanged."""
    return replace(one, differences=tuple(-d for d in one.differences))


@given(ARMS)
def test_exchanging_arm_and_control_exchanges_above_and_below(one: Evidence) -> None:
    forth, back = one.shown, turned(one).shown
    if {forth, back} & {*OPPOSITE}:
        assert back == OPPOSITE.get(forth)
    else:
        # A gain of one point may be ruled out one way alone.
        assert "too few draws" not in {forth, back} or forth == back


@given(ARMS, ARMS)
def test_exchanging_arm_and_controls_exchanges_helps_and_hurts(
    none: Evidence, duplicate: Evidence
) -> None:
    forth, back = both(none, duplicate), both(turned(none), turned(duplicate))
    if {forth.finding, back.finding} & {*OPPOSITE}:
        assert back.finding == OPPOSITE.get(forth.finding, forth.finding)
    else:
        assert {forth.finding, back.finding} <= UNSHOWN


@given(ARMS, ARMS, ARMS)
def test_a_further_control_can_take_a_gain_away_and_change_nothing_else(none, duplicate, pseudo):
    without = both(none, duplicate)
    found = judge({"none": none, "duplicate": duplicate}, of=10, further={"pseudo": pseudo})
    assert (
        found.finding == without.finding
        or without.finding == "helps"
        or {found.finding, without.finding} <= UNSHOWN
    )
    assert (found.finding == "helps") == (without.finding == "helps" and pseudo.shown == "above")


@given(ARMS, ARMS)
def test_only_a_gain_over_none_asks_which_control_is_none(
    none: Evidence, duplicate: Evidence
) -> None:
    found = {both(none, duplicate).finding, both(duplicate, none).finding}
    assert len(found - {"gains"}) <= 1 or found == {"gains", "too few draws"}


@given(ARMS, ARMS)
def test_a_claim_has_p_enough_draws_and_a_number_to_print(
    none: Evidence, duplicate: Evidence
) -> None:
    if both(none, duplicate).finding in ("helps", "hurts"):
        for one in (none, duplicate):
            assert one.p_corrected is not None and one.p_corrected < 0.05
            assert len(one.differences) >= MIN_PAIRS
            assert f"{100 * one.mean:.1f}" not in ("0.0", "-0.0")


@given(ARMS)
def test_only_few_draws_are_too_few(one: Evidence) -> None:
    assert (one.shown == "too few draws") == (len(one.differences) < MIN_PAIRS)


@given(ARMS, ARMS)
def test_an_arm_called_equivalent_or_not_better_lies_below_the_margin_of_a_control(none, duplicate):
    found = both(none, duplicate)
    if found.finding in ("equivalent", "not better"):
        assert min(none.mean, duplicate.mean) < POINT
    if found.finding == "equivalent":
        assert abs(min(none.mean, duplicate.mean)) < POINT


def test_arms_beside_it_widen_the_interval_that_decides() -> None:
    one = evidence((0.4, 2.6, 1.2, 2.0, -0.3, 3.1, 0.6, 1.9))
    others = [evidence([(-1) ** (i >> k) * (1 + i / 9) for i in range(8)]) for k in range(3)]
    (by_itself,), among = correct([one]), correct([one, *others])[0]
    assert by_itself.shown == "above" and among.shown in ("open", "< 1 point")
    assert by_itself.interval is not None and among.interval is not None
    assert among.interval[0] < 0 < by_itself.interval[0] < by_itself.interval[1] < among.interval[1]


@given(st.floats(-1, 1))
def test_a_zero_is_what_prints_as_zero(fraction: float) -> None:
    shown = Evidence((fraction,), p_corrected=0.01).shown
    assert (shown == "open") == (f"{100 * fraction:.1f}" in ("0.0", "-0.0"))
