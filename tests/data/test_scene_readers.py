"""Every format gives the same scene, and a damaged file gives one clear error."""

import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from spectral.io import envi

from hsiaug.base.errors import SceneError
from hsiaug.data import load_scene


def save_mat5(path: Path, cube: np.ndarray) -> None:
    scipy.io.savemat(path, {"scene": cube}, do_compression=True)


def save_mat73(path: Path, cube: np.ndarray) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("scene", data=cube.T).attrs["MATLAB_class"] = np.bytes_("uint16")


def save_npy(path: Path, cube: np.ndarray) -> None:
    np.save(path, cube)


def save_envi(path: Path, cube: np.ndarray, **metadata: object) -> None:
    envi.save_image(str(path), cube, ext=".img", interleave="bil", metadata=metadata)


FORMATS: dict[str, tuple[str, Callable[..., None]]] = {
    "mat5": ("c.mat", save_mat5),
    "mat73": ("c.mat", save_mat73),
    "npy": ("c.npy", save_npy),
    "envi": ("c.hdr", save_envi),
}


def refusal(card: Path) -> str:
    with pytest.raises(SceneError) as error:
        load_scene(card)
    return str(error.value)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_file_cut_short_is_refused(estate, tmp_path, kind, share):
    name, save = FORMATS[kind]
    big = np.random.default_rng(0).integers(0, 5000, (20, 20, 10), dtype=np.uint16)
    save(tmp_path / name, big)
    path = tmp_path / name if kind != "envi" else tmp_path / "c.img"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    message = refusal(estate(f'file = "{name}"'))
    assert str(path) in message
    assert "whole" in message or "bytes" in message


def test_pickled_objects_are_never_loaded(estate, tmp_path):
    np.save(tmp_path / "c.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "Python objects" in refusal(estate('file = "c.npy"'))
    (tmp_path / "c.npy").write_bytes(pickle.dumps([1, 2, 3]))
    assert "pickle" in refusal(estate('file = "c.npy"'))


def test_complex_numbers_and_text_are_refused(estate, cube, tmp_path):
    for wrong in (cube * 1j, cube.astype(str)):
        np.save(tmp_path / "c.npy", wrong)
        assert "plain numbers" in refusal(estate('file = "c.npy"'))


@pytest.mark.parametrize("save", [scipy.io.savemat, None], ids=["mat5", "mat73"])
def test_with_several_arrays_the_card_must_name_one(estate, cube, tmp_path, save):
    arrays = {"scene": cube, "scene2": cube + 1, "map": cube[:, :, 0]}
    if save:
        save(tmp_path / "c.mat", arrays)
    else:
        with h5py.File(tmp_path / "c.mat", "w") as file:
            for name, array in arrays.items():
                file[name] = array.T
                file[name].attrs["MATLAB_class"] = np.bytes_("uint16")
    assert "scene 6×5×4" in refusal(estate('file = "c.mat"'))
    message = refusal(estate('file = "c.mat"\nkey = "scen"'))
    assert "'scen'" in message and "Did you mean scene" in message
    assert np.array_equal(load_scene(estate('file = "c.mat"\nkey = "scene2"')).cube, cube + 1)


def test_an_envi_pair_is_found_from_either_file_and_whatever_the_ending(estate, cube, tmp_path):
    save_envi(tmp_path / "c.hdr", cube)
    (tmp_path / "c.img").rename(tmp_path / "c")
    (tmp_path / "c.hdr").rename(tmp_path / "c.HDR")
    assert np.array_equal(load_scene(estate('file = "c"')).cube, cube)
    (tmp_path / "c").rename(tmp_path / "other.name")
    assert "must have its data file" in refusal(estate('file = "c.HDR"'))
    assert np.array_equal(load_scene(estate('file = "c.HDR"\ndata = "other.name"')).cube, cube)


@pytest.mark.parametrize("kind", ["mat73", "envi"])
def test_a_large_scene_is_loaded_without_copies_of_the_cube(estate, tmp_path, kind):
    name, save = FORMATS[kind]
    cube = np.random.default_rng(3).integers(0, 5000, (300, 200, 60), dtype=np.uint16)
    save(tmp_path / name, cube)
    np.save(tmp_path / "labels.npy", np.arange(60_000).reshape(300, 200) % 4)
    card = estate(f'file = "{name}"\nscale = 1e-4')
    tracemalloc.start()
    scene = load_scene(card)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.allclose(scene.cube, cube * np.float32(1e-4), rtol=1e-6)
    assert peak < 2.2 * scene.cube.nbytes
