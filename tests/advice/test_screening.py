"""What ``advise`` tries first, what it does not try, and when it stops: with records made up, and a
clock of its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hsiaug.advice import screening
from hsiaug.advice.advise import best
from hsiaug.advice.gains import ArmGain
from hsiaug.advice.screening import (
    SCREEN,
    LeftOut,
    ranking,
    run_baselines,
    screen,
    screening_plan,
    usual_recipe,
)
from hsiaug.advice.session import Session
from hsiaug.base.errors import InputError
from hsiaug.bench.engines.local import Local
from hsiaug.bench.plan import Plan, draw_once
from hsiaug.bench.request import Request, read_request
from hsiaug.core.scene import Scene
from hsiaug.metrics.significance import Verdict
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.scores import PIXELS
from hsiaug.tasks.task import get_task
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


@dataclass
class World:
    """A place where a trial takes no time but on its own clock. seconds: of each generator's fit;
    aa: of ``none``.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    aa: tuple[float, ...] = (0.7, 0.72, 0.71)
    now: float = 0.0
    ran: list[TrialSpec] = field(default_factory=list)

    def run(self, session: Session, plan: Plan, trials: Iterable[TrialSpec]) -> None:
        for trial in trials:
            if not session.record(trial) and self.now < session.end:
                self.ran.append(trial)
                session.known[trial.hash] = self.record(plan, trial)

    def record(self, plan: Plan, trial: TrialSpec) -> dict[str, Any]:
        took = self.seconds.get(trial.generator.name, 0.0)
        self.now += took + 0.5
        aa = self.aa[trial.seed] if trial.generator.name == "none" else self.aa[trial.seed] - 0.1
        real, made = plan.samples[trial.hash]
        generating = {"fit_generator": took, "sample": 0.0} if made else {}
        return {
            **scored(trial, aa),
            "audit": {"n_test": 10, "n_train": 10},
            "scope": {"generator": plan.cards["generator", trial.generator.name].scope},
            "samples": {"real": [real], "synthetic": [made]},
            "timings": {"fit_classifier": 0.5, "predict": 0.0, "total": took + 0.5, **generating},
        }


def asked(**changes: Any) -> Request:
    usual = {
        "lambdas": [1.0],
        "times": [0.0],
        "protocol": "within:all",
        "generators": ["smote", "mixup", "noise"],
        "classifiers": ["nearest"],
        "patch": 3,
    }
    return read_request(**{**usual, **changes})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(screening, "time", SimpleNamespace(time=lambda: made.now))
    monkeypatch.setattr(Session, "run", lambda *words: made.run(*words))
    return made


def session_of(scene: Scene, folder: Path, budget: float) -> Session:
    store = Store(folder, create=True)
    return Session(
        scene,
        "toy",
        Registry({}),
        store,
        "cpu",
        Local(1),
        0.0,
        budget,
        lambda line: None,
        draw_once(get_task("pixels"), scene),
        scores=PIXELS,
    )


def scored(trial: TrialSpec, aa: float) -> dict[str, Any]:
    """The record of a trial of which nothing but its AA is asked."""
    metrics = {"aa": aa, "oa": aa}
    return {
        "format": 1,
        "hash": trial.hash,
        "status": "ok",
        "spec": trial.as_json(),
        "metrics": metrics,
    }


@pytest.fixture
def planned(toy: Scene, plugins: Registry) -> Callable[..., Plan]:
    """``planned(generators=["smote"])``: a plan of the toy scene."""
    return lambda **changes: screening_plan(toy, asked(**changes), plugins)[0]


@pytest.fixture
def screened(toy: Scene, tmp_path: Path) -> Callable[[Plan, float], tuple[Any, LeftOut]]:
    """``screened(plan, 250.0)``: what screening in so many seconds came to, and what it left out."""

    def run(plan: Plan, budget: float) -> tuple[Any, LeftOut]:
        left_out: LeftOut = []
        session = session_of(toy, tmp_path, budget)
        plan = screening.run_baselines(plan, session)
        met = screening.ceiling(plan, session)
        if met is None:
            screen(plan, session, left_out)
        return met, left_out

    return run


def order(world: World) -> list[tuple[str, float]]:
    """Generators at their λ, in the order in which they were begun."""
    return list(dict.fromkeys((t.generator.name, t.rate.lam) for t in world.ran))


