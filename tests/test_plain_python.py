"""Small things of Python: short representations, errors without a hint, colour that is asked for."""

import io
from pathlib import Path

import numpy as np
import pytest

import hsiaug
from hsiaug.api import Card, Plugin, PluginError
from hsiaug.base.errors import InputError
from hsiaug.base.terminal import Console, live, progress_bars
from hsiaug.data import toy_scene
from hsiaug.registry.card import check_made_of_params
from hsiaug.registry.lookup import load_plugin
from hsiaug.sklearn import Augmenter
from hsiaug.trial.machine import resolve_device


def test_a_scene_and_a_plugin_are_one_line() -> None:
    scene = toy_scene(seed=3, height=40, width=32, bands=6, classes=3)
    assert repr(scene).startswith("Scene('toy', 40×32 pixels, 6 bands, 3 classes, ")
    assert len(repr(scene)) < 100
    smote = load_plugin("generator", "smote")
    assert repr(smote) == "<smote>"
    changed = type(smote)(type(smote).card.params(neighbours=3))
    assert repr(changed) == "<smote, neighbours=3>"


@pytest.mark.parametrize("error", [PluginError, InputError])
def test_an_error_may_come_without_a_hint(error: type) -> None:
    assert str(error("needs 50 pixels of each class")) == "needs 50 pixels of each class"
    assert str(error("needs 50 pixels", value=3)) == "needs 50 pixels; found 3"


def test_a_class_that_is_not_derived_from_plugin_is_told_how() -> None:
    class Loose:
        card = Card(name="loose", version="1", summary="no base class")

    class Derived(Plugin):
        card = Card(name="derived", version="1", summary="a base class")

    check_made_of_params(Derived)
    with pytest.raises(PluginError, match=r"Derive it from hsiaug\.api\.Plugin: class Loose"):
        check_made_of_params(Loose)


def test_colour_that_is_asked_for_makes_no_screen_of_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = io.StringIO()
    console = Console(file=file)
    assert not console.is_terminal and not live(console)
    with progress_bars(console) as bars:
        bars.add_task("fit", total=3)
    assert "\x1b" not in file.getvalue()
    assert Console(file=file, force_terminal=True).is_terminal
    assert not live(Console(file=file, force_terminal=True, quiet=True))


def test_a_device_that_is_not_there_is_refused_whatever_the_plugin_uses() -> None:
    plain = load_plugin("generator", "smote").card
    assert not plain.uses_device and resolve_device("auto", plain) == "cpu"
    with pytest.raises(InputError, match="must name a device of this machine"):
        resolve_device("tpu", plain)
    y = np.repeat([0, 1], [20, 5])
    x = np.random.default_rng(0).normal(size=(25, 6)) + y[:, None]
    with pytest.raises(InputError, match="must name a device of this machine"):
        Augmenter("smote", device="tpu").fit_resample(x, y)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"generators": "smotte"}, "`generator` must name"),
        ({"generators": "smote", "classifiers": "smv"}, "`classifier` must name"),
        ({"generators": "smote", "protocol": "isds"}, "`protocol` must name"),
        ({"generators": "smote", "seeds": "x"}, "`seeds` must be"),
        ({"generators": "smote", "patch": 4}, "`patch` must be"),
    ],
)
def test_errors_of_python_have_no_options_of_the_command_line(
    arguments: dict[str, object], word: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        hsiaug.benchmark("toy", store=tmp_path / "s", progress=False, **arguments)
    assert word in str(caught.value) and "--" not in str(caught.value)
