"""Samples of the toy scene."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import PixelSynthesis, SampleRequest
from hsiaug.registry.lookup import Registry


@pytest.fixture(autouse=True)
def _few_rounds(few_rounds: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most time of a report goes into its intervals, and of an oracle into its trees."""
    monkeypatch.setattr("hsiaug.quality.prompt_fidelity.TREES", 40)


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


@pytest.fixture(scope="module")
def coded(toy: Scene) -> Scene:
    """The toy scene with a band per class that is bright just there."""
    cube = np.stack([toy.labels == c for c in toy.class_ids], axis=2).astype(np.float32)
    return replace(toy, cube=cube + 0.01 * toy.cube[..., :5], wavelengths=None)
