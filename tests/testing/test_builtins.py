"""Every plugin that is installed keeps the contract: new ones come in by being registered."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from hsiaug.api import Classifier, MaskClassifier
from hsiaug.registry.lookup import registry
from hsiaug.testing import check_classifier, check_generator

CHECK = {"generator": check_generator, "classifier": check_classifier}
INSTALLED = [(kind, name) for kind in CHECK for name in registry().names(kind)]


def test_no_package_is_broken():
    assert registry().broken == ()


@pytest.mark.parametrize(("kind", "name"), INSTALLED, ids=lambda value: value)
def test_it_passes_the_conformance_kit(kind, name):
    CHECK[kind](name)


@pytest.mark.parametrize("name", registry().names("classifier"))
def test_a_classifier_says_which_contract_it_keeps(name):
    plugin = registry().find("classifier", name).load()
    contract = Classifier if "pixels" in plugin.card.tasks else MaskClassifier
    stated, asked = (get_type_hints(one.fit) for one in (plugin, contract))
    assert {key: stated[key] for key in ("samples", "view")} == {key: asked[key] for key in ("samples", "view")}