def test_every_generator_is_tried_at_the_smallest_lambda_first_and_the_cheapest_of_them(
    world, planned, screened
):
    world.seconds = {"mixup": 1.0, "noise": 2.0, "smote": 3.0}
    plan = planned(lambdas=[4.0, 1.0])
    screened(plan, 1e6)

    # By their cards: mixup 0.01 s, noise 0.05 s, smote 0.3 s.
    assert order(world) == [
        ("none", 0.0),
        *((name, 1.0) for name in ("duplicate", "mixup", "noise", "smote")),
        *((name, 4.0) for name in ("duplicate", "mixup", "noise", "smote")),
    ]


def test_one_spectral_view_is_judged_on(toy, plugins):
    with pytest.raises(InputError, match="one spectral view"):
        screening_plan(toy, asked(views=["raw", "unit"]), plugins)


def test_a_generator_that_is_slower_than_it_says_leaves_the_others_their_share(
    world, planned, screened
):
    """mixup says 0.01 s and takes 100 s a draw; in 250 s it could have had two draws, and the
    others none whole.
    """
    world.seconds = {"mixup": 100.0, "noise": 20.0, "smote": 20.0}
    plan = planned()
    _, left_out = screened(plan, 250.0)
    draws = {name: sum(t.generator.name == name for t in world.ran) for name in world.seconds}

    assert draws == {"mixup": 1, "noise": len(SCREEN), "smote": len(SCREEN)} and world.now <= 250
    assert left_out == [("mixup", Rate(1.0), "no time left")]


def test_a_control_is_repeated_only_where_something_is_compared_with_it(world, planned, screened):
    world.seconds = {"smote": 50.0}
    plan = planned(generators=["smote"], lambdas=[1.0, 2.0])
    _, left_out = screened(plan, 200.0)

    assert [rate for _, rate, _ in left_out] == [Rate(2.0)]
    assert order(world) == [("none", 0.0), ("duplicate", 1.0), ("smote", 1.0)]


def test_what_reads_unlabelled_pixels_is_tried_after_its_third_control_and_must_beat_it(
    world, planned, screened, toy, plugins, tmp_path, monkeypatch
):
    mixup = plugins.find("generator", "mixup").load()
    monkeypatch.setattr(mixup, "card", replace(mixup.card, scope="scene"))
    plan = planned(generators=["smote", "mixup"])
    screened(plan, 1e6)
    begun = order(world)

    assert begun.index(("pseudo", 1.0)) < begun.index(("mixup", 1.0)) and len(begun) == 5
    judged = {arm.generator.name for arm, _ in screening.arms(plan)}
    session = session_of(toy, tmp_path, 1e6)
    session.known.update({trial.hash: world.record(plan, trial) for trial in plan.trials})
    of = {gain.arm.generator.name: gain for gain in screening.gains_of(plan, session)}
    assert judged == {"smote", "mixup"}
    assert [one.control for one in of["mixup"].against] == [
        "none",
        "duplicate",
        "pseudo",
        "teacher",
    ]
    assert [one.control for one in of["smote"].against] == ["none", "duplicate"]


def test_a_control_that_was_asked_for_is_tried_and_judged_against_the_others(
    world, planned, screened
):
    plan = planned(generators=["smote", "pseudo", "duplicate"])
    screened(plan, 1e6)
    judged = {arm.generator.name for arm, _ in screening.arms(plan)}

    assert (
        judged
        == {"smote", "pseudo", "duplicate"}
        == {t.generator.name for t in world.ran} - {"none"}
    )
    assert plan.controls("pseudo") == ("none", "duplicate") and plan.controls("duplicate") == (
        "none",
    )


def test_the_baseline_of_a_generator_is_tried_and_may_be_chosen(
    world, planned, screened, plugins, monkeypatch
):
    smote = plugins.find("generator", "smote").load()
    monkeypatch.setattr(smote, "card", replace(smote.card, baseline="mixup"))
    plan = planned(generators=["smote"])
    screened(plan, 1e6)

    assert {arm.generator.name for arm, _ in screening.arms(plan)} == {"smote", "mixup"}
    # By its card the baseline is the cheaper one.
    assert [name for name, _ in order(world)] == ["none", "duplicate", "mixup", "smote"]
    assert screening.baselines_of(plan) == {"smote": "mixup"}


