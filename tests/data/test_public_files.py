"""Files of public scenes are known by their bytes or their values, whatever they are called."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hsiaug.data import fetch_scene
from hsiaug.data.loading import public_files
from tests.in_process import hsiaug

pytestmark = pytest.mark.indian_pines


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Path, Path]:
    """The cube and the labels of Indian Pines under other names."""
    cube, labels = fetch_scene("indian_pines", progress=False)
    return (
        Path(shutil.copy(cube, tmp_path / "flight.npy")),
        Path(shutil.copy(labels, tmp_path / "fields.npy")),
    )


def test_files_of_a_public_scene_are_known_and_its_name_is_said(copied, tmp_path) -> None:
    known = public_files(*copied)
    assert known is not None and known.cube and known.labels
    assert known.sentence == "these are the cube and the labels of indian_pines of the catalogue"
    said = hsiaug("datasets", "add", "flight.npy", "--labels", "fields.npy", cwd=tmp_path)
    assert said.returncode == 0 and "hsiaug start indian_pines" in said.stderr


def test_a_file_that_differs_in_one_value_is_not_known(copied: tuple[Path, Path]) -> None:
    labels = np.load(copied[1])
    labels[0, 0] += 1
    np.save(copied[1], labels)
    known = public_files(*copied)
    assert known is not None and known.cube and not known.labels
    assert known.sentence == "this is the cube of indian_pines of the catalogue"


def test_labels_that_were_saved_anew_are_known_by_their_values(copied, tmp_path) -> None:
    np.save(tmp_path / "labels.npy", np.load(copied[1]).astype(np.float64))
    known = public_files(tmp_path / "none.npy", tmp_path / "labels.npy")
    assert known is not None and known.labels and not known.cube
