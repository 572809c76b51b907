"""``datasets add`` knows a public scene by its checksums: names, band centres and draws come with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from hsiaug.base.public import LABELS, array_checksum
from hsiaug.core.scene import Scene
from hsiaug.data import fetch_scene, load_scene, scene_card, scene_names
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.data.labels import class_map
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
def test_the_same_arrays_in_other_files_are_the_public_scene(
    raw: tuple[np.ndarray, np.ndarray], indian_pines: Scene
) -> None:
    savemat("cube.mat", {"corrected": raw[0].astype(np.int32)})
    np.save("labels.npy", raw[1].astype(np.float64))
    added = add("cube.mat", "labels.npy")
    scene = load_scene("mine.toml")

    assert dict(added.facts)["public scene"] == "indian_pines: the same labels, the same cube"
    assert added.warnings == ()
    assert scene.name == "cube" and scene.sha256 == indian_pines.sha256
    assert scene.class_names == NAMES and scene.units == indian_pines.units and scene.gsd == 20
    assert np.array_equal(scene.wavelengths, indian_pines.wavelengths)  # type: ignore[arg-type]
    assert scene.subsets == indian_pines.subsets and dict(scene.descriptions) == dict(indian_pines.descriptions)
    assert scene.drawn_as == "indian_pines" and draw(scene) == draw(indian_pines)
    assert 'draws = "indian_pines"' in Path("mine.toml").read_text()


@pytest.mark.indian_pines
def test_numbers_that_were_scaled_are_known_too_and_not_scaled_again(
    raw: tuple[np.ndarray, np.ndarray], indian_pines: Scene
) -> None:
    np.save("cube.npy", (raw[0] * 1e-4).astype(np.float32))
    np.save("labels.npy", raw[1])
    added = add("cube.npy", "labels.npy")
    scene = load_scene("mine.toml")
    assert dict(added.facts)["public scene"].endswith("the same cube, scaled already")
    assert np.allclose(scene.cube, indian_pines.cube) and scene.wavelengths is not None


@pytest.mark.indian_pines
def test_of_another_cube_only_what_belongs_to_the_labels_is_taken(
    raw: tuple[np.ndarray, np.ndarray], indian_pines: Scene
) -> None:
    np.save("cube.npy", raw[0][:, :, ::4])
    np.save("labels.npy", raw[1])
    added = add("cube.npy", "labels.npy", ignore=("9", "Wheat"))
    scene = load_scene("mine.toml")
    assert dict(added.facts)["public scene"].endswith("another cube")
    assert scene.wavelengths is None and scene.gsd is None
    assert scene.class_names == tuple(n for n in NAMES if n not in ("Oats", "Wheat"))
    assert scene.drawn_as == "indian_pines"
    assert 8 not in [len(ids) for ids in scene.subsets.values()] and len(scene.subsets["IP-14"]) == 13


@pytest.mark.indian_pines
def test_what_the_user_says_comes_first(raw: tuple[np.ndarray, np.ndarray]) -> None:
    np.save("cube.npy", raw[0])
    np.save("labels.npy", raw[1])
    names = tuple(f"crop {i}" for i in range(16))
    add("cube.npy", "labels.npy", classes=names, scale=1.0, units="counts", name="mine")
    scene = load_scene("mine.toml")
    assert scene.class_names == names and scene.units == "counts" and scene.cube.max() == 9604
    assert dict(scene.descriptions) == {}


def test_labels_that_differ_in_one_pixel_are_not_the_public_ones(raw: tuple[np.ndarray, np.ndarray]) -> None:
    labels = raw[1].copy()
    labels[0, 0] = 0 if labels[0, 0] else 1
    np.save("cube.npy", raw[0][:, :, :6])
    np.save("labels.npy", labels)
    assert "public scene" not in dict(add("cube.npy", "labels.npy").facts)
    assert load_scene("mine.toml").drawn_as.startswith("labels ")


def test_a_cube_whose_values_cannot_be_compared_is_said_to_be_a_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.chdir(tmp_path)
    card = scene_card("salinas_a")
    ids = np.arange(83 * 86).reshape(83, 86) % 7
    np.save("labels.npy", np.array([0, *card.labels.codes])[ids])
    np.save("cube.npy", rng.integers(100, 5000, (83, 86, 204), dtype=np.int16))
    monkeypatch.setattr("hsiaug.data.known.LABELS", {array_checksum(ids, "<i2"): "salinas_a"})
    added = add("cube.npy", "labels.npy")
    scene = load_scene("mine.toml")
    assert "nothing is known of its values" in "\n".join(added.warnings)
    assert scene.class_names == card.labels.names and scene.wavelengths is not None and scene.cube.max() < 1
    assert scene.drawn_as == "salinas_a"


def test_a_scene_whose_labels_have_no_checksum_of_values_is_known_by_its_files(
    raw: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsiaug.data.known.LABELS", {})
    cube, labels = fetch_scene("indian_pines", progress=False)
    assert add(str(cube), str(labels)).scene.class_names == NAMES


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
def test_the_listed_checksums_are_those_of_the_public_labels(shared_data: Path, name: str, file: str) -> None:
    codes = read_label_file(shared_data / "ground_truth_only" / file)
    labels = class_map(codes, scene_card(name).labels, where=name)
    assert LABELS[array_checksum(labels, "<i2")] == name
