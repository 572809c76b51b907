"""Controls that another package brings: they run unasked, and verdicts count them."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast

import pytest

from hsiaug.api import Card
from hsiaug.base.errors import PluginError
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, Registry, build_registry, registry
from hsiaug.tasks.task import get_task
from hsiaug.testing.subject import run_trial
from hsiaug.trial.arm import CONTROLS_OF_OLD_RECORDS
from hsiaug.trial.trial_run import SceneContext
from tests.third_party import install

PACKAGE = """
from hsiaug.api import Card, Entry, hookimpl


class Scaled:
    card = Card(
        "scaled", "1", "Control: brighter real samples", control_of="all", control_text="more light"
    )

    def __init__(self, params):
        pass

    def fit(self, view, *, seed, device, progress):
        raise NotImplementedError


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "scaled", "brighter:Scaled", control=True)]
"""


def plan_of(scene: Scene, plugins: Registry, **asked: Any) -> Plan:
    usual = {"generators": ["smote"], "classifiers": ["svm"], "seeds": [0], "patch": 5}
    return build_plan(scene, read_request(**{**usual, **asked}), plugins)


def with_control(
    plugins: Registry, kind: Kind, name: str, *, listed: bool = True, **card: Any
) -> Registry:
    """The registry with one more plugin, as a package would register it. listed: as a control."""

    class Plugin:
        def __init__(self, params: Any) -> None:
            pass

    Plugin.card = Card(name, "1", "a control", **card)  # type: ignore[attr-defined]

    class Here(Found):
        @property
        def card(self) -> Card:
            return Plugin.card  # type: ignore[attr-defined, no-any-return]

    entry = Entry(kind, name, "nowhere:Plugin", control=listed)
    return Registry({**plugins.plugins, (kind, name): Here(entry, "other", "1")})


def names(plan: Plan, kind: Kind) -> list[str]:
    return list(dict.fromkeys(getattr(trial, kind).name for trial in plan.trials))


def test_the_control_of_a_package_runs_beside_every_arm(
    toy: Scene, plugins: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "brighter", PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    package = build_registry([EntryPoint("brighter", "brighter", "hsiaug")])
    plan = plan_of(toy, Registry({**plugins.plugins, **package.plugins}))

    assert names(plan, "generator") == ["none", "duplicate", "scaled", "smote"]
    assert plan.controls("smote") == ("none", "duplicate", "scaled")
    assert plan.controls("scaled") == ("none", "duplicate")
    assert "scaled" not in plan.asked


@pytest.mark.parametrize(("scope", "runs"), [("none", False), ("scene", True)])
def test_a_control_of_transductive_generators_runs_where_there_is_one(
    toy: Scene, plugins: Registry, scope: str, runs: bool
) -> None:
    control = {"control_of": "transductive", "control_text": "as much light"}
    known = with_control(plugins, "generator", "lit", **control)
    plan = plan_of(toy, known, generators=["pseudo" if scope == "scene" else "smote", "mixup"])
    assert "lit" not in names(plan, "generator"), "pseudo is a control itself, mixup reads nothing"

    smote = plugins.find("generator", "smote").load()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(smote, "card", smote.card.__class__(**{**vars(smote.card), "scope": scope}))
        plan = plan_of(toy, known)
    assert ("lit" in plan.controls("smote")) == runs
    assert any("has to beat as much light" in note for note in plan.notes) == runs


def test_controls_of_masks_leave_pixels_alone(toy: Scene, plugins: Registry) -> None:
    tasks = ("pixels", "segmentation")
    known = with_control(plugins, "generator", "even", control_of="masks", tasks=tasks)
    assert "even" not in names(plan_of(toy, known), "generator")


def test_a_classifier_that_is_a_control_of_all_is_shown_raw_spectra(
    toy: Scene, plugins: Registry
) -> None:
    known = with_control(plugins, "classifier", "floor", control_of="all")
    plan = plan_of(toy, known, views=["unit"], train=["both", "synthetic"])
    trials = [trial for trial in plan.trials if trial.classifier.name == "floor"]

    assert {trial.view for trial in trials} == {"raw"}
    assert {trial.train for trial in trials} == {"both"}


def test_an_entry_that_says_control_of_a_plain_plugin_is_a_note(
    toy: Scene, plugins: Registry
) -> None:
    plan = plan_of(toy, with_control(plugins, "generator", "plain"))
    assert "plain cannot be run as a control" in plan.notes[0]
    assert "plain" not in names(plan, "generator")


def test_a_control_that_its_package_does_not_list_as_one_is_refused(
    toy: Scene, plugins: Registry
) -> None:
    known = with_control(plugins, "generator", "hidden", listed=False, control_of="all")
    with pytest.raises(PluginError, match=r"Entry of generator hidden must say control=True"):
        plan_of(toy, known, generators=["hidden"])


def test_the_record_of_a_control_says_of_what_and_in_the_words_of_its_card(
    toy: Scene, plugins: Registry, tmp_path: Path
) -> None:
    context = SceneContext(toy, get_task("pixels"), tmp_path)
    records = {
        names: run_trial(trial, context, plugins, device="cpu", progress=lambda *_: None)[0]
        for trial in plan_of(toy, plugins).trials
        if (names := (trial.generator.name, trial.classifier.name))
        in (("none", "coords"), ("smote", "svm"))
    }
    control = records["none", "coords"]
    assert control["control_of"] == {"generator": "all", "classifier": "all"}
    assert control["control_text"] == {
        "generator": plugins.find("generator", "none").card.control_text,
        "classifier": plugins.find("classifier", "coords").card.control_text,
    }
    assert not {"control_of", "control_text"} & records["smote", "svm"].keys()


def test_records_from_before_the_words_have_those_that_the_cards_say_today() -> None:
    for name, control in CONTROLS_OF_OLD_RECORDS.items():
        card = registry().find(cast(Kind, control.kind), name).card
        assert (control.of, control.text) == (card.control_of, card.control_text), name
