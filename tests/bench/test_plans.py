"""From what a user asks for to trials: controls, collapses, estimates, and the command that reruns
a trial.
"""

import dataclasses
import shlex
from typing import Any

import pytest

from hsiaug.base.errors import InputError, SplitError
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry, registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.spec import command_for


def plan_of(scene: Scene, plugins: Registry, **asked: Any) -> Plan:
    usual = {
        "generators": ["smote"],
        "classifiers": ["svm"],
        "lambdas": [0.5],
        "times": [0.0],
        "omegas": [],
    }
    usual |= {"protocol": parse_protocol("issd"), "seeds": [0, 1], "patch": 5}
    return build_plan(scene, read_request(**{**usual, **asked}), plugins)


def arms(plan: Plan) -> list[tuple[Any, ...]]:
    return list(
        dict.fromkeys(
            (t.generator.name, t.rate.lam, t.omega, t.classifier.name) for t in plan.trials
        )
    )


def test_controls_run_without_being_asked(toy: Scene, plugins: Registry) -> None:
    assert arms(plan_of(toy, plugins)) == [
        ("none", 0.0, None, "svm"),
        ("none", 0.0, None, "coords"),
        ("duplicate", 0.5, None, "svm"),
        ("smote", 0.5, None, "svm"),
    ]


def test_classifiers_are_shown_every_view_that_is_asked_for_and_the_control_reads_none(
    toy, plugins
):
    plan = plan_of(toy, plugins, views=["raw", "unit", "auto", "unit"], seeds=[0])
    views = {
        name: [t.view for t in plan.trials if t.classifier.name == name and t.rate.lam == 0]
        for name in ("svm", "coords")
    }

    assert views == {"svm": ["raw", "unit", "auto"], "coords": ["raw"]}
    # One fit of the generator serves them all.
    assert len({t.fit_hash for t in plan.trials if t.generator.name == "smote"}) == 1
    plain = {t.hash for t in plan_of(toy, plugins, seeds=[0]).trials}
    assert plain == {
        t.hash for t in plan.trials if t.view == "auto" or t.classifier.name == "coords"
    }
    said = {t.view: command_for(t, "toy") for t in plan.trials if t.classifier.name == "svm"}
    assert (
        "--view unit" in said["unit"]
        and "--view raw" in said["raw"]
        and "--view" not in said["auto"]
    )


def reads(plugins: Registry, monkeypatch: pytest.MonkeyPatch, name: str, **card: Any) -> None:
    """Let the card of a generator say otherwise."""
    plugin = plugins.find("generator", name).load()
    monkeypatch.setattr(plugin, "card", dataclasses.replace(plugin.card, **card))


def test_a_generator_that_reads_unlabelled_pixels_runs_beside_a_control_that_sees_as_much(
    toy: Scene, plugins: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads(plugins, monkeypatch, "mixup", scope="scene")
    plan = plan_of(toy, plugins, generators=["smote", "mixup"], lambdas=[0.5, 1.0])
    seeing = [arm[:2] for arm in arms(plan) if arm[3] == "svm"]
    assert seeing[:5] == [
        ("none", 0.0),
        *((name, lam) for name in ("duplicate", "pseudo") for lam in (0.5, 1.0)),
    ]
    assert (
        plan.controls("mixup") == ("none", "duplicate", "pseudo")
        and len(plan.controls("smote")) == 2
    )
    assert "also running pseudo: mixup reads unlabelled pixels" in plan.notes[0]
    assert "also running classifier teacher" in plan.notes[1]
    assert {arm[:2] for arm in arms(plan) if arm[3] == "teacher"} == {("none", 0.0)}, (
        "it learns from no sample"
    )

    asked = plan_of(toy, plugins, generators=["smote", "mixup", "pseudo"], lambdas=[0.5, 1.0])
    assert arms(asked) == arms(plan) and not [n for n in asked.notes if "pseudo is run" in n]


def test_asking_for_a_control_does_not_run_it_twice(toy: Scene, plugins: Registry) -> None:
    asked = plan_of(
        toy,
        plugins,
        generators=["none", "duplicate", "smote", "smote"],
        classifiers=["svm", "coords"],
    )

    assert arms(asked) == arms(plan_of(toy, plugins))


def test_every_arm_runs_on_every_draw(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, seeds=[3, 4, 5])

    assert len(plan.trials) == 3 * len(arms(plan)) and [s.seed for s in plan.splits.values()] == [
        3,
        4,
        5,
    ]
    assert len({t.hash for t in plan.trials}) == len(plan.trials)


def test_omega_sweeps_collapse_for_generators_without_guidance_and_say_so(
    toy: Scene, plugins: Registry
) -> None:
    plan = plan_of(toy, plugins, generators=["smote", "guided"], omegas=[0.0, 2.0])

    assert [a[2] for a in arms(plan) if a[0] == "guided"] == [0.0, 2.0]
    assert [a[2] for a in arms(plan) if a[0] == "smote"] == [None]
    assert "smote takes no guidance" in plan.notes[0]
    usual = plan_of(toy, plugins, generators=["guided"])
    assert [a[2] for a in arms(usual) if a[0] == "guided"] == [1.5]


def test_lambda_zero_collapses_onto_none_and_says_so(toy: Scene, plugins: Registry) -> None:
    plan = plan_of(toy, plugins, lambdas=[0.0, 1.0])

    assert {a[1] for a in arms(plan) if a[0] == "smote"} == {1.0}
    assert "see the row of none" in plan.notes[0]


def test_a_plan_knows_how_many_samples_each_trial_makes_and_names_those_of_none(
    toy: Scene, plugins: Registry
) -> None:
    plan = plan_of(toy, plugins, protocol=parse_protocol("kshot:5"), lambdas=[1.0, 3.0])
    made = {(t.generator.name, t.rate.lam): plan.samples[t.hash][1] for t in plan.trials}
    assert made == {
        ("none", 0.0): 0,
        **{(name, lam): n for name in ("duplicate", "smote") for lam, n in ((1.0, 0), (3.0, 50))},
    }
    # Of none nothing is wanted: it is not named.
    assert plan.nothing == {t.hash for t in plan.trials if t.rate.lam == 1}
    (note,) = plan.notes
    assert "λ = 1 makes no synthetic sample" in note and "a larger λ" in note
    assert not plan_of(toy, plugins, lambdas=[1.0]).notes


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"generators": ["smot"]}, "Did you mean smote"),
        ({"classifiers": ["smv"]}, "Did you mean svm"),
        ({"views": ["pca"]}, "`views` must be one of raw, unit"),
        ({"omegas": [-2.0]}, "`omegas` must be"),
        ({"patch": 4}, "`patch` must be"),
        ({"overrides": {"smote": {"kk": "3"}}}, "no such parameter"),
        ({"overrides": {"rf": {"trees": "3"}}}, "must name a plugin of this benchmark"),
        ({"generators": ["dummy"], "overrides": {"dummy": {"gain": "x"}}}, "must be a float"),
        ({"generators": ["dummy"], "overrides": {"dummy": {"gain": "5"}}}, "must lie in"),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(toy, plugins, asked, message):
    with pytest.raises(InputError, match=message):
        plan_of(toy, plugins, **asked)


