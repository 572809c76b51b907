"""Labels of public scenes are known by their checksums, whatever files they come from, and keep
their draws.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from hsiaug.base.public_scenes import LABELS, array_checksum
from hsiaug.core.scene import Scene
from hsiaug.data import fetch_scene, load_scene, scene_card, scene_names
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.data.labels import class_map
from hsiaug.data.loading import public_files
from hsiaug.data.readers import read_label_file
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split

NAMES = scene_card("indian_pines").labels.names


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray]:
    """The digital numbers and codes of Indian Pines, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    cube, labels = (np.load(path) for path in fetch_scene("indian_pines", progress=False))
    return cube, labels


def add(cube: str, labels: str, **options: Any) -> Added:
    return add_scene(Path(cube), Path(labels), Path("mine.toml"), ImportOptions(**options))


def draw(scene: Scene) -> str:
    return draw_split(scene, parse_protocol("issd"), 0, 9).audit.sha256


@pytest.mark.indian_pines
def test_the_same_labels_in_other_files_keep_the_public_draws(raw, indian_pines):
    savemat("cube.mat", {"corrected": raw[0].astype(np.int32)})
    np.save("labels.npy", raw[1].astype(np.float64))
    add("cube.mat", "labels.npy")
    scene = load_scene("mine.toml")

    assert scene.drawn_as == "indian_pines" and draw(scene) == draw(indian_pines)


def test_labels_that_differ_in_one_pixel_are_not_the_public_ones(
    raw: tuple[np.ndarray, np.ndarray],
) -> None:
    labels = raw[1].copy()
    labels[0, 0] = 0 if labels[0, 0] else 1
    np.save("cube.npy", raw[0][:, :, :6])
    np.save("labels.npy", labels)
    assert public_files(Path("cube.npy"), Path("labels.npy")) is None
    add("cube.npy", "labels.npy")
    assert load_scene("mine.toml").drawn_as.startswith("labels ")


def test_every_listed_scene_is_one_of_the_catalogue() -> None:
    assert set(LABELS.values()) | {"houston_2018", "salinas_a"} == set(scene_names())


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("botswana", "Botswana_gt.mat"),
        ("indian_pines", "indian_pines_corrected_gt.mat"),
        ("ksc", "KSC_gt.mat"),
        ("pavia_centre", "paviaC_gt.mat"),
        ("pavia_university", "paviaU_gt.mat"),
        ("salinas", "salinas_gt.mat"),
    ],
)
def test_the_listed_checksums_are_those_of_the_public_labels(
    shared_data: Path, name: str, file: str
) -> None:
    codes = read_label_file(shared_data / "ground_truth_only" / file)
    labels = class_map(codes, scene_card(name).labels, where=name)
    assert LABELS[array_checksum(labels, "<i2")] == name
