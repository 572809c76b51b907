"""What a look at the spectra says of labels: moved or turned ones are found where the fit is clearly
better elsewhere, broken pixels are named, and nothing is said where all is well.
"""

from pathlib import Path

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.data.findings import MOST_NAMED, better_place, far_pixels, far_warnings
from tests.in_process import hsiaug


def moved(labels: np.ndarray, down: int, right: int) -> np.ndarray:
    """Labels moved; what enters has none."""
    height, width = labels.shape
    padded = np.pad(labels, 2)
    return padded[2 - down : 2 - down + height, 2 - right : 2 - right + width]


@pytest.mark.indian_pines
def test_on_indian_pines_moved_labels_are_found_and_right_ones_are_not_suspected(indian_pines):
    cube, labels = indian_pines.cube, indian_pines.labels
    assert better_place(cube, labels) is None and far_pixels(indian_pines) == []
    for down, right in ((2, 0), (0, -2), (-2, 2), (-1, 0)):
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
    assert better_place(np.ones_like(toy.cube), toy.labels) is None


def scene(broken: dict[tuple[int, int], str]) -> Scene:
    """Two classes of smooth spectra, in which some pixels are broken in some way."""
    rng = np.random.default_rng(5)
    labels = np.zeros((20, 24), dtype=np.int16)
    labels[2:18, 2:10], labels[2:18, 14:22] = 1, 2
    level = 0.3 + 0.2 * labels[:, :, None] + 0.05 * np.sin(np.linspace(0, 3, 30))
    cube = level * rng.normal(1, 0.05, (20, 24, 1)) + rng.normal(0, 0.002, level.shape)
    for pixel, how in broken.items():
        cube[pixel][15 if how == "spike" else slice(None)] = 3.0 if how == "spike" else 1e-3
    return Scene("field", cube.astype(np.float32), labels, ("wheat", "rye"))


@pytest.mark.parametrize("how", ["spike", "dark"])
def test_a_broken_pixel_is_named_with_its_place_and_class(how: str) -> None:
    assert far_pixels(scene({})) == []
    (sentence,) = far_warnings(scene({(5, 16): how}))
    assert sentence.startswith("1 labelled pixel is far from its class")
    assert "row 5, column 16, rye" in sentence


def test_many_are_counted_and_the_first_are_named() -> None:
    broken = {(row, 3): "spike" for row in range(2, 2 + MOST_NAMED + 1)}
    (sentence,) = far_warnings(scene(broken))
    assert sentence.startswith(f"{MOST_NAMED + 1} labelled pixels are") and "and 1 more" in sentence


def test_datasets_add_info_and_start_say_so(toy: Scene, tmp_path: Path) -> None:
    cube = toy.cube.copy()
    row, column = np.argwhere(toy.labels == 1)[40]
    cube[row, column] = 9
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "labels.npy", moved(toy.labels, -2, 0))
    words = ("datasets", "add", "cube.npy", "--labels", "labels.npy")
    for said in (
        hsiaug(*words, cwd=tmp_path),
        hsiaug("start", "cube.toml", cwd=tmp_path),
        hsiaug("datasets", "info", "cube.toml", cwd=tmp_path),
    ):
        assert said.returncode == 0, said.stderr
        sentences = " ".join(said.stdout.split())
        assert "clearly better moved 2 px down:" in sentences
        assert "far from" in sentences
