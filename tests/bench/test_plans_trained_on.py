"""Plans of what classifiers learn from: real and synthetic samples, or synthetic ones alone."""

from typing import Any

import pytest

from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry, registry


@pytest.fixture
def plugins() -> Registry:
    """All that is installed: classifiers that read the scene too."""
    return registry()


def plan_of(scene: Scene, plugins: Registry, **asked: Any) -> Plan:
    usual = {
        "generators": ["smote"],
        "classifiers": ["svm"],
        "lambdas": [1.0],
        "times": [0.0],
        "seeds": [0],
    }
    return build_plan(
        scene,
        read_request(**{"protocol": parse_protocol("issd"), "patch": 5, **usual, **asked}),
        plugins,
    )


def arms(plan: Plan) -> set[tuple[str, str]]:
    return {(t.generator.name, t.train) for t in plan.trials}


def test_both_is_what_was_always_done_and_is_in_no_hash(toy: Scene, plugins: Registry) -> None:
    plain, said = plan_of(toy, plugins), plan_of(toy, plugins, train=["both"])
    assert [t.hash for t in plain.trials] == [t.hash for t in said.trials]
    assert not any("train" in t.as_json() for t in plain.trials)


def test_what_was_asked_for_has_an_arm_of_synthetic_samples_alone_and_controls_have_none(
    toy, plugins
):
    plan = plan_of(
        toy, plugins, generators=["smote", "pseudo"], train=["both", "synthetic", "real"]
    )
    assert arms(plan) == {
        *((name, "both") for name in ("none", "duplicate", "smote", "pseudo")),
        ("smote", "synthetic"),
        ("pseudo", "synthetic"),
    }
    assert "train real is the generator none" in plan.notes
    alone = {t.classifier.name for t in plan.trials if t.train == "synthetic"}
    assert alone == {"svm"}, "neither coords nor teacher learns from a sample"


def test_without_both_nothing_but_none_runs_beside(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, generators=["pseudo"], train=["synthetic"])
    assert arms(plan) == {("none", "both"), ("pseudo", "synthetic")}
    assert {t.classifier.name for t in plan.trials} == {"svm", "coords"} and not plan.notes
    assert arms(plan_of(toy, plugins, train=["real"])) == {("none", "both")}


@pytest.mark.parametrize(("lam", "times"), [(0.0, 0.0), (0.3, 0.5)])
def test_synthetic_samples_alone_are_as_many_as_both_together(toy, plugins, lam, times):
    plan = plan_of(toy, plugins, lambdas=[lam], times=[times], train=["synthetic"])
    real, made = next(plan.samples[t.hash] for t in plan.trials if t.train == "synthetic")
    beside = plan_of(toy, plugins, lambdas=[lam], times=[times])
    assert made == real + max(n for _, n in beside.samples.values())
    assert not plan.nothing and not any("makes no" in note for note in plan.notes)


def test_where_classes_are_equal_only_the_arm_of_both_makes_nothing(
    toy: Scene, plugins: Registry
) -> None:
    plan = plan_of(toy, plugins, protocol=parse_protocol("kshot:3"), train=["both", "synthetic"])
    assert {t.train for t in plan.trials if t.hash in plan.nothing} == {"both"}


def test_a_classifier_that_reads_labels_in_the_scene_is_left_out_and_named(
    toy: Scene, plugins: Registry
) -> None:
    plan = plan_of(toy, plugins, classifiers=["fused:svm", "svm"], train=["both", "synthetic"])
    assert {t.classifier.name for t in plan.trials if t.train == "synthetic"} == {"svm"}
    assert any("fused:svm reads real labels" in note for note in plan.notes)
