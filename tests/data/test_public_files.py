"""Files of public scenes are known by their bytes, and labels by their values, whatever they are
called; the labels keep their draws.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hsiaug.core.scene import LABELS, Scene, array_checksum
from hsiaug.data import fetch_scene, scene_card, scene_names
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.data.labels import class_map
from hsiaug.data.loading import public_files
from hsiaug.data.readers import read_label_file
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from tests.in_process import hsiaug

CUBE, CODES = Path("flight.npy"), Path("fields.npy")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cube and the labels of Indian Pines under other names."""
    monkeypatch.chdir(tmp_path)
    for path, name in zip(fetch_scene("indian_pines", progress=False), (CUBE, CODES), strict=True):
        shutil.copy(path, name)


def draw(scene: Scene) -> str:
    return draw_split(scene, parse_protocol("issd"), 0, 9).audit.sha256


@pytest.mark.indian_pines
def test_the_same_labels_in_other_files_keep_the_public_draws(copied, indian_pines):
    savemat("cube.mat", {"corrected": np.load(CUBE)[:, :, :6].astype(np.int32)})
    np.save("labels.npy", np.load(CODES).astype(np.float64))
    scene = add_scene(Path("cube.mat"), Path("labels.npy"), None, ImportOptions()).scene
    assert scene.drawn_as == "indian_pines" and draw(scene) == draw(indian_pines)
    known = public_files(Path("none.npy"), Path("labels.npy"))
    assert known is not None and known.labels and not known.cube


@pytest.mark.indian_pines
def test_files_of_a_public_scene_are_known_and_its_name_is_said(copied) -> None:
    known = public_files(CUBE, CODES)
    assert known is not None and known.cube and known.labels
    assert known.sentence == "these are the cube and the labels of indian_pines of the catalogue"
    said = hsiaug("datasets", "add", str(CUBE), "--labels", str(CODES))
    assert said.returncode == 0 and "hsiaug start indian_pines" in said.stderr


@pytest.mark.indian_pines
def test_files_that_differ_in_one_value_are_not_known(copied) -> None:
    labels = np.load(CODES)
    labels[0, 0] = 0 if labels[0, 0] else 1
    np.save(CODES, labels)
    known = public_files(CUBE, CODES)
    assert known is not None
    assert known.sentence == "this is the cube of indian_pines of the catalogue"
    np.save(CUBE, np.load(CUBE)[:, :, :6])
    assert public_files(CUBE, CODES) is None
    scene = add_scene(CUBE, CODES, None, ImportOptions()).scene
    assert scene.drawn_as.startswith("labels ")


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
