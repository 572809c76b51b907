"""Arms on picks that they have not learnt, and what so few picks can tell."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from scipy.stats import binomtest

from hsiaug.advice.asked import PickArm, picks_plan, rank
from hsiaug.bench.plan import Request
from hsiaug.data import toy_scene
from hsiaug.metrics.significance import paired_share_interval, share_interval
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry

LEARN = ("svm", "cnn2d", "filtered:svm", "emp", "fused:svm")
"""The usual classifiers, and classics."""


def test_the_usual_classifiers_and_classics_are_tried_with_and_without_real_pixels_of_the_teacher(plugins):
    request = Request(
        lambdas=[4.0, 1.0], seeds=(), protocol=parse_protocol("picks:8:asked:3xrandom:issd"), patch=3
    )
    plan = picks_plan(toy_scene(), request, plugins)

    arms = {(t.classifier.name, t.generator.name, t.rate.lam) for t in plan.trials}
    assert arms == {
        *((name, "none", 0.0) for name in (*LEARN, "teacher")),
        *((name, "pseudo", 1.0) for name in LEARN),
    }
    assert {t.seed for t in plan.trials} == {0, 1, 2}, "each of three picks is left out alone"


def test_of_equals_the_arm_that_reads_unlabelled_pixels_most_is_first(plugins: Registry) -> None:
    request = Request(lambdas=[1.0], seeds=(), protocol=parse_protocol("picks:8:asked:2xrandom:issd"), patch=3)
    asked = replace(request, classifiers=("svm", "fused"), generators=("smote", "pseudo"))
    plan = picks_plan(toy_scene(), asked, plugins)

    arms = dict.fromkeys(
        (t.classifier.name, t.generator.name) for t in sorted(plan.trials, key=lambda t: rank(t, plan))
    )
    assert [one for one in arms if one[0] != "teacher"] == [
        ("fused", "pseudo"),
        ("svm", "pseudo"),
        ("fused", "none"),
        ("fused", "smote"),
        ("svm", "none"),
        ("svm", "smote"),
    ]


def arm(right: str, lam: float = 0.0) -> PickArm:
    """An arm from its picks: ``"++-"``."""
    trial: Any = SimpleNamespace(rate=Rate(lam))
    return PickArm(trial, tuple(one == "+" for one in right), (True,) * len(right), 1.0, "raw")


def test_the_interval_of_a_share_is_wilson_s() -> None:
    for right, n in ((0, 8), (3, 8), (16, 16)):
        found = binomtest(right, n).proportion_ci(method="wilson")
        assert share_interval(right, n) == pytest.approx((found.low, found.high))


def test_the_interval_of_paired_shares_is_that_of_agresti_and_min() -> None:
    """By hand for 5 and 1 of 16: n 18, mean 4/18, variance (7/18 − (4/18)²)/18."""
    low, high = paired_share_interval(5, 1, 16)
    half = 1.959964 * ((7 / 18 - (4 / 18) ** 2) / 18) ** 0.5
    assert (low, high) == pytest.approx((4 / 18 - half, 4 / 18 + half), rel=1e-6)
    # Nothing is known for sure from picks on which both agree.
    low, high = paired_share_interval(0, 0, 16)
    assert low < 0 < high


def test_samples_are_those_of_a_lambda_above_zero() -> None:
    assert arm("+", lam=1.0).samples and not arm("+").samples
    assert replace(arm("+"), seconds=2.0).above(arm("-")) == [1]
