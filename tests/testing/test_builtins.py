"""Every plugin that is installed keeps the contract: new ones come in by being registered."""

from __future__ import annotations

import pytest

from hsiaug.registry.lookup import registry
from hsiaug.testing import check_classifier, check_generator

CHECK = {"generator": check_generator, "classifier": check_classifier}
INSTALLED = [(kind, name) for kind in CHECK for name in registry().names(kind)]


def test_no_package_is_broken():
    assert registry().broken == ()


@pytest.mark.parametrize(("kind", "name"), INSTALLED, ids=lambda value: value)
def test_it_passes_the_conformance_kit(kind, name):
    CHECK[kind](name)
