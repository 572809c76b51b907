"""The public scenes: their cards, the embedded one, and the command line's view of them."""

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug.base.errors import DataUnavailableError, InputError
from hsiaug.cli.datasets import app
from hsiaug.data import data_dir, load_scene, pair_set_names, scene_card, scene_names, toy_scene
from tests.effort import loaded

COUNTS = [46, 1428, 830, 237, 483, 730, 28, 478, 20, 972, 2455, 593, 205, 1265, 386, 93]
runner = CliRunner()


@pytest.mark.parametrize("name", scene_names())
def test_every_card_is_whole(name):
    card = scene_card(name)
    assert card.name == name
    assert card.title and card.citation and card.licence and card.notes
    assert card.cube.shape is not None and card.sensor.gsd is not None
    given = card.sensor.wavelengths
    assert card.sensor.range_nm or (given and len(given) == card.cube.shape[2])
    for spec in card.files:
        assert spec.sha256 or name == "houston_2018"
        if spec.urls:
            assert spec.size and spec.key
            assert {url.rpartition("/")[2] for url in spec.urls} == {spec.file}
            assert len(set(spec.urls)) == len(spec.urls) >= 2


@pytest.mark.indian_pines
def test_indian_pines_is_embedded_and_true_to_its_card():
    scene = load_scene("indian_pines")
    assert scene.cube.shape == (145, 145, 200)
    assert scene.class_counts.tolist() == COUNTS
    assert scene.cube.min() == np.float32(0.0955) and scene.cube.max() == np.float32(0.9604)
    assert scene.class_names[1] == "Corn-notill" and scene.class_names[15] == "Stone-Steel-Towers"
    assert scene.subsets["IP-14"] == (1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16)
    assert "radiance" in scene.units and scene.gsd == 20


def test_importing_the_room_loads_nothing_heavy():
    heavy = {"scipy", "h5py", "spectral", "pooch", "requests", "pydantic", "torch", "rich"}
    assert not heavy & loaded("import hsiaug.data")


def test_a_package_that_is_not_there_is_named(estate):
    card = estate('file = "x.npy"\npackage = "no_such_package"')
    with pytest.raises(DataUnavailableError, match=r"pip install .*no_such_package"):
        load_scene(card)


def test_an_unknown_name_gets_near_matches():
    with pytest.raises(InputError, match="Did you mean indian_pines"):
        load_scene("indian_pine")
    assert scene_card("Indian-Pines").name == "indian_pines"


def test_the_data_folder_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.delenv("HSIAUG_DATA_DIR")
    assert "hsiaug" in data_dir().parts


@pytest.mark.parametrize("name", ["toy", "hills"])
def test_a_made_up_scene_is_the_one_its_card_describes(name):
    card, scene = scene_card(name), load_scene(name)
    assert (scene.name, scene.draws) == (name, name)
    assert scene.cube.shape == card.cube.shape
    assert scene.class_names == card.labels.names
    assert tuple(scene.class_counts.tolist()) == card.labels.counts
    assert load_scene("toy").sha256 == toy_scene().sha256 == toy_scene(0).sha256


@pytest.mark.parametrize("seed", range(5))
def test_toy_scenes_are_unequal_coherent_and_partly_unlabelled(seed):
    scene = toy_scene(seed)
    counts = scene.class_counts
    assert counts.max() > 10 * counts.min() and counts.min() >= 20
    assert 0.05 < (scene.labels == 0).mean() < 0.5
    same = scene.labels[:, 1:] == scene.labels[:, :-1]
    assert same.mean() > 0.7, "neighbours mostly agree"
    assert np.abs(np.diff(scene.cube, axis=2)).mean() < scene.cube.std()
    assert scene.sha256 != toy_scene(seed + 1).sha256


def test_toy_scenes_come_in_other_sizes_and_refuse_absurd_ones():
    scene = toy_scene(1, height=60, width=70, bands=8, classes=7)
    assert scene.cube.shape == (60, 70, 8) and len(scene.class_names) == 7
    assert scene.class_counts.all()
    with pytest.raises(InputError, match="classes"):
        toy_scene(classes=1)
    with pytest.raises(InputError, match="300 pixels for each class"):
        toy_scene(classes=10)


def test_list_is_tab_separated_when_piped_and_json_when_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    lines = runner.invoke(app, ["list"], catch_exceptions=False).output.splitlines()
    assert lines[0].split("\t") == [
        "name",
        "tasks",
        "size",
        "bands",
        "classes",
        "labelled px",
        "GSD",
        "status",
    ]
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in lines[1:]}
    assert rows["indian_pines"] == [
        "pixels, segmentation",
        "145×145",
        "200",
        "16",
        "10249",
        "20",
        "embedded",
    ]
    assert rows["oscd"] == ["change", "–", "13", "2", "–", "10", "place by hand"]
    assert rows["ksc"][-1] == "to download" and rows["houston_2018"][-1] == "place by hand"
    assert [*rows] == [*scene_names(), *pair_set_names()]


def test_info_tells_everything_about_a_public_scene(monkeypatch, tmp_path):
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    output = runner.invoke(app, ["info", "salinas_a"], catch_exceptions=False).output
    card = scene_card("salinas_a")
    for spec in card.files:
        assert spec.sha256 and spec.sha256 in output and all(url in output for url in spec.urls)
    for part in (
        "83, 86, 204",
        "AVIRIS",
        str(tmp_path / "salinas_a"),
        "NASA Jet Propulsion Laboratory, Salinas Valley",
    ):
        assert part in output
    assert "2\tCorn_senesced_green_weeds\t10\t1343" in output


def test_fetch_prints_where_the_files_are_and_checks_all_names_first(estate, tmp_path):
    output = runner.invoke(app, ["fetch", str(estate()), "toy"], catch_exceptions=False).output
    assert f"estate\t{tmp_path / 'cube.npy'}" in output and "toy\t" in output
    with pytest.raises(InputError, match="Did you mean salinas"):
        runner.invoke(app, ["fetch", "ksc", "salines"], catch_exceptions=False)
