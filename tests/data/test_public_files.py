"""Files of public scenes are known by their bytes or their values, whatever they are called."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hsiaug.data import fetch_scene, load_scene, scene_card
from hsiaug.data.adding import ImportOptions
from hsiaug.data.public_files import public_files, with_catalogue
from tests.in_process import hsiaug, refused

pytestmark = pytest.mark.indian_pines


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Path, Path]:
    """The cube and the labels of Indian Pines under other names."""
    cube, labels = fetch_scene("indian_pines", progress=False)
    return (
        Path(shutil.copy(cube, tmp_path / "flight.npy")),
        Path(shutil.copy(labels, tmp_path / "fields.npy")),
    )


def test_both_files_are_known_and_what_is_stated_stays(copied: tuple[Path, Path]) -> None:
    known = public_files(*copied)
    assert known is not None and known.cube and known.labels
    assert known.sentence == "these are the cube and the labels of indian_pines of the catalogue"
    card = scene_card("indian_pines")
    options = with_catalogue(ImportOptions(scale=2.0), known)
    assert options.classes == card.labels.names and options.wavelengths == card.sensor.wavelengths
    assert options.scale == 2.0


def test_a_file_that_differs_in_one_value_is_not_known(copied: tuple[Path, Path]) -> None:
    labels = np.load(copied[1])
    labels[0, 0] += 1
    np.save(copied[1], labels)
    known = public_files(*copied)
    assert known is not None and known.cube and not known.labels
    assert known.sentence == "this is the cube of indian_pines of the catalogue"


def test_files_that_were_saved_anew_are_known_by_their_values(
    copied: tuple[Path, Path], tmp_path: Path
) -> None:
    cube, labels = map(np.load, copied)
    savemat(tmp_path / "cube.mat", {"x": cube.astype(np.int32)})
    np.save(tmp_path / "labels.npy", labels.astype(np.float64))
    known = public_files(tmp_path / "cube.mat", tmp_path / "labels.npy")
    assert known is not None and (known.cube, known.labels) == ("values", "values")
    words = ("datasets", "add", "cube.mat", "--labels", "labels.npy", "--out", "saved.toml")
    said = hsiaug(*words, cwd=tmp_path)
    assert (said.stdout + said.stderr).count("indian_pines of the catalogue") == 1
    said = hsiaug(*words, "--force", "--catalogue", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert load_scene(tmp_path / "saved.toml").sha256 == load_scene("indian_pines").sha256


def test_a_cube_in_another_scale_is_known_by_its_values(
    copied: tuple[Path, Path], tmp_path: Path
) -> None:
    cube = np.load(copied[0])
    np.save(tmp_path / "scaled.npy", (cube * 1e-4).astype(np.float32))
    words = ("datasets", "add", "scaled.npy", "--labels", "fields.npy", "--catalogue")
    said = hsiaug(*words, cwd=tmp_path)
    assert said.returncode == 0 and "not taken" not in said.stderr, said.stderr
    scene, public = load_scene(tmp_path / "scaled.toml"), load_scene("indian_pines")
    assert np.array_equal(scene.wavelengths, public.wavelengths)
    card = scene_card(tmp_path / "scaled.toml")
    assert card.cube.units == scene_card("indian_pines").cube.units and card.cube.scale == 1.0
    assert np.allclose(scene.cube, public.cube, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda cube: cube[..., :150], "the cube has 145×145×150 values, that of the catalogue"),
        (lambda cube: cube + cube % 7, "the cube holds other values"),
    ],
)
def test_what_is_not_taken_of_a_scene_is_said_in_a_line(copied, tmp_path, change, why) -> None:
    np.save(tmp_path / "flight.npy", change(np.load(copied[0])))
    words = ("datasets", "add", "flight.npy", "--labels", "fields.npy", "--catalogue")
    said = hsiaug(*words, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    (line,) = (line for line in said.stderr.splitlines() if "not taken" in line)
    assert line.startswith("note: wavelengths, useless bands, scale and units of indian_pines")
    assert why in line
    assert load_scene(tmp_path / "flight.toml").class_names[0] == "Alfalfa"


def test_the_card_has_the_names_and_wavelengths_only_where_asked(copied, tmp_path):
    words = ("datasets", "add", "flight.npy", "--labels", "fields.npy", "--out")
    said = hsiaug(*words, "plain.toml", cwd=tmp_path)
    assert "of indian_pines of the catalogue: --catalogue takes its" in said.stderr
    assert load_scene(tmp_path / "plain.toml").class_names[0] != "Alfalfa"
    said = hsiaug(*words, "known.toml", "--catalogue", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    scene, public = load_scene(tmp_path / "known.toml"), load_scene("indian_pines")
    assert scene.class_names == public.class_names
    assert np.array_equal(scene.wavelengths, public.wavelengths)


def test_files_that_are_of_no_scene_are_refused_where_the_catalogue_is_asked_for(tmp_path):
    for name in ("cube", "labels"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 4)))
    words = ("datasets", "add", "cube.npy", "--labels", "labels.npy", "--catalogue")
    assert "which are of none" in refused(tmp_path, *words)