def test_a_scene_that_cannot_be_split_is_refused_before_anything_runs(
    toy: Scene, plugins: Registry
) -> None:
    with pytest.raises(SplitError, match="no test pixel"):
        plan_of(toy, plugins, protocol=parse_protocol("issd:0.9", "patch"), patch=45)


def test_a_card_may_declare_presets_of_its_own(toy, plugins, monkeypatch):
    svm = plugins.find("classifier", "svm").load()
    monkeypatch.setattr(
        svm,
        "card",
        dataclasses.replace(svm.card, presets={**svm.card.presets, "quick": {"folds": 4}}),
    )
    folds = {
        t.classifier.params.folds
        for t in plan_of(toy, plugins, seeds=[0], preset="quick").trials
        if t.classifier.name == "svm"
    }
    assert folds == {4}
    with pytest.raises(
        InputError, match=r"`preset` must be one .* found 'quack'. Did you mean quick\?"
    ):
        plan_of(toy, plugins, seeds=[0], preset="quack")


def test_the_command_of_a_trial_names_its_settings(toy: Scene, plugins: Registry) -> None:
    asked = {"generators": ["guided"], "omegas": [2.0], "lambdas": [0.1234567]}
    plan = plan_of(toy, plugins, **asked, overrides={"guided": {"gain": "0.5"}})
    trial = next(t for t in plan.trials if t.generator.name == "guided" and t.seed == 1)
    words = shlex.split(command_for(trial, "my scene.toml"))

    assert words[:3] == ["hsiaug", "benchmark", "my scene.toml"]
    for pair in (
        ("--seeds", "1-1"),
        ("--omega", "2"),
        ("--lambda", "0.1234567"),
        ("--set", "guided.gain=0.5"),
    ):
        assert words[words.index(pair[0]) + 1] == pair[1]


@pytest.mark.parametrize("name", ["svm", "filtered:emp", "fused:svm+emp", "fused:rf"])
def test_the_command_of_a_variant_sets_nothing_that_its_name_says(
    toy: Scene, plugins: Registry, name: str
) -> None:
    plan = plan_of(toy, plugins, classifiers=[name])
    trial = next(t for t in plan.trials if t.classifier.name == name)

    assert "--set" not in command_for(trial, "toy")


def test_seeds_that_draw_the_same_pixels_are_named_with_the_number_that_has_enough(
    toy: Scene, plugins: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = get_task("pixels").draws
    split: Any = draws.split

    def drawn(data: Scene, protocol: Any, seed: int, patch: int) -> Any:
        # Seed 2 draws what seed 0 does.
        return dataclasses.replace(split(data, protocol, {2: 0}.get(seed, seed), patch), seed=seed)

    asked = {"generators": ["smote"], "classifiers": ["svm"], "patch": 5}
    with monkeypatch.context() as patched:
        patched.setattr(draws, "split", drawn)
        plan = build_plan(toy, read_request(**asked, seeds=range(4)), plugins)
    assert (
        "seeds 0 and 2 have the same pixels, so 4 seeds give 3 different splits: `seeds=5` has 4"
        in plan.notes
    )
    plan = build_plan(toy, read_request(**asked, seeds=range(4)), plugins)
    assert not any("same pixels" in note for note in plan.notes)


def test_blocks_of_one_image_that_repeat_a_division_are_named() -> None:
    pairs = get_task("segmentation").data.load("toy")
    asked = {"generators": ["paste"], "classifiers": ["majority"], "seeds": range(9)}
    blocks = {"task": "segmentation", "protocol": "blocks:24", "patch": 16}

    plan = build_plan(pairs, read_request(**asked, **blocks), registry())

    (note,) = (note for note in plan.notes if "mostly the same training and test pixels" in note)
    assert "intervals over" in note
