"""Toy views, and no network."""

import dataclasses
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attempt to connect fails the test."""

    def refuse(*args: object) -> None:
        pytest.fail(f"tried to connect: {args[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def make_view(
    protocol: str = "issd",
    seed: int = 0,
    patch: int = 5,
    descriptions: Mapping[str, Sequence[str]] = {},
    **kw: Any,
) -> TrainView:
    """A view of the toy scene."""
    scene = dataclasses.replace(
        toy_scene(**kw), descriptions={k: tuple(v) for k, v in descriptions.items()}
    )
    return train_view(scene, draw_split(scene, parse_protocol(protocol), seed, patch), "scene")


@pytest.fixture
def view_of() -> Callable[..., TrainView]:
    return make_view
