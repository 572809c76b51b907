"""Cubes above a size are read in windows, or lie in temporary files: the same values as an array of
the whole, and one error where another program cuts or changes a file, whose mapped pages would end
the process (SIGBUS).
"""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError
from hsiaug.bench.worker import BlindData
from hsiaug.core.scene import Scene, UnlabelledScene, row_parts
from hsiaug.core.spectral_views import SpectralView
from hsiaug.data import bounds, load_scene, raw, windows
from hsiaug.data.cube_check import look_through
from hsiaug.data.raw import Conversion, convert_cube, in_memory
from hsiaug.data.readers import read_cube_file
from hsiaug.data.windows import FileCube, cube_of
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import checksum_of_pixels, train_view, train_view_seen
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task

Estate = Callable[..., Path]
SHAPE = (30, 20, 8)
ORDERS = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}
CHANGES = [Conversion(), Conversion([1, 4, 5], 1e-4, 0.5, 7.0)]


def written(folder: Path, kind: str, dtype: str = "<i2") -> tuple[Path, AnyArray]:
    """A cube as .npy, in MATLAB's order as "fortran", or as ENVI of an interleave."""
    cube = np.random.default_rng(0).integers(1, 2000, SHAPE).astype(dtype)
    cube[3, 4, 2] = 7
    if kind not in ORDERS:
        np.save(folder / "c.npy", np.asfortranarray(cube) if kind == "fortran" else cube)
        return folder / "c.npy", cube
    (folder / "c.img").write_bytes(b"7" * 100 + cube.transpose(ORDERS[kind]).tobytes())
    (folder / "c.hdr").write_text(
        f"ENVI\nsamples = {SHAPE[1]}\nlines = {SHAPE[0]}\nbands = {SHAPE[2]}\nheader offset = 100\n"
        f"data type = { {'<i2': 2, '<f4': 4}[dtype] }\nbyte order = 0\ninterleave = {kind}\n"
    )
    return folder / "c.img", cube


@pytest.fixture(params=["npy", "fortran", *ORDERS])
def mapped_file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, AnyArray]:
    return written(tmp_path, request.param)


@pytest.fixture
def read_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "IN_MEMORY", 0)
    monkeypatch.setattr(windows, "row_parts", lambda shape, values=0: row_parts(shape, 700))


# Mapped files.


def test_what_is_read_of_a_mapped_file_is_what_is_in_it(mapped_file) -> None:
    path, cube = mapped_file
    array = read_cube_file(path).array
    for part in (slice(None), slice(3, 9), slice(29, 30)):
        for columns in (slice(None), slice(4, 7)):
            np.testing.assert_array_equal(in_memory(array[part, columns]), cube[part, columns])
    turned = in_memory(array.transpose(2, 1, 0)[5:7])
    np.testing.assert_array_equal(turned, cube.transpose(2, 1, 0)[5:7])
    assert not isinstance(turned.base, np.memmap)
    some = convert_cube(array, "scene", Conversion([1, 4]))
    np.testing.assert_array_equal(some, cube[:, :, [1, 4]])


def test_rows_that_lie_all_over_a_file_are_read_as_they_are(mapped_file, monkeypatch) -> None:
    path, cube = mapped_file
    array = read_cube_file(path).array
    expected = look_through(cube, None, (), "c")
    monkeypatch.setattr(raw, "row_parts", lambda shape: row_parts(shape, 900))
    for turned, wanted in ((array, cube), (array[:, 5:9], cube[:, 5:9]), (array.T, cube.T)):
        parts = list(raw.stripes(turned))
        np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), wanted)
        assert all(len(wanted[rows]) == len(part) for rows, part in parts)
    assert look_through(array, None, (), "c").typical == expected.typical


@pytest.mark.parametrize("left", [0, 5000, -1])
def test_a_file_that_is_cut_after_it_was_opened_is_one_error(mapped_file, left) -> None:
    path, _ = mapped_file
    array = read_cube_file(path).array
    os.truncate(path, left if left >= 0 else path.stat().st_size - 1)
    for read in (
        lambda: convert_cube(array, "scene", Conversion()),
        lambda: look_through(array, None, (), "c"),
    ):
        with pytest.raises(SceneError, match=path.name):
            read()


# Windows.


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("kind", "dtype"), [("bip", "<f4"), ("bil", "<i2"), ("bsq", "<f4")])
def test_windows_hold_what_the_whole_holds(tmp_path, kind, dtype, change, read_in_windows) -> None:
    stored = read_cube_file(written(tmp_path, kind, dtype)[0]).array
    cube, whole = cube_of(stored, "c", change), np.array(convert_cube(stored, "c", change))
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, SHAPE[0], 60), rng.integers(0, SHAPE[1], 60)

    assert isinstance(cube, FileCube) and cube.shape == whole.shape and len(cube) == len(whole)
    for key in (
        slice(3, 9),
        slice(None),
        (slice(2, 5), slice(7, None)),
        (rows, columns),
        (rows[:3, None, None], columns[None, :4, None]),
        (np.empty(0, int), np.empty(0, int)),
        (5, 6),
        rng.random(SHAPE[:2]) < 0.3,
    ):
        np.testing.assert_array_equal(cube[key], whole[key], strict=True)
    np.testing.assert_array_equal(np.asarray(cube), whole, strict=True)
    window, expected = cube[2:4, 5:8], whole[2:4, 5:8]
    os.truncate(tmp_path / "c.img", 0)
    np.testing.assert_array_equal(window, expected)