def test_what_others_leave_is_used_by_whoever_gave_way(world, planned, screened):
    world.seconds = {"mixup": 100.0, "noise": 1.0, "smote": 1.0}
    plan = planned()
    _, left_out = screened(plan, 350.0)

    assert sum(t.generator.name == "mixup" for t in world.ran) == len(SCREEN) and not left_out
    assert world.now <= 350


@pytest.mark.parametrize(
    ("aa", "stops"),
    [
        ((1.0, 1.0, 1.0), True),
        ((0.985, 0.99, 0.98), True),  # 1.5 points are left
        ((0.93, 0.95, 0.94), False),
        ((0.80, 0.90, 0.97), False),
    ],
)
def test_the_screening_stops_after_the_controls_where_nothing_is_left_to_gain(
    world, planned, screened, aa, stops
):
    world.aa = aa
    plan = planned()
    found, _ = screened(plan, 1e6)

    assert (found is not None) is stops
    assert ({t.generator.name for t in world.ran} == {"none"}) is stops
    if stops:
        assert found == ("nearest", pytest.approx(sum(aa) / 3))


def tried(plan: Plan) -> set[tuple[str, float, float | None]]:
    return {
        (t.generator.name, t.rate.lam, t.omega)
        for t in plan.trials
        if t.generator.name not in ("none", "duplicate")
    }


def test_lambdas_that_make_nothing_or_the_same_are_not_tried_and_it_is_said(toy, plugins):
    """Six pixels of each class: λ = 1 adds nothing, and 2.05 fills to 12 as 2 does."""
    request = asked(
        protocol=parse_protocol("within:kshot:12"),
        lambdas=[1.0, 2.0, 2.05, 3.0],
        generators=["smote"],
    )
    small = replace(toy, labels=toy.labels * (toy.labels < 5))
    plan, _ = screening_plan(small, request, plugins)

    assert tried(plan) == {("smote", 2.0, None), ("smote", 3.0, None)}
    assert {t.rate.lam for t in plan.trials if t.generator.name == "duplicate"} == {2.0, 3.0}
    said = " ".join(plan.notes)
    assert (
        "λ = 1 makes no synthetic sample" in said
        and "λ = 2.05 asks for the same samples as λ = 2" in said
    )


def test_a_lambda_whose_samples_no_memory_holds_is_not_tried_and_it_is_said(planned, monkeypatch):
    monkeypatch.setattr(screening, "MAX_SAMPLE_BYTES", 2**24)
    plan = planned(generators=["smote"], lambdas=[1.0, 1000.0])

    assert tried(plan) == {("smote", 1.0, None)} and "GiB: not tried" in plan.notes[-1]


def test_a_generator_that_adds_nothing_is_none_and_omegas_are_for_those_that_take_one(
    planned, plugins, monkeypatch
):
    dummy = plugins.find("generator", "dummy").load()
    monkeypatch.setattr(dummy, "card", replace(dummy.card, adds=False))
    plan = planned(generators=["dummy", "smote", "guided"], omegas=[0.0, 2.0])

    assert tried(plan) == {("smote", 1.0, None), ("guided", 1.0, 0.0), ("guided", 1.0, 2.0)}
    assert "generator dummy never adds a sample, as none: not tried" in plan.notes


def test_where_nothing_is_left_to_try_it_is_said_why(toy, plugins):
    small = replace(toy, labels=toy.labels * (toy.labels < 5))
    with pytest.raises(
        InputError,
        match=r"must leave something to try.*λ = 1 makes no synthetic sample.*a larger λ",
    ):
        screening_plan(small, asked(protocol=parse_protocol("within:kshot:12")), plugins)


@pytest.mark.parametrize(
    ("points", "ranked"),
    [
        # Points of AA above 80, on each screening split; what is not named was not run.
        ({}, []),
        (
            {("svm", "none"): (1, 2, 3), ("svm", "pseudo"): (3, 4, 5)},
            [("svm", "pseudo"), ("svm", "none")],
        ),
        # The teacher's own map learns no samples; of equal ones, that without samples comes first.
        (
            {
                ("svm", "pseudo"): (3, 4, 5),
                ("svm", "none"): (3, 4, 5),
                ("teacher", "none"): (9, 9, 9),
            },
            [("teacher", "none"), ("svm", "none"), ("svm", "pseudo")],
        ),
        # Location alone is no map of a scene.
        ({("svm", "none"): (1, 1, 1), ("coords", "none"): (9, 9, 9)}, [("svm", "none")]),
    ],
)
def test_what_was_measured_on_every_screening_split_is_ranked(
    planned, toy, tmp_path, points, ranked
):
    plan = planned(generators=["pseudo"], classifiers=["svm"])
    session = session_of(toy, tmp_path, 1e6)
    for trial in plan.trials:
        if above := points.get((trial.classifier.name, trial.generator.name)):
            session.known[trial.hash] = scored(trial, 0.8 + above[trial.seed] / 100)
    found = ranking(plan, session)

    assert [(trial.classifier.name, trial.generator.name) for trial, _ in found] == ranked


