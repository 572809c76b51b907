"""Broken labelled pixels are named, and no other."""

from pathlib import Path

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.data.label_check import MOST_NAMED, far_pixels, far_warnings
from tests.in_process import hsiaug

RNG_SEED = 5


def scene(tmp_path: Path, broken: dict[tuple[int, int], str]) -> Path:
    """Files of two classes of smooth spectra, in which some pixels are broken in some way."""
    rng = np.random.default_rng(RNG_SEED)
    labels = np.zeros((20, 24), dtype=np.int16)
    labels[2:18, 2:10], labels[2:18, 14:22] = 1, 2
    level = 0.3 + 0.2 * labels[:, :, None] + 0.05 * np.sin(np.linspace(0, 3, 30))
    cube = level * rng.normal(1, 0.05, (20, 24, 1)) + rng.normal(0, 0.002, level.shape)
    for pixel, how in broken.items():
        cube[pixel][15 if how == "spike" else slice(None)] = 3.0 if how == "spike" else 1e-3
    np.save(tmp_path / "cube.npy", cube.astype(np.float32))
    np.save(tmp_path / "labels.npy", labels)
    return tmp_path


def loaded(folder: Path) -> Scene:
    cube, labels = np.load(folder / "cube.npy"), np.load(folder / "labels.npy")
    return Scene("field", cube, labels, ("wheat", "rye"))


@pytest.mark.parametrize("how", ["spike", "dark"])
def test_a_broken_pixel_is_named_with_its_place_and_class(tmp_path: Path, how: str) -> None:
    (sentence,) = far_warnings(loaded(scene(tmp_path, {(5, 16): how})))
    assert sentence.startswith("1 labelled pixel lies far from its class")
    assert "row 5, column 16, rye" in sentence


def test_a_scene_without_one_has_no_sentence(tmp_path: Path) -> None:
    assert far_pixels(loaded(scene(tmp_path, {}))) == []


@pytest.mark.indian_pines
def test_no_pixel_of_indian_pines_is_called_broken(indian_pines: Scene) -> None:
    assert far_pixels(indian_pines) == []


def test_many_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    broken = {(row, 3): "spike" for row in range(2, 2 + MOST_NAMED + 1)}
    (sentence,) = far_warnings(loaded(scene(tmp_path, broken)))
    assert sentence.startswith(f"{MOST_NAMED + 1} labelled pixels lie") and "and 1 more" in sentence


def test_datasets_add_and_info_say_so(tmp_path: Path) -> None:
    scene(tmp_path, {(5, 16): "spike"})
    words = ("datasets", "add", "cube.npy", "--labels", "labels.npy")
    for said in (
        hsiaug(*words, cwd=tmp_path),
        hsiaug("datasets", "info", "cube.toml", cwd=tmp_path),
    ):
        assert said.returncode == 0, said.stderr
        assert "1 labelled pixel lies far from its class" in " ".join(said.stdout.split())
