"""A card says what is wrong with it in one sentence: the file, the key, the value, the hint."""

import numpy as np
import pytest

from hsiaug.base.errors import SceneError
from hsiaug.data import load_scene, scene_card

LABELS = '[labels]\nfile = "labels.npy"\nnames = ["wheat", "rye", "track"]\n'


def refusal(card) -> str:
    with pytest.raises(SceneError) as error:
        load_scene(card)
    return str(error.value)


def test_a_card_gives_the_scene_its_names_units_and_wavelengths(estate, cube, codes):
    card = estate(
        'file = "cube.npy"\nscale = 1e-4\noffset = 0.5\nunits = "albedo"',
        rest=(
            "[sensor]\ngsd = 2\nwavelengths = [400, 500, 600, 700.5]\n[subsets]\ncereals ="
            ' ["wheat", 2]'
        ),
    )
    scene = load_scene(card)
    assert scene.name == "estate" and scene.units == "albedo" and scene.gsd == 2
    assert np.allclose(scene.cube, cube * 1e-4 + 0.5) and scene.cube.dtype == np.float32
    assert np.array_equal(scene.labels, codes)
    assert scene.class_names == ("wheat", "rye", "track")
    assert scene.wavelengths is not None and scene.wavelengths.tolist() == [400, 500, 600, 700.5]
    assert scene.subsets == {"cereals": (1, 2)}


@pytest.mark.parametrize("axes", ["hbw", "whb", "wbh", "bhw", "bwh"])
def test_axes_names_the_order_of_the_file(estate, cube, tmp_path, axes):
    np.save(tmp_path / "cube.npy", np.transpose(cube, ["hwb".index(axis) for axis in axes]))
    assert np.array_equal(load_scene(estate(f'file = "cube.npy"\naxes = "{axes}"')).cube, cube)


def test_bad_bands_are_dropped_from_cube_and_wavelengths(estate, cube):
    card = estate('file = "cube.npy"\nbad_bands = [0, 2]', rest="[sensor]\nrange_nm = [400, 700]")
    scene = load_scene(card)
    assert np.array_equal(scene.cube, cube[:, :, [1, 3]])
    assert scene.wavelengths is not None and scene.wavelengths.tolist() == [500, 700]


def test_rows_and_columns_cut_out_a_part(estate, cube, codes, tmp_path):
    np.save(tmp_path / "labels.npy", codes[2:6, 1:4])
    scene = load_scene(
        estate('file = "cube.npy"\nrows = [2, 6]\ncolumns = [1, 4]\nshape = [4, 3, 4]')
    )
    assert np.array_equal(scene.cube, cube[2:6, 1:4])


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ('axes = "wh"', lambda codes: codes.T),
        ("ids = [10, 7, 300]", lambda codes: np.array([0, 10, 7, 300])[codes]),
        ("ids = [0, 1, 2]\nignore = [-1]", lambda codes: codes.astype(int) - 1),
    ],
)
def test_labels_may_be_transposed_and_have_any_codes(estate, codes, tmp_path, line, stored):
    np.save(tmp_path / "labels.npy", stored(codes))
    assert np.array_equal(load_scene(estate(labels=LABELS + line)).labels, codes)


def test_ignored_classes_become_unlabelled_and_later_ids_move_up(estate, codes):
    scene = load_scene(
        estate(labels=LABELS + 'ignore = ["rye"]', rest='[subsets]\nall = ["wheat", "rye", 3]')
    )
    assert scene.class_names == ("wheat", "track")
    assert np.array_equal(scene.labels, np.array([0, 1, 0, 2])[codes])
    assert scene.subsets == {"all": (1, 2)}


def test_a_pixel_gets_the_class_of_more_than_half_of_its_cells(estate, tmp_path):
    cells = np.array([[1, 1, 2, 2], [1, 3, 0, 0], [0, 0, 1, 2], [0, 3, 2, 2]])
    np.save(tmp_path / "labels.npy", cells)
    np.save(tmp_path / "cube.npy", np.ones((2, 2, 3)))
    assert load_scene(estate(labels=LABELS + "cells = 2")).labels.tolist() == [[1, 0], [0, 2]]