def test_a_gain_that_was_confirmed_is_used_unless_another_is_clearly_above_it(planned):
    plan = planned(generators=["smote"], classifiers=["svm"])
    of = {t.generator.name: t for t in plan.trials if t.seed == 0 and t.classifier.name == "svm"}
    found = ArmGain(of["smote"].arm, "svm", (), (), Verdict("better"))
    for highest, chosen in (((0.9, 0.7, 0.8), "smote"), ((0.9, 0.91, 0.92), "none")):
        ranked = [(of["none"], list(highest)), (of["smote"], [0.78, 0.79, 0.8])]
        assert best(ranked, found, of["none"]).generator.name == chosen
    assert best(ranked, None, of["smote"]) == of["none"]
    assert best(ranked[:1], None, of["smote"]) == of["smote"]


def test_the_usual_recipe_is_the_recommended_classifier_with_samples_of_the_smallest_lambda(
    toy, plugins, monkeypatch
):
    request = asked(generators=["pseudo"], lambdas=[4.0, 1.0], classifiers=["svm", "emp"])
    plan, _ = screening_plan(toy, request, plugins)
    found = usual_recipe(plan)
    assert (found.classifier.name, found.generator.name, found.rate) == ("svm", "pseudo", Rate(1.0))
    monkeypatch.setattr(screening, "RECOMMENDED", "emp")
    assert usual_recipe(plan).classifier.name == "emp"


def test_within_a_few_training_pixels_no_classifier_of_patches_is_tried(toy, plugins):
    def tried(protocol: str, *classifiers: str) -> tuple[set[str], bool]:
        request = asked(
            protocol=parse_protocol(protocol),
            patch=7,
            classifiers=classifiers,
            generators=["smote"],
        )
        plan, _ = screening_plan(toy, request, plugins)
        return {t.classifier.name for t in plan.trials}, "not tried: cnn2d" in " ".join(plan.notes)

    assert tried("within:issd", "svm", "cnn2d") == ({"svm", "coords"}, True)
    assert tried("within:all", "svm", "cnn2d") == ({"svm", "cnn2d", "coords"}, False)
    assert tried("within:issd", "cnn2d") == (
        {"cnn2d", "coords"},
        False,
    ), "there is nothing else to try"


def test_classics_are_tried_beside_the_usual_classifiers(toy, plugins):
    request = asked().model_copy(update={"classifiers": ()})
    plan, _ = screening_plan(toy, request, plugins)

    assert {t.classifier.name for t in plan.trials} == {
        "svm",
        "cnn2d",
        "filtered:svm",
        "emp",
        "fused:svm+emp",
        "coords",
    }


def test_a_classifier_that_would_take_the_time_of_the_generators_is_left_out_and_it_is_said(
    world, planned, toy, tmp_path
):
    """By their cards a trial of svm takes a second, and one of cnn2d several."""
    plan = planned(classifiers=["svm", "cnn2d"])

    def left(budget: float) -> tuple[set[str], str]:
        session = session_of(toy, tmp_path / f"{budget}", world.now + budget)
        kept = run_baselines(plan, session)
        return {t.classifier.name for t in kept.trials}, " ".join(kept.notes)

    names, notes = left(20)
    assert "svm" in names and "cnn2d" not in names
    assert "classifier cnn2d not tried: about" in notes
    names, notes = left(1e6)
    assert {"svm", "cnn2d"} <= names and "not tried: about" not in notes


def test_the_first_classifier_that_learns_samples_is_never_left_out(world, planned, toy, tmp_path):
    """``teacher`` takes no samples: alone it would leave no arm."""
    plan = planned(classifiers=["teacher", "svm"])
    session = session_of(toy, tmp_path, world.now + 0.5)
    kept = run_baselines(plan, session)

    assert "svm" in {trial.classifier.name for trial in kept.trials}
