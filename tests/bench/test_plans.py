"""From what a user asks for to trials: controls, collapses, estimates, and the command that reruns a trial."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from hsiaug.bench.command import command_for
from hsiaug.bench.estimate import estimate, expected_seconds, longest_first, readable
from hsiaug.bench.execute import groups
from hsiaug.bench.plan import Plan, Request, build_plan
from hsiaug.errors import InputError, SplitError
from hsiaug.plugins.registry import Registry
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.scene import Scene


def plan_of(scene: Scene, plugins: Registry, **asked: Any) -> Plan:
    usual = {
        "protocol": parse_protocol("issd"),
        "generators": ["smote"],
        "classifiers": ["svm"],
        "lambdas": [0.5],
        "omegas": [],
        "seeds": [0, 1],
        "patch": 5,
    }
    return build_plan(scene, Request(**{**usual, **asked}), plugins)


def arms(plan: Plan) -> list[tuple[Any, ...]]:
    return list(dict.fromkeys((t.generator.name, t.lam, t.omega, t.classifier.name) for t in plan.trials))


def test_controls_run_without_being_asked(toy: Scene, plugins: Registry) -> None:
    assert arms(plan_of(toy, plugins)) == [
        ("none", 0.0, None, "svm"),
        ("none", 0.0, None, "coords"),
        ("duplicate", 0.5, None, "svm"),
        ("smote", 0.5, None, "svm"),
    ]


def test_asking_for_a_control_does_not_run_it_twice(toy: Scene, plugins: Registry) -> None:
    asked = plan_of(
        toy, plugins, generators=["none", "duplicate", "smote", "smote"], classifiers=["svm", "coords"]
    )

    assert arms(asked) == arms(plan_of(toy, plugins))


def test_every_arm_runs_on_every_draw(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, seeds=[3, 4, 5])

    assert len(plan.trials) == 3 * len(arms(plan)) and [s.seed for s in plan.splits] == [3, 4, 5]
    assert len({t.hash for t in plan.trials}) == len(plan.trials)


def test_omega_sweeps_collapse_for_generators_without_guidance_and_say_so(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, generators=["smote", "guided"], omegas=[0.0, 2.0])

    assert [a[2] for a in arms(plan) if a[0] == "guided"] == [0.0, 2.0]
    assert [a[2] for a in arms(plan) if a[0] == "smote"] == [None]
    assert "smote takes no guidance" in plan.notes[0]


def test_a_guided_generator_has_its_own_default_omega(toy: Scene, plugins: Registry) -> None:
    assert [a[2] for a in arms(plan_of(toy, plugins, generators=["guided"])) if a[0] == "guided"] == [1.5]


def test_lambda_zero_collapses_onto_none_and_says_so(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, lambdas=[0.0, 1.0])

    assert {a[1] for a in arms(plan) if a[0] == "smote"} == {1.0}
    assert "see the row of none" in plan.notes[0]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"generators": ["smot"]}, "Did you mean smote"),
        ({"classifiers": ["smv"]}, "Did you mean svm"),
        ({"lambdas": [-1.0]}, "--lambda must be"),
        ({"lambdas": [float("nan")]}, "--lambda must be"),
        ({"omegas": [-2.0]}, "--omega must be"),
        ({"patch": 4}, "--patch must be"),
        ({"overrides": {"smote": {"kk": "3"}}}, "no such parameter"),
        ({"overrides": {"rf": {"trees": "3"}}}, "must name a plugin of this benchmark"),
        ({"generators": ["dummy"], "overrides": {"dummy": {"gain": "x"}}}, "must be a float"),
        ({"generators": ["dummy"], "overrides": {"dummy": {"gain": "5"}}}, "must lie in"),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(
    toy: Scene, plugins: Registry, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_of(toy, plugins, **asked)


def test_a_scene_that_cannot_be_split_is_refused_before_anything_runs(toy: Scene, plugins: Registry) -> None:
    with pytest.raises(SplitError, match="no test pixel"):
        plan_of(toy, plugins, protocol=parse_protocol("issd:0.9", "patch"), patch=45)


def test_groups_share_a_fitted_generator(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, generators=["guided"], omegas=[0.0, 1.0], lambdas=[0.5, 1.0])

    for group in groups(plan.trials):
        assert len({(t.seed, t.generator.name) for t in group}) == 1
    assert len(groups(plan.trials)) == 2 * 3


def test_an_estimate_uses_the_cards_until_records_know_better(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, seeds=[0])
    rough = estimate(plan, plan.trials, [], jobs=1)
    record = {
        "status": "ok",
        "spec": {"scene": {"name": "toy"}, "classifier": {"name": "svm"}, "generator": {"name": "none"}},
        "timings": {"fit_classifier": 99.0, "predict": 1.0},
    }
    known = estimate(plan, plan.trials, [record], jobs=2)

    assert rough.measured == 0
    assert known.measured > 0 and known.seconds >= 150
    assert (readable(5), readable(600), readable(7200)) == ("5 s", "10 min", "2.0 h")


def test_what_each_trial_is_expected_to_take_adds_up_to_the_estimate(toy: Scene, plugins: Registry) -> None:
    """The first trial of those that share a fit makes it."""
    plan = plan_of(toy, plugins, generators=["guided"], lambdas=[0.5, 1.0], classifiers=["svm", "cnn2d"])
    each = expected_seconds(plan, plan.trials, [])

    assert sum(each.values()) == pytest.approx(estimate(plan, plan.trials, [], jobs=1).seconds)
    guided = [
        t for t in plan.trials if t.generator.name == "guided" and t.seed == 0 and t.classifier.name == "svm"
    ]
    first, second = (each[t.hash] for t in guided)
    assert first == second + plan.cards["generator", "guided"].seconds


def test_side_by_side_the_costliest_fits_are_started_first(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, generators=["guided"], omegas=[0.0, 1.0], seeds=[0, 1])
    record = {
        "status": "ok",
        "spec": {"scene": {"name": "toy"}, "classifier": {"name": "svm"}, "generator": {"name": "guided"}},
        "timings": {"fit_classifier": 0.0, "predict": 0.0, "fit_generator": 99.0, "sample": 1.0},
    }
    ordered = longest_first(plan, plan.trials, [record])
    first = [group[0].generator.name for group in groups(ordered)]

    assert plan.trials[0].generator.name == "none"
    assert first[:2] == ["guided", "guided"] and "guided" not in first[2:]
    assert sorted(t.hash for t in ordered) == sorted(t.hash for t in plan.trials)
    assert [t.fit_hash for t in ordered] == [t.fit_hash for group in groups(ordered) for t in group]


def test_the_command_of_a_trial_names_its_settings(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, generators=["guided"], omegas=[2.0], overrides={"guided": {"gain": "0.5"}})
    trial = next(t for t in plan.trials if t.generator.name == "guided" and t.seed == 1)
    words = shlex.split(command_for(trial, "my scene.toml"))

    assert words[:3] == ["hsiaug", "benchmark", "my scene.toml"]
    for pair in (("--seeds", "1-1"), ("--omega", "2"), ("--set", "guided.gain=0.5"), ("--existing", "all")):
        assert words[words.index(pair[0]) + 1] == pair[1]