def test_expected_counts_are_verified(estate):
    assert load_scene(estate(labels=LABELS + "counts = [8, 7, 7]")).class_counts.tolist() == [
        8,
        7,
        7,
    ]
    message = refusal(estate(labels=LABELS + "counts = [8, 9, 7]"))
    assert "rye 7 instead of 9" in message and "labels.counts" in message


def test_labels_that_are_no_integers_are_refused(estate, codes, tmp_path):
    wrong = codes.astype(float)
    wrong[1, 2] = 1.5
    np.save(tmp_path / "labels.npy", wrong)
    message = refusal(estate())
    assert "whole numbers" in message and "1.5 at row 1, column 2" in message


def test_a_cube_with_nan_is_refused(estate, cube, tmp_path):
    holed = cube.astype("f4")
    holed[1, 1, 2] = np.nan
    np.save(tmp_path / "cube.npy", holed)
    assert "finite" in refusal(estate())


def test_values_beyond_float32_are_refused_without_a_warning(estate, cube, tmp_path):
    np.save(tmp_path / "cube.npy", cube * 1e300)
    assert "finite" in refusal(estate())


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"rest": "[sensor]\ngds = 2"}, ["'sensor.gds'", "Did you mean gsd?"]),
        ({"rest": "[censor]\ngsd = 2"}, ["'censor'", "Did you mean sensor?"]),
        ({"rest": "[sensor]\ngsd = -2"}, ["'sensor.gsd'", "greater than 0", "found -2"]),
        ({"rest": '[sensor]\ngsd = "two"'}, ["'sensor.gsd'", "'two'"]),
        ({"rest": "[sensor]\nwavelengths = [400, -1]"}, ["'sensor.wavelengths[1]'", "found -1"]),
        (
            {"rest": "[sensor]\nwavelengths = [400]\nrange_nm = [400, 500]"},
            ["[sensor]", "not both"],
        ),
        ({"rest": "[subsets]\nx = [9]"}, ["subsets.x", "9"]),
        ({"cube": 'file = "cube.npy"\naxes = "hww"'}, ["'cube.axes'", "'hww'"]),
        ({"cube": 'file = "cube.npy"\nrows = [3, 3]'}, ["[cube]", "rows", "[3, 3]"]),
        ({"cube": 'file = "cube.npy"\nrows = [0, 9]'}, ["cube.rows", "6 rows", "[0, 9]"]),
        ({"cube": 'file = "cube.npy"\nbad_bands = [4]'}, ["cube.bad_bands", "0..3", "[4]"]),
        ({"cube": 'file = "cube.npy"\nshape = [6, 5, 9]'}, ["(6, 5, 9)", "(6, 5, 4)"]),
        ({"cube": 'key = "x"'}, ["cube.file is missing"]),
        ({"labels": '[labels]\nfile = "labels.npy"'}, ["'labels.names'"]),
        ({"labels": LABELS + "ids = [1, 2]"}, ["ids", "3 names"]),
        ({"labels": LABELS + "ids = [1, 2, 2]"}, ["ids must not repeat 2"]),
        ({"labels": LABELS + 'ignore = ["oats"]'}, ["'oats'"]),
        ({"labels": LABELS + "cells = 4"}, ["labels.cells = 4", "(6, 5)"]),
        ({"head": ""}, ["must give 'name'"]),
        ({"head": 'name = "a b/c"'}, ["'name'", "'a b/c'"]),
        ({"head": 'name = "x"\ncitation = 1979-05-27'}, []),
        ({"rest": "gsd == 2"}, ["must be a TOML file", "line"]),
        *(
            ({"rest": first + ".a" * 100_000 + " = 1"}, ["must be a TOML file", "100 parts"])
            for first in ("a", '","', '"="', "'\u2028'", "a . a")
        ),
        ({"rest": "# " + "." * 200 + "\nrest = 1"}, ["rest"]),
    ],
)
def test_a_wrong_card_is_explained(estate, change, parts):
    card = estate(**change)
    if not parts:
        assert scene_card(card).citation == "1979-05-27"
        return
    message = refusal(card)
    for part in ["estate", *parts]:
        assert part in message


def test_files_are_looked_for_beside_the_card(estate, tmp_path, monkeypatch):
    card = estate()
    monkeypatch.chdir("/")
    assert load_scene(card).name == "estate"
    (tmp_path / "cube.npy").unlink()
    message = refusal(card)
    assert str(tmp_path / "cube.npy") in message and "relative to the card" in message
