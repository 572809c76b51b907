"""Samples of the toy scene."""

from collections.abc import Callable
from typing import Any

import pytest

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import PixelSynthesis, SampleRequest
from hsiaug.registry.lookup import Registry


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals are looked at in tests/metrics; most time of a report goes into their rounds."""
    monkeypatch.setattr("hsiaug.metrics.reliability.ROUNDS", 20)
    monkeypatch.setattr("hsiaug.metrics.two_sample.TREES", 5)
    monkeypatch.setattr("hsiaug.metrics.layout_network.STEPS", 3)


@pytest.fixture
def make(toy: Scene, plugins: Registry) -> Callable[..., PixelSynthesis]:
    """``make("smote", lam=0.5, …)``: samples of the toy scene."""

    def made(
        generator: str = "smote", scene: Scene = toy, protocol: str = "issd", **changes: Any
    ) -> PixelSynthesis:
        request = SampleRequest(
            generator,
            parse_protocol(protocol),
            **{"patch": 5, "device": "cpu", "times": 0.0, **changes},
        )
        return synthesise(sample_kit("pixels"), scene, request, plugins)

    return made