@pytest.mark.parametrize(
    "harm", [lambda path: os.truncate(path, 500), lambda path: os.utime(path, (1, 1))]
)
def test_a_file_that_was_changed_is_one_error(tmp_path, harm, read_in_windows) -> None:
    path, _ = written(tmp_path, "bip")
    cube = cube_of(read_cube_file(path).array, "c", Conversion())
    harm(path)
    with pytest.raises(SceneError, match="must stay as it is"):
        cube[2:4]


def test_trials_and_maps_of_a_scene_read_in_windows_are_those_of_one_in_memory(
    estate: Estate, monkeypatch
) -> None:
    card, task, protocol = estate(), get_task("pixels"), parse_protocol("hidden:0.5:kshot:3")

    def everything() -> list[object]:
        scene = load_scene(card)
        split = draw_split(scene, protocol, 0, 3)
        made: list[object] = [scene.sha256]
        for scope in ("none", "scene"):
            view = train_view(scene, split, scope)
            seen = train_view_seen(view, SpectralView("raw+unit", view.wavelengths))
            for one in (view, seen):
                made += [one.real.x, one.normaliser.mean, one.normaliser.std]
                made += [checksum_of_pixels(one), one.unlabelled]
            made += [view.cube, seen.cube]
        spectra = SpectralView("unit", scene.wavelengths)
        seen = train_view_seen(train_view(scene, split, "none"), spectra)
        plugin = registry().find("classifier", "svm").load()
        made_of = plugin(plugin.card.params()).fit(
            seen.real, seen, seed=0, device="cpu", progress=print
        )
        ids = task.prediction.mapped(made_of, plugin.card, scene, split, lambda *_: None, spectra)
        return [*made, ids[scene.name], isinstance(scene.pixels, FileCube)]

    *expected, in_windows = everything()
    assert not in_windows
    monkeypatch.setattr(bounds, "IN_MEMORY", 0)
    monkeypatch.setattr(windows, "row_parts", lambda shape, values=0: row_parts(shape, 700))
    *found, in_windows = everything()
    assert in_windows
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b, strict=isinstance(a, np.ndarray))


def test_an_array_is_made_once_and_sealed_when_it_is_asked_for(
    estate: Estate, read_in_windows
) -> None:
    scene = load_scene(estate())
    view = train_view(scene, draw_split(scene, parse_protocol("kshot:3"), 0, 3), "none")
    for one in (scene, view):
        assert not isinstance(one.pixels, np.ndarray)
        assert one.cube is one.cube and one.pixels is one.cube and not one.cube.flags.writeable
    assert view.changed == []


def test_another_process_is_given_the_open_file_of_a_cube_where_it_holds_nothing_else(
    tmp_path, read_in_windows
) -> None:
    stored = read_cube_file(written(tmp_path, "bil")[0]).array
    cubes = [cube_of(stored, "c", Conversion(bands)) for bands in (None, [0, 2])]
    labels = np.arange(SHAPE[0] * SHAPE[1], dtype=np.int16).reshape(SHAPE[:2]) % 3
    blind = [BlindData(Scene("s", cube, labels, ("a", "b"))) for cube in cubes]
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_answer, args=(theirs, blind))
    process.start()
    kinds, totals = zip(*ours.recv(), strict=True)
    process.join()
    assert kinds == ("FileCube", "ndarray")
    assert totals == (float(stored.sum()), float(stored[:, :, [0, 2]].sum()))


def _answer(pipe, blind: list[BlindData]) -> None:
    scenes = [one.data for one in blind]
    assert all(isinstance(scene, UnlabelledScene) for scene in scenes)
    totals = [float(scene.pixels[:].sum(dtype=np.float64)) for scene in scenes]
    pipe.send([*zip((type(scene.pixels).__name__ for scene in scenes), totals, strict=True)])


# Temporary files.


def in_a_file(values: object) -> bool:
    """Whether the values of an array lie in a file."""
    while isinstance(values, np.ndarray | memoryview):
        if isinstance(values, np.memmap):
            return True
        values = values.obj if isinstance(values, memoryview) else values.base
    return False


def test_a_large_cube_and_what_plugins_see_of_it_are_the_same_in_a_file(estate, monkeypatch):
    card = estate()
    protocol = parse_protocol("hidden:0.5:kshot:2")

    def load() -> tuple[np.ndarray, np.ndarray]:
        scene = load_scene(card)
        return scene.cube, train_view(scene, draw_split(scene, protocol, 0, 1), "scene").cube

    small = load()
    assert not any(map(in_a_file, small))
    monkeypatch.setattr(bounds, "IN_MEMORY", 0)
    monkeypatch.setattr(bounds, "free_memory", lambda: 100)
    large = load()
    assert all(map(in_a_file, large))
    for a, b in zip(small, large, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isnan(large[1]).any()
