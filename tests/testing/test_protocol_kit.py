"""The kit for protocols: every built-in passes, and each rule finds who breaks it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card
from hsiaug.registry.protocol_base import Draw, SplitProtocol
from hsiaug.testing import ConformanceError, check_protocol
from hsiaug.testing.protocol_checks import ProtocolSubject
from hsiaug_builtin.protocols import TARGETS
from hsiaug_builtin.protocols.blocks import Blocks
from hsiaug_builtin.protocols.sampled import KShot, Random


class Unseeded(KShot):
    def draw(self, scene: Any, seed: int, patch: int) -> Draw:
        return super().draw(scene, int(np.random.randint(1000)), patch)


class Named(KShot):
    def draw(self, scene: Any, seed: int, patch: int) -> Draw:
        return super().draw(scene, seed + len(scene.name), patch)


class Silent(Random):
    leaky = False


class Alarmist(KShot):
    leaky = True


class Unbuffered(KShot):
    def buffer_radius(self, patch: int) -> int:
        return 0


class Forgetful(Blocks):
    def draw(self, scene: Any, seed: int, patch: int) -> Draw:
        draw = super().draw(scene, seed, patch)
        first = scene.labels == 1
        return Draw(draw.train & ~first, draw.dropped & ~first)


class Background(KShot):
    def draw(self, scene: Any, seed: int, patch: int) -> Draw:
        return Draw(scene.labels == 0, np.zeros(scene.shape, dtype=bool))


class Lossy(KShot):
    @property
    def text(self) -> str:
        return "kshot:1"


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"fixed"}))
def test_every_built_in_protocol_keeps_the_contract(name: str) -> None:
    check_protocol(name)


def test_masks_of_a_file_keep_it_too(tmp_path: Path) -> None:
    subject = ProtocolSubject(KShot, "20")
    split = subject.pixels(0)
    np.savez(tmp_path / "masks.npz", train=split.train, test=split.test)
    check_protocol(f"fixed:{tmp_path / 'masks.npz'}")


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Unseeded, "determinism"),
        (Named, "labels-only"),
        (Silent, "leaky"),
        (Alarmist, "leaky"),
        (Unbuffered, "buffer"),
        (Forgetful, "every-class"),
        (Background, "runs"),
        (Lossy, "text"),
    ],
)
def test_a_broken_rule_is_found(broken: type[SplitProtocol], rule: str) -> None:
    with pytest.raises(ConformanceError) as caught:
        check_protocol(broken)
    assert rule in [outcome.name for outcome in caught.value.report.failures]


def test_what_is_no_protocol_is_refused() -> None:
    class Stray:
        card = Card("stray", "1", "No protocol at all")

    with pytest.raises(PluginError, match="subclasses of hsiaug"):
        check_protocol(Stray)
