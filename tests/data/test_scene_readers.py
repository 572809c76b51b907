"""Every format gives the same scene, and a damaged file gives one clear error."""

import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image
from spectral.io import envi

from hsiaug.base.errors import SceneError
from hsiaug.data import load_scene

PAVIA_COUNTS = [6631, 18649, 2099, 3064, 1345, 5029, 1330, 3682, 947]


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
def test_every_format_gives_the_same_scene(estate, cube, codes, tmp_path, kind):
    name, save = FORMATS[kind]
    save(tmp_path / name, cube)
    scene = load_scene(estate(f'file = "{name}"'))
    assert np.array_equal(scene.cube, cube)
    assert np.array_equal(scene.labels, codes)


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


@pytest.mark.parametrize("name", ["c.mat", "c.npy", "c.hdr"])
@pytest.mark.parametrize("content", [b"", b"not data at all\n" * 40])
def test_a_file_of_something_else_is_refused(estate, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "c.img").write_bytes(content)
    assert str(tmp_path / name) in refusal(estate(f'file = "{name}"'))


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


def test_a_matlab_cell_or_text_is_not_a_cube(estate, tmp_path):
    scipy.io.savemat(
        tmp_path / "c.mat", {"cells": np.array([["a"], [1]], dtype=object), "text": "hello"}
    )
    assert "a MATLAB cell" in refusal(estate('file = "c.mat"\nkey = "cells"'))
    assert "a MATLAB char" in refusal(estate('file = "c.mat"\nkey = "text"'))
    assert "0 among" in refusal(estate('file = "c.mat"'))


def test_a_flat_array_is_not_a_cube(estate, codes, tmp_path):
    np.save(tmp_path / "c.npy", codes)
    assert "three axes" in refusal(estate('file = "c.npy"'))


def test_an_unknown_extension_is_refused(estate, tmp_path):
    (tmp_path / "c.docx").write_bytes(b"x")
    message = refusal(estate('file = "c.docx"'))
    assert "'.docx'" in message and "ENVI" in message


def test_a_misspelt_file_gets_a_hint(estate):
    assert "Did you mean cube.npy" in refusal(estate('file = "cubes.npy"'))


def test_an_envi_header_gives_wavelengths_and_scale(estate, cube, tmp_path):
    metadata = {"wavelength": [0.4, 0.5, 0.6, 0.7], "wavelength units": "Micrometers"}
    save_envi(tmp_path / "c.hdr", cube, **metadata, **{"Reflectance Scale Factor": 10000})
    scene = load_scene(estate('file = "c.hdr"'))
    assert np.allclose(scene.cube, cube / 1e4)
    assert scene.wavelengths is not None and np.allclose(scene.wavelengths, [400, 500, 600, 700])
    own = load_scene(estate('file = "c.hdr"\nscale = 2.0', rest="[sensor]\nrange_nm = [1, 4]"))
    assert np.allclose(own.cube, cube * 2)
    assert own.wavelengths is not None and own.wavelengths.tolist() == [1, 2, 3, 4]


def test_an_envi_pair_is_found_from_either_file_and_whatever_the_ending(estate, cube, tmp_path):
    save_envi(tmp_path / "c.hdr", cube)
    (tmp_path / "c.img").rename(tmp_path / "c")
    (tmp_path / "c.hdr").rename(tmp_path / "c.HDR")
    assert np.array_equal(load_scene(estate('file = "c"')).cube, cube)
    (tmp_path / "c").rename(tmp_path / "other.name")
    assert "must have its data file" in refusal(estate('file = "c.HDR"'))
    assert np.array_equal(load_scene(estate('file = "c.HDR"\ndata = "other.name"')).cube, cube)


def test_labels_may_be_an_image_or_an_envi_band(estate, codes, tmp_path):
    names = 'names = ["wheat", "rye", "track"]'
    for file in ("l.tif", "l.png", "l.bmp"):
        Image.fromarray(codes).save(tmp_path / file)
        assert np.array_equal(
            load_scene(estate(labels=f'[labels]\nfile = "{file}"\n{names}')).labels, codes
        )
    save_envi(tmp_path / "l.hdr", codes[:, :, None])
    assert np.array_equal(
        load_scene(estate(labels=f'[labels]\nfile = "l.hdr"\n{names}')).labels, codes
    )
    (tmp_path / "l.tif").write_bytes((tmp_path / "l.tif").read_bytes()[:60])
    assert "must be a whole GeoTIFF file" in refusal(
        estate(labels=f'[labels]\nfile = "l.tif"\n{names}')
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", FORMATS)
def test_a_scene_of_the_size_of_pavia_university(shared_data, tmp_path, kind):
    """A simulated cube with the real ground truth: equal after loading, without copies in
    memory.
    """
    truth = shared_data / "ground_truth_only" / "paviaU_gt.mat"
    labels = scipy.io.loadmat(truth)["paviaU_gt"]
    spectra = np.random.default_rng(3).integers(100, 8000, (10, 103), dtype=np.uint16)
    cube = spectra[labels] + (np.arange(340, dtype=np.uint16) % 50)[None, :, None]
    name, save = FORMATS[kind]
    save(tmp_path / name, cube)
    card = tmp_path / "card.toml"
    names = [f"class {i}" for i in range(1, 10)]
    card.write_text(
        f'name = "simulated"\n[cube]\nfile = "{name}"\nscale = 1e-4\n[labels]\nfile = "{truth}"\n'
        f"names = {names}\ncounts = {PAVIA_COUNTS}\n[sensor]\nrange_nm = [430, 860]\n"
    )
    tracemalloc.start()
    scene = load_scene(card)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scene.cube.shape == (610, 340, 103)
    assert scene.class_counts.tolist() == PAVIA_COUNTS
    assert np.allclose(scene.cube[::7], cube[::7] * np.float32(1e-4), rtol=1e-6)
    assert peak < 2.2 * scene.cube.nbytes
