"""``NAME:VALUE``: a plugin whose card declares a variant takes one in its name."""

import pickle
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hsiaug.base.errors import InputError
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import Registry, build_registry
from tests.third_party import install

FAMILY = """
from dataclasses import dataclass
from hsiaug.api import Card, Entry, Plugin, hookimpl, param

@dataclass(frozen=True)
class Params:
    body: str = param("small", "which body")
    steps: int = param(9, "steps")

class Family:
    presets = {"tiny": {"steps": 2, "body": "dot"}, "own": {"steps": 5}}
    card = Card("family", "1", "A family", params=Params, variant="body", presets=presets)
    def __init__(self, params):
        self.params = params
    def fit(self, samples, view, *, seed, device, progress):
        return self

class Single(Plugin):
    card = Card("single", "1", "A plugin without variants")
    def fit(self, samples, view, *, seed, device, progress):
        return self

@hookimpl
def hsiaug_plugins():
    return [Entry("classifier", "family", "family_plugin:Family"), Entry("classifier", "single", "family_plugin:Single")]
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    install(tmp_path, "family_plugin", FAMILY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "family_plugin", raising=False)
    return build_registry([EntryPoint("family_plugin", "family_plugin", "hsiaug")])


@pytest.mark.parametrize(("preset", "steps"), [("tiny", 2), ("cpu", 9), ("paper", 9), ("own", 5)])
def test_the_value_sets_the_declared_parameter_under_every_preset(plugins, preset, steps):
    plugin = plugins.find("classifier", "family:large").load()
    params = build_params(plugin.card, preset)
    assert plugin.card.name == "family:large" and (params.body, params.steps) == ("large", steps)
    assert plugin(params).params is params


def test_the_family_itself_stays_as_it_was_and_its_params_travel_between_processes(
    plugins: Registry,
) -> None:
    large = plugins.find("classifier", "family:large").load()
    family = plugins.find("classifier", "family").load()
    assert family.card.name == "family" and build_params(family.card).body == "small"
    params = build_params(large.card)
    assert pickle.loads(pickle.dumps(params)) == params


def test_the_parameter_of_the_name_cannot_be_set_again(plugins: Registry) -> None:
    card = plugins.find("classifier", "family:large").load().card
    assert build_params(card, overrides={"steps": "3"}).steps == 3
    with pytest.raises(InputError, match="Name the plugin family:huge"):
        build_params(card, overrides={"body": "huge"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("single:large", "Write single."),
        ("family:", "Write family:BODY."),
        ("famly:large", "Did you mean family"),
    ],
)
def test_a_name_that_cannot_be_resolved_says_what_to_write(
    plugins: Registry, name: str, hint: str
) -> None:
    with pytest.raises(InputError, match=hint):
        plugins.find("classifier", name).load()
