"""Cubes above a size lie in temporary files, with the same values."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hsiaug.base.errors import SceneError
from hsiaug.data import bounds, load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view

Estate = Callable[..., Path]


def mapped(values: object) -> bool:
    """Whether the values of an array lie in a file."""
    while isinstance(values, np.ndarray | memoryview):
        if isinstance(values, np.memmap):
            return True
        values = values.obj if isinstance(values, memoryview) else values.base
    return False


def test_a_large_cube_and_what_plugins_see_of_it_are_the_same_in_a_file(
    estate, monkeypatch, tmp_path
):
    card = estate()
    protocol = parse_protocol("hidden:0.5:kshot:2")

    def load() -> tuple[np.ndarray, np.ndarray]:
        scene = load_scene(card)
        return scene.cube, train_view(scene, draw_split(scene, protocol, 0, 1), "scene").cube

    small = load()
    assert not any(map(mapped, small))
    monkeypatch.setattr(bounds, "IN_MEMORY", 0)
    monkeypatch.setattr(bounds, "free_memory", lambda: 100)
    large = load()
    assert all(map(mapped, large))
    for a, b in zip(small, large, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isnan(large[1]).any()


def test_a_folder_of_temporary_files_without_room_is_named(estate, monkeypatch):
    monkeypatch.setattr(bounds, "IN_MEMORY", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    scene = load_scene(estate())
    with pytest.raises(SceneError, match="TMPDIR"):
        scene.cube  # noqa: B018
