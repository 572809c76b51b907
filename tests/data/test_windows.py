"""Cubes that are read window by window: the same values as an array of the whole, and as little of
the file as asked.
"""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import SceneError
from hsiaug.bench.worker import BlindData
from hsiaug.core.scene import Scene, UnlabelledScene, row_parts
from hsiaug.core.spectral_views import SpectralView
from hsiaug.data import bounds, load_scene, windows
from hsiaug.data.raw import Conversion, convert_cube
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


@pytest.fixture
def read_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "IN_MEMORY", 0)
    monkeypatch.setattr(windows, "row_parts", lambda shape, values=0: row_parts(shape, 700))


def written(folder: Path, interleave: str, kind: str) -> Path:
    cube = np.random.default_rng(0).integers(1, 2000, SHAPE).astype(kind)
    cube[3, 4, 2] = 7
    code = {"<i2": 2, "<f4": 4}[kind]
    (folder / "c.img").write_bytes(b"7" * 100 + cube.transpose(ORDERS[interleave]).tobytes())
    (folder / "c.hdr").write_text(
        f"ENVI\nsamples = {SHAPE[1]}\nlines = {SHAPE[0]}\nbands = {SHAPE[2]}\nheader offset = 100\n"
        f"data type = {code}\nbyte order = 0\ninterleave = {interleave}\n"
    )
    return folder / "c.hdr"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["<i2", "<f4"])
@pytest.mark.parametrize("interleave", ORDERS)
def test_windows_hold_what_the_whole_holds(
    tmp_path, interleave, kind, change, read_in_windows
) -> None:
    raw = read_cube_file(written(tmp_path, interleave, kind)).array
    cube, whole = cube_of(raw, "c", change), np.array(convert_cube(raw, "c", change))
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, SHAPE[0], 60), rng.integers(0, SHAPE[1], 60)
    mask = rng.random(SHAPE[:2]) < 0.3

    assert isinstance(cube, FileCube) and cube.shape == whole.shape and len(cube) == len(whole)
    for key in (
        slice(3, 9),
        slice(None),
        (slice(2, 5), slice(7, None)),
        (rows, columns),
        (rows[:3, None, None], columns[None, :4, None]),
        (np.empty(0, int), np.empty(0, int)),
        (5, 6),
        mask,
    ):
        np.testing.assert_array_equal(cube[key], whole[key], strict=True)
    np.testing.assert_array_equal(np.asarray(cube), whole, strict=True)


def test_a_window_is_no_part_of_the_map(tmp_path, read_in_windows) -> None:
    cube = cube_of(read_cube_file(written(tmp_path, "bip", "<f4")).array, "c", Conversion())
    window, expected = cube[2:4, 5:8], np.array(cube[2:4, 5:8])
    os.truncate(tmp_path / "c.img", 0)
    np.testing.assert_array_equal(window, expected)


@pytest.mark.parametrize(
    "harm", [lambda path: os.truncate(path, 500), lambda path: os.utime(path, (1, 1))]
)
def test_a_file_that_was_changed_is_one_error(tmp_path, harm, read_in_windows) -> None:
    cube = cube_of(read_cube_file(written(tmp_path, "bip", "<i2")).array, "c", Conversion())
    harm(tmp_path / "c.img")
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
                made += [
                    one.real.x,
                    one.normaliser.mean,
                    one.normaliser.std,
                    checksum_of_pixels(one),
                    one.unlabelled,
                ]
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


@pytest.mark.parametrize("whole", [True, False])
def test_another_process_is_given_the_open_file_of_a_cube_where_it_holds_nothing_else(
    tmp_path, whole, read_in_windows
) -> None:
    raw = read_cube_file(written(tmp_path, "bil", "<i2")).array
    cube = cube_of(raw, "c", Conversion(None if whole else [0, 2]))
    labels = np.arange(cube.shape[0] * cube.shape[1], dtype=np.int16).reshape(cube.shape[:2]) % 3
    blind = BlindData(Scene("s", cube, labels, ("a", "b")))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_answer, args=(theirs, blind))
    process.start()
    kind, total = ours.recv()
    process.join()

    expected = convert_cube(raw, "c", Conversion(None if whole else [0, 2]))
    assert kind == ("FileCube" if whole else "ndarray") and total == float(
        expected.sum(dtype=np.float64)
    )


def _answer(pipe, blind: BlindData) -> None:
    scene = blind.data
    assert isinstance(scene, UnlabelledScene)
    pipe.send((type(scene.pixels).__name__, float(scene.pixels[:].sum(dtype=np.float64))))


def test_a_geotiff_that_is_unpacked_a_few_rows_at_a_time_is_whole(tmp_path, monkeypatch) -> None:
    from hsiaug.data import readers_tiff
    from hsiaug.quality.map_files import write_geotiff

    cube = np.random.default_rng(0).random((5, 33, 20), dtype=np.float32)
    monkeypatch.setattr(readers_tiff, "VALUES", 700)
    found = read_cube_file(write_geotiff(tmp_path / "c.tif", cube)).array
    np.testing.assert_array_equal(found, cube.transpose(1, 2, 0), strict=True)
