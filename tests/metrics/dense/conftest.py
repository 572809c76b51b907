"""The made-up world whose tiles fidelity and reliability are measured on."""

import pytest

from tests.toyworld import ToyWorld, toy_world


@pytest.fixture(scope="package")
def world() -> ToyWorld:
    """Tiles of 16×16 pixels, 5 classes, 12 bands."""
    return toy_world(noise=0.06, side=16)
