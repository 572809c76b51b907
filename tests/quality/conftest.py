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
def _few_rounds(few_rounds: None) -> None:
    """Most time of a report goes into its intervals."""


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
