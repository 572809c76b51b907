"""Labels beside what they label: found where the fit is clearly better elsewhere, never where
labels lie right.
"""

from pathlib import Path

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.data.findings import better_place
from tests.in_process import hsiaug


def moved(labels: np.ndarray, down: int, right: int) -> np.ndarray:
    """Labels moved; what enters has none."""
    out = np.zeros_like(labels)
    height, width = labels.shape
    out[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = labels[
        max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    return out


@pytest.mark.indian_pines
def test_on_indian_pines_two_pixels_are_found_and_labels_that_lie_right_are_not_suspected(
    indian_pines: Scene,
):
    cube, labels = indian_pines.cube, indian_pines.labels
    assert better_place(cube, labels) is None
    for down, right in ((2, 0), (-2, 0), (0, 2), (0, -2), (-2, 2), (-1, 0), (0, -1)):
        assert better_place(cube, moved(labels, down, right)) == ("", -down, -right)


@pytest.mark.parametrize("name", ["toy", "hills"])
def test_on_made_up_scenes_labels_that_lie_right_are_not_suspected(name: str) -> None:
    scene = load_scene(name)
    assert better_place(scene.cube, scene.labels) is None


@pytest.mark.parametrize(
    ("turn", "move"),
    [
        ("rows", lambda labels: labels[::-1]),
        ("columns", lambda labels: labels[:, ::-1]),
        ("both", lambda labels: labels[::-1, ::-1]),
        ("exchanged", lambda labels: labels.T),
    ],
)
def test_labels_that_are_turned_are_found(toy: Scene, turn: str, move: object) -> None:
    assert better_place(toy.cube, move(toy.labels)) == (turn, 0, 0)


def test_few_or_small_fields_tell_nothing(toy: Scene) -> None:
    few = toy.labels.copy()
    few[12:] = 0
    few[:, 12:] = 0
    assert better_place(toy.cube, moved(few, 2, 0)) is None
    dots = np.zeros_like(toy.labels)
    dots[::5, ::5] = toy.labels[::5, ::5]
    assert better_place(toy.cube, dots) is None
    flat = np.ones_like(toy.cube)
    assert better_place(flat, toy.labels) is None


def test_datasets_add_and_start_warn(toy: Scene, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", toy.cube)
    for name, by in (("right", 0), ("shifted", -2)):
        np.save(tmp_path / f"{name}.npy", moved(toy.labels, by, 0))
        words = ("datasets", "add", "cube.npy", "--labels", f"{name}.npy", "--out", f"{name}.toml")
        for said in (hsiaug(*words, cwd=tmp_path), hsiaug("start", f"{name}.toml", cwd=tmp_path)):
            assert said.returncode == 0, said.stderr
            assert ("clearly better moved 2 px down:" in said.stdout) == (by != 0)
