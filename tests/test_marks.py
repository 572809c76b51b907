"""Files that commands write are known by a mark inside them, and are what they were without it."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.io import loadmat

from hsiaug.base.marks import is_marked, save_marked_array
from hsiaug.data import toy_scene
from hsiaug.quality.map_files import save_map, save_quick_look, save_shares
from hsiaug.report.output_files import array_writers

FARM = toy_scene(seed=3, height=40, width=32, bands=6, classes=3)
NAMES = FARM.class_names


@given(array=arrays.arrays(st.sampled_from(["u1", "<i4", "<f4", ">f8"]), arrays.array_shapes()))
@settings(max_examples=40, deadline=None, database=None)
def test_a_marked_array_is_that_array(tmp_path_factory: pytest.TempPathFactory, array) -> None:
    path = tmp_path_factory.mktemp("marks") / "a.npy"
    for stored in (array, np.asfortranarray(array)):
        save_marked_array(path, stored)
        for mode in (None, "r"):
            np.testing.assert_array_equal(np.load(path, mmap_mode=mode), array)
        assert np.load(path).dtype == array.dtype and is_marked(path)
        np.save(path, stored)
        assert not is_marked(path)


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
def test_maps_and_shares_have_the_mark_and_labels_that_a_user_gave_have_none(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"m{ending}"
    written = save_map(path, FARM.labels, NAMES, None, {"SCENE": "farm"})
    shares = np.ones((3, 40, 32), np.float32)
    written += save_shares(path, shares, NAMES, None)
    assert is_marked(written[0]) and is_marked(tmp_path / f"m_probabilities{ending}")
    (own,) = save_map(tmp_path / f"o{ending}", FARM.labels, NAMES, None, {}, marked=False)[:1]
    assert not is_marked(own)


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_a_map_whose_tags_lie_behind_its_pixels_is_known(tmp_path: Path) -> None:
    path = tmp_path / "m.tif"
    save_map(path, np.tile(FARM.labels, (20, 20)), NAMES, None, {"SCENE": "farm"})
    assert is_marked(path)
    with rasterio.open(path) as file:
        assert file.tags()["SOFTWARE"] == "written by hsiaug"


def test_samples_and_pictures_have_the_mark(tmp_path: Path) -> None:
    writers = array_writers(lambda: {"x": np.arange(6.0), "names": np.array(["a", "b"])})
    for ending, write in writers.items():
        write(tmp_path / f"s{ending}")
        assert is_marked(tmp_path / f"s{ending}")
    assert np.array_equal(np.load(tmp_path / "s.npz")["x"], np.arange(6.0))
    assert np.array_equal(loadmat(tmp_path / "s.mat")["x"], [np.arange(6.0)])
    save_quick_look(FARM, tmp_path / "look.png")
    assert is_marked(tmp_path / "look.png")
    assert not is_marked(tmp_path / "nothing.npy")
